// The kinds that a simulated fabric serves, as its discovery names them, for three generations of the product.
//
//   K1. Plurals are a fact of each kind and never derived from its name.
//   K2. Every kind is namespaced, has one version and a status subresource.

/** One column that the server prints for `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly path: string;
  /** 0 is always shown; more only by `-o wide`. */
  readonly priority: number;
}

export interface SimulatedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly columns: readonly PrinterColumn[];
  /** Where the product keeps objects of this kind. */
  readonly namespace: 'default' | 'fab';
  /** `user`: desired state. `platform`: catalogue and installation. `internal`: written by controllers, churns. */
  readonly role: 'user' | 'platform' | 'internal';
}

/** Generations of the product: 25.05 and before, 26.01 and after, and the unreleased next one. */
export type Profile = 'v0.112' | 'v0.113+' | 'next';
export const profiles: readonly Profile[] = ['v0.112', 'v0.113+', 'next'];

const groups = {
  wiring: { group: 'wiring.githedgehog.com', version: 'v1beta1', categories: ['hedgehog', 'wiring', 'fabric'] },
  vpc: { group: 'vpc.githedgehog.com', version: 'v1beta1', categories: ['hedgehog', 'fabric'] },
  external: { group: 'vpc.githedgehog.com', version: 'v1beta1', categories: ['hedgehog', 'fabric', 'external'] },
  gateway: { group: 'gateway.githedgehog.com', version: 'v1alpha1', categories: ['hedgehog', 'hedgehog-gateway'] },
  gwint: { group: 'gwint.githedgehog.com', version: 'v1alpha1', categories: ['hedgehog', 'hedgehog-gateway'] },
  agent: { group: 'agent.githedgehog.com', version: 'v1beta1', categories: ['hedgehog'] },
  dhcp: { group: 'dhcp.githedgehog.com', version: 'v1beta1', categories: ['hedgehog'] },
  fcint: { group: 'fcint.githedgehog.com', version: 'v1alpha1', categories: ['hedgehog'] },
  fabricator: { group: 'fabricator.githedgehog.com', version: 'v1beta1', categories: ['hedgehog', 'fabricator'] },
} as const;

function kind(
  home: keyof typeof groups,
  name: string,
  plural: string,
  shortNames: string,
  columns: string,
  role: SimulatedKind['role'] = 'user',
): SimulatedKind {
  return {
    ...groups[home],
    kind: name,
    plural,
    singular: name.toLowerCase(),
    shortNames: shortNames === '' ? [] : shortNames.split(' '),
    columns: columns === '' ? [] : columns.split(' ').map(column),
    namespace: home === 'fabricator' || home === 'fcint' ? 'fab' : 'default',
    role,
  };
}

/** `Name=path`, then `:type` unless it is a string, then `/priority` unless it is 0. */
function column(text: string): PrinterColumn {
  const parts = /^([^=]+)=(.+?)(?::(integer|boolean|date))?(?:\/(\d+))?$/.exec(text);
  if (!parts) throw new Error(`not a column: ${text}`);
  const [, name = '', path = '', type = 'string', priority = '0'] = parts;
  return { name, path, type: type as PrinterColumn['type'], priority: Number(priority) };
}

const age = 'Age=.metadata.creationTimestamp:date';
const label = (name: string) => `.metadata.labels.fabric\\.githedgehog\\.com/${name}`;

const core: readonly SimulatedKind[] = [
  kind(
    'wiring',
    'Switch',
    'switches',
    'sw',
    `Profile=.spec.profile Role=.spec.role Descr=.spec.description Groups=.spec.groups Redundancy=.spec.redundancy/1 Boot=.spec.boot/1 ${age}`,
  ),
  kind('wiring', 'Server', 'servers', 'srv', `Type=.spec.type Descr=.spec.description ${age}`),
  kind('wiring', 'Connection', 'connections', 'conn', `Type=${label('connection-type')} ${age}`),
  kind('wiring', 'SwitchGroup', 'switchgroups', 'sg', age),
  kind('wiring', 'VLANNamespace', 'vlannamespaces', 'vlanns', age),
  kind(
    'wiring',
    'SwitchProfile',
    'switchprofiles',
    'sp',
    `DisplayName=.spec.displayName OtherNames=.spec.otherNames Ports=.metadata.annotations.fabric\\.githedgehog\\.com/ports ${age}`,
    'platform',
  ),
  kind('wiring', 'ServerProfile', 'serverprofiles', '', '', 'platform'),
  kind(
    'vpc',
    'VPC',
    'vpcs',
    '',
    `IPv4NS=.spec.ipv4Namespace VLANNS=.spec.vlanNamespace Subnets=.spec.subnets/1 VNI=.status.vni/1 ${age}`,
  ),
  kind(
    'vpc',
    'VPCAttachment',
    'vpcattachments',
    'vpcattach',
    `VPCSUBNET=.spec.subnet Connection=.spec.connection NativeVLAN=.spec.nativeVLAN ${age}`,
  ),
  kind(
    'vpc',
    'VPCPeering',
    'vpcpeerings',
    'vpcpeer',
    `VPC1=${label('vpc1')} VPC2=${label('vpc2')} Remote=.spec.remote ${age}`,
  ),
  kind(
    'external',
    'External',
    'externals',
    'ext',
    `IPv4NS=.spec.ipv4Namespace InComm=.spec.inboundCommunity OutComm=.spec.outboundCommunity ${age}`,
  ),
  kind(
    'external',
    'ExternalAttachment',
    'externalattachments',
    'extattach',
    `External=.spec.external Connection=.spec.connection SwVLAN=.spec.switch.vlan/1 SwIP=.spec.switch.ip/1 NeighASN=.spec.neighbor.asn/1 NeighIP=.spec.neighbor.ip/1 ${age}`,
  ),
  kind(
    'external',
    'ExternalPeering',
    'externalpeerings',
    'extpeering extpeer',
    `VPC=.spec.permit.vpc.name VPCSubnets=.spec.permit.vpc.subnets/1 External=.spec.permit.external.name ExtPrefixes=.spec.permit.external.prefixes/1 ${age}`,
  ),
  kind('vpc', 'IPv4Namespace', 'ipv4namespaces', 'ipns', `Subnets=.spec.subnets ${age}`),
  kind(
    'agent',
    'Agent',
    'agents',
    'ag',
    `Role=.spec.role Descr=.spec.description HWSKU=.status.state.nos.hwskuVersion/1 Heartbeat=.status.lastHeartbeat:date/1 Applied=.status.lastAppliedTime:date AppliedG=.status.lastAppliedGen:integer CurrentG=.metadata.generation:integer Version=.status.version RebootReq=.status.rebootRequired Software=.status.state.nos.softwareVersion/1 Attempt=.status.lastAttemptTime:date/2 AttemptG=.status.lastAttemptGen:integer/2 Age=.metadata.creationTimestamp:date/10`,
    'internal',
  ),
  kind('agent', 'Catalog', 'catalogs', '', '', 'internal'),
  kind(
    'dhcp',
    'DHCPSubnet',
    'dhcpsubnets',
    'dhcp',
    `Subnet=.spec.subnet CIDRBlock=.spec.cidrBlock Gateway=.spec.gateway StartIP=.spec.startIP EndIP=.spec.endIP VRF=.spec.vrf/1 CircuitID=.spec.circuitID/1 DNSServers=.spec.dnsServers/1 TimeServers=.spec.timeServers/1 InterfaceMTU=.spec.interfaceMTU:integer/1 ${age}`,
    'internal',
  ),
];

