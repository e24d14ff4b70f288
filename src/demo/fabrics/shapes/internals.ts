// What the controllers write beside the agents: the catalogs of numbers they gave out, DHCP subnets, VPC infos.

import type { JsonObject } from '../json.ts';
import type { Draft } from '../stored-object.ts';
import type { Drafting } from './drafting.ts';
import type { Networks, Subnet } from './vpcs.ts';
import type { Wiring } from './wiring.ts';

export function internals(wiring: Wiring, networks: Networks, draft: Drafting): Draft[] {
  const names = (of: readonly { readonly name: string }[]) => of.map(({ name }) => name);
  const infos = [...names(networks.vpcs), ...networks.externals.map((name) => `ext.${name}`)];
  return [
    draft('Catalog', 'connections', { connectionIDs: given(names(wiring.servers), 1) }),
    draft('Catalog', 'vpcs', { vpcVNIs: given(names(networks.vpcs), 100, 100) }),
    draft('Catalog', 'vpcinfos', { vpcInfoIDs: given(infos, 1) }),
    ...wiring.switches.map((name) =>
      draft('Catalog', `switch.${name}`, { irbVLANs: given(names(networks.vpcs), 3000) }),
    ),
    ...wiring.pairs.map((name) =>
      draft('Catalog', `redundancy.${name}`, { portChannelIDs: given(names(wiring.servers), 1) }),
    ),
    ...infos.map((name, index) =>
      draft(
        'VPCInfo',
        name,
        { subnets: {}, vni: (index + 1) * 100 },
        { status: { internalID: (index + 1).toString(36).padStart(5, '0') } },
      ),
    ),
    ...networks.vpcs.flatMap((vpc) =>
      vpc.subnets.filter(({ dhcp }) => dhcp).map((subnet) => dhcpDraft(draft, vpc.name, subnet)),
    ),
    dhcpDraft(draft, '', { name: 'management', cidr: '172.30.0.0/21', dhcp: true }),
  ];
}

/** @param vpc empty for the management network */
function dhcpDraft(draft: Drafting, vpc: string, { name, cidr }: Subnet): Draft {
  const stem = cidr.slice(0, cidr.lastIndexOf('.'));
  return draft(
    'DHCPSubnet',
    vpc === '' ? name : `${vpc}--${name}`,
    {
      cidrBlock: cidr,
      circuitID: vpc === '' ? '' : 'Vlan1001',
      defaultURL: '',
      dnsServers: ['1.1.1.1'],
      endIP: `${stem}.254`,
      gateway: `${stem}.1`,
      interfaceMTU: 9036,
      leaseTimeSeconds: 3600,
      pxeURL: '',
      startIP: `${stem}.10`,
      subnet: vpc === '' ? name : `${vpc}/${name}`,
      timeServers: ['1.1.1.1'],
      vrf: vpc === '' ? '' : `VrfV${vpc}`,
    },
    { status: { allocated: {} } },
  );
}

/** The next free number for each name. */
function given(names: readonly string[], first: number, step = 1): JsonObject {
  return Object.fromEntries(names.slice(0, 500).map((name, index) => [name, first + index * step]));
}
