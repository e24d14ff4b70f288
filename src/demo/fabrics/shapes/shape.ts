// The sizes of the simulated fabrics. Every other number of a fabric follows from these.

export type ShapeName = 'tiny' | 'lab' | 'medium' | 'large' | 'lab-2025';

export interface Shape {
  readonly spines: number;
  readonly leaves: number;
  readonly spineProfile: string;
  readonly leafProfile: string;
  /** How a spine's port is broken out for fabric links and gateways: mode and lanes. */
  readonly spineBreakout: Breakout;
  /** How a leaf's port is broken out for fabric links; null: not at all. */
  readonly leafFabricBreakout: Breakout | null;
  readonly leafServerBreakout: Breakout | null;
  /** Leaf pairs for ESLAG, of consecutive leaves. There is one more, plain group. */
  readonly pairs: number;
  readonly servers: { readonly eslag: number; readonly unbundled: number; readonly bundled: number };
  readonly gateways: number;
  readonly spinesPerGateway: number;
  /** `default` is made by the system; the others by people. */
  readonly gatewayGroups: number;
  readonly gatewayPeerings: { readonly betweenVpcs: number; readonly toExternals: number };
  readonly vlanNamespaces: number;
  readonly ipv4Namespaces: number;
  readonly ipv4Range: string;
  readonly vpcs: number;
  /** The last so many VPCs live in the second IPv4 namespace. */
  readonly vpcsApart: number;
  /** The first so many VPCs have a second subnet. */
  readonly vpcsOfTwo: number;
  readonly secondSubnetHasDhcp: boolean;
  readonly attachments: number;
  readonly vpcPeerings: number;
  readonly externals: number;
  /** The last so many leaves; each has one link to each external. */
  readonly borderLeaves: number;
  readonly externalPeerings: number;
  readonly switchProfiles: number;
  /** Whether what the controllers write is there too: agents, catalogs, DHCP subnets, the installation. */
  readonly controllers: boolean;
}

export interface Breakout {
  readonly mode: string;
  readonly lanes: number;
}

const none = { betweenVpcs: 0, toExternals: 0 };
const quarters: Breakout = { mode: '4x100G', lanes: 4 };

/** A handful of objects: for hundreds of fabrics in one process. */
const tiny: Shape = {
  spines: 0,
  leaves: 1,
  spineProfile: 'vs',
  leafProfile: 'vs',
  spineBreakout: quarters,
  leafFabricBreakout: null,
  leafServerBreakout: null,
  pairs: 0,
  servers: { eslag: 0, unbundled: 1, bundled: 0 },
  gateways: 0,
  spinesPerGateway: 0,
  gatewayGroups: 0,
  gatewayPeerings: none,
  vlanNamespaces: 1,
  ipv4Namespaces: 1,
  ipv4Range: '10.0.0.0/16',
  vpcs: 1,
  vpcsApart: 0,
  vpcsOfTwo: 0,
  secondSubnetHasDhcp: false,
  attachments: 1,
  vpcPeerings: 0,
  externals: 0,
  borderLeaves: 0,
  externalPeerings: 0,
  switchProfiles: 0,
  controllers: false,
};

/** 36 core objects: two spines, three leaves. */
const lab: Shape = {
  ...tiny,
  spines: 2,
  leaves: 3,
  pairs: 1,
  servers: { eslag: 2, unbundled: 2, bundled: 2 },
  gateways: 1,
  spinesPerGateway: 2,
  gatewayGroups: 1,
  vpcs: 2,
  attachments: 4,
  vpcPeerings: 1,
  switchProfiles: 16,
  controllers: true,
};

/** 500 core objects: a customer's pod. */
const medium: Shape = {
  ...lab,
  spines: 4,
  leaves: 16,
  spineProfile: 'celestica-ds4000',
  leafProfile: 'celestica-ds3000',
  pairs: 8,
  servers: { eslag: 60, unbundled: 40, bundled: 20 },
  gateways: 2,
  spinesPerGateway: 4,
  gatewayPeerings: { betweenVpcs: 6, toExternals: 2 },
  ipv4Namespaces: 2,
  vpcs: 20,
  vpcsApart: 2,
  vpcsOfTwo: 5,
  secondSubnetHasDhcp: true,
  attachments: 110,
  vpcPeerings: 12,
  externals: 2,
  borderLeaves: 2,
  externalPeerings: 4,
};

/** 10,000 core objects: GPU pods, one attachment a server. */
const large: Shape = {
  ...medium,
  spines: 16,
  leaves: 48,
  spineProfile: 'celestica-ds5000',
  leafProfile: 'celestica-ds5000',
  spineBreakout: { mode: '2x400G', lanes: 2 },
  leafFabricBreakout: { mode: '2x400G', lanes: 2 },
  leafServerBreakout: { mode: '4x200G', lanes: 4 },
  pairs: 24,
  servers: { eslag: 0, unbundled: 2880, bundled: 0 },
  spinesPerGateway: 8,
  gatewayGroups: 3,
  gatewayPeerings: { betweenVpcs: 32, toExternals: 8 },
  vlanNamespaces: 2,
  ipv4Range: '10.0.0.0/8',
  vpcs: 200,
  vpcsApart: 20,
  vpcsOfTwo: 40,
  secondSubnetHasDhcp: false,
  attachments: 2880,
  vpcPeerings: 167,
  externals: 4,
  borderLeaves: 4,
  externalPeerings: 80,
  switchProfiles: 23,
};

export const shapes: Readonly<Record<Exclude<ShapeName, 'lab-2025'>, Shape>> = { tiny, lab, medium, large };

/** `leaf-07`: padded so that names sort by number, to at least two digits. */
export function numbered(stem: string, n: number, of: number): string {
  return `${stem}-${String(n).padStart(Math.max(2, String(of).length), '0')}`;
}

export const count = (n: number): readonly number[] => Array.from({ length: n }, (_, index) => index + 1);