const fabricator: readonly SimulatedKind[] = [
  kind(
    'fabricator',
    'Fabricator',
    'fabricators',
    'fab',
    'Release=.status.release CtrlVer=.status.versions.fabricator.controller Gen=.metadata.generation Appl=.status.lastAppliedGen ApplT=.status.lastAppliedTime:date Status=.status.lastStatusCheck:date Ready=.status.conditions[?(@.type=="Ready")].status GwReady=.status.conditions[?(@.type=="GatewayReady")].status',
    'platform',
  ),
  { ...kind('fabricator', 'ControlNode', 'controlnodes', '', '', 'platform'), categories: [] },
  kind('fabricator', 'FabNode', 'fabnodes', 'fn', `Roles=.spec.roles MgmtIP=.spec.management.ip ${age}`, 'platform'),
];

const gatewayShared: readonly SimulatedKind[] = [
  kind(
    'gateway',
    'Gateway',
    'gateways',
    'gw',
    `ProtoIP=.spec.protocolIP VTEPIP=.spec.vtepIP Groups=.spec.groups/1 ${age}`,
  ),
  kind('gateway', 'GatewayGroup', 'gatewaygroups', 'gwgr', ''),
  kind('gateway', 'VPCInfo', 'vpcinfos', 'gwvpc', `InternalID=.status.internalID ${age}`, 'internal'),
  kind(
    'gwint',
    'GatewayAgent',
    'gatewayagents',
    'gwag',
    `Applied=.status.lastAppliedTime:date AppliedG=.status.lastAppliedGen:integer CurrentG=.metadata.generation:integer Version=.status.agentVersion ProtoIP=.spec.gateway.protocolIP/1 VTEPIP=.spec.gateway.vtepIP/1 ${age}`,
    'internal',
  ),
];

const peeringColumns = `GatewayGroup=.spec.gatewayGroup ${age}`;
const oldGateway = [...gatewayShared, kind('gateway', 'Peering', 'peerings', 'peer', peeringColumns)];
const gateway = [...gatewayShared, kind('gateway', 'GatewayPeering', 'gatewaypeerings', 'gwpeer', peeringColumns)];

const upcoming: readonly SimulatedKind[] = [
  kind('wiring', 'Fabric', 'fabrics', 'fab', `ASNStart=.spec.asnStart:integer ASNEnd=.spec.asnEnd:integer ${age}`),
  kind(
    'fcint',
    'FabricController',
    'fabriccontrollers',
    'fc',
    `Initialized=.status.initializedVersion Refreshing=.status.conditions[?(@.type=="Refreshing")].status Passes=.status.refresh.passes:integer/1 ForceUnlock=.spec.forceUnlock:boolean/1 ${age}`,
    'internal',
  ),
];

const kindsByProfile: Readonly<Record<Profile, readonly SimulatedKind[]>> = {
  'v0.112': [...core, ...oldGateway, ...fabricator],
  'v0.113+': [...core, ...gateway, ...fabricator],
  next: [...core, ...gateway, ...fabricator, ...upcoming],
};

/** Every kind that a fabric of this generation serves. */
export function kindsOf(profile: Profile): readonly SimulatedKind[] {
  return kindsByProfile[profile];
}

/** The twelve kinds that count as "core objects". */
export const coreKinds: readonly string[] = core.filter(({ role }) => role === 'user').map(({ kind: name }) => name);

export const apiVersionOf = (kind: SimulatedKind): string => `${kind.group}/${kind.version}`;
