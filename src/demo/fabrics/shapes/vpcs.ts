// Virtual networks: VPCs, what is attached to them, and who may talk to whom.

import type { JsonObject } from '../json.ts';
import type { Draft } from '../stored-object.ts';
import { type Drafting, label } from './drafting.ts';
import { count, numbered, type Shape } from './shape.ts';
import { vlanNamespaces, type Wiring } from './wiring.ts';

export interface Subnet {
  readonly name: string;
  readonly cidr: string;
  readonly dhcp: boolean;
}

export interface Vpc {
  readonly name: string;
  readonly ipv4Namespace: string;
  readonly vlanNamespace: string;
  readonly subnets: readonly Subnet[];
}

export interface Networks {
  readonly drafts: readonly Draft[];
  readonly vpcs: readonly Vpc[];
  readonly externals: readonly string[];
}

export function network(shape: Shape, wiring: Wiring, draft: Drafting): Networks {
  const vpcs = plan(shape);
  const externals = count(shape.externals).map((n) => numbered('ext', n, shape.externals));
  const together = vpcs.filter(({ ipv4Namespace }) => ipv4Namespace === 'default');
  const drafts = [
    ...ipv4Namespaces(shape).map((name) => draft('IPv4Namespace', name, { subnets: [shape.ipv4Range] })),
    ...vpcs.map((vpc, index) => vpcDraft(draft, vpc, index)),
    ...wiring.servers.slice(0, shape.attachments).map(({ name }, index) => {
      const vpc = vpcs[index % vpcs.length];
      if (!vpc) throw new Error('a shape with attachments has VPCs');
      const subnet = vpc.subnets[Math.floor(index / vpcs.length) % vpc.subnets.length]?.name ?? 'default';
      return attachmentDraft(draft, { vpc: vpc.name, subnet, connection: name });
    }),
    ...pairs(together, shape.vpcPeerings, 1).map(([a, b]) => peeringDraft(draft, a.name, b.name)),
    ...externals.map((name, index) => externalDraft(draft, name, index)),
    ...wiring.externalLinks.map((link, index) => externalAttachmentDraft(draft, link, index)),
    ...count(shape.externalPeerings).map((n) => {
      const vpc = together[Math.floor((n - 1) / externals.length)];
      const external = externals[(n - 1) % externals.length];
      if (!vpc || external === undefined) throw new Error('a shape with external peerings has VPCs and externals');
      return externalPeeringDraft(draft, vpc, external);
    }),
  ];
  return { drafts, vpcs, externals };
}

/** Pairs of neighbours at a distance, each pair once. */
export function pairs<One>(of: readonly One[], howMany: number, distance: number): (readonly [One, One])[] {
  const found: (readonly [One, One])[] = [];
  for (const [index, first] of of.entries()) {
    const second = of[index + distance];
    if (found.length < howMany && second !== undefined) found.push([first, second]);
  }
  return found;
}

const ipv4Namespaces = (shape: Shape): string[] =>
  count(shape.ipv4Namespaces).map((n) => (n === 1 ? 'default' : numbered('ipns', n, shape.ipv4Namespaces)));

function plan(shape: Shape): Vpc[] {
  const used = new Map<string, number>();
  return count(shape.vpcs).map((n) => {
    const apart = n > shape.vpcs - shape.vpcsApart;
    const ipv4Namespace = (apart && ipv4Namespaces(shape)[1]) || 'default';
    const subnet = (name: string, dhcp: boolean): Subnet => {
      const number = (used.get(ipv4Namespace) ?? 0) + 1;
      used.set(ipv4Namespace, number);
      return { name, cidr: `10.${number >> 8}.${number & 255}.0/24`, dhcp };
    };
    return {
      name: numbered('vpc', n, shape.vpcs),
      ipv4Namespace,
      vlanNamespace: (apart && vlanNamespaces(shape)[1]) || 'default',
      subnets: [
        subnet('default', true),
        ...(n <= shape.vpcsOfTwo ? [subnet('backend', shape.secondSubnetHasDhcp)] : []),
      ],
    };
  });
}

/** @param index of the VPC, from 0: its VLANs follow from it */
export function vpcDraft(draft: Drafting, vpc: Vpc, index: number): Draft {
  const firstVlan = vpc.vlanNamespace === 'default' ? 1001 : 3001;
  const subnets: Record<string, JsonObject> = {};
  for (const [place, { name, cidr, dhcp }] of vpc.subnets.entries()) {
    const stem = cidr.slice(0, cidr.lastIndexOf('.'));
    subnets[name] = {
      dhcp: dhcp ? { enable: true, range: { end: `${stem}.254`, start: `${stem}.10` } } : {},
      gateway: `${stem}.1`,
      subnet: cidr,
      vlan: firstVlan + place * 500 + (index % 500),
    };
  }
  const { ipv4Namespace, vlanNamespace } = vpc;
  return draft(
    'VPC',
    vpc.name,
    { ipv4Namespace, subnets, vlanNamespace },
    { labels: { ...label('ipv4ns', ipv4Namespace), ...label('vlanns', vlanNamespace) } },
  );
}

export function attachmentDraft(
  draft: Drafting,
  { vpc, subnet, connection }: { readonly vpc: string; readonly subnet: string; readonly connection: string },
): Draft {
  return draft(
    'VPCAttachment',
    `${vpc}--${subnet}--${connection}`,
    { connection, subnet: `${vpc}/${subnet}` },
    { labels: { ...label('connection', connection), ...label('subnet', subnet), ...label('vpc', vpc) } },
  );
}

export function peeringDraft(draft: Drafting, vpcA: string, vpcB: string): Draft {
  return draft(
    'VPCPeering',
    `${vpcA}--${vpcB}`,
    { permit: [{ [vpcA]: {}, [vpcB]: {} }] },
    { labels: { ...label('vpc1', vpcA), ...label('vpc2', vpcB) } },
  );
}

function externalDraft(draft: Drafting, name: string, index: number): Draft {
  return draft(
    'External',
    name,
    {
      inboundCommunity: `65102:${5000 + index}`,
      ipv4Namespace: 'default',
      outboundCommunity: `50000:${50001 + index}`,
    },
    { labels: label('ipv4ns', 'default') },
  );
}

function externalAttachmentDraft(draft: Drafting, link: Wiring['externalLinks'][number], index: number): Draft {
  const { connection, external, leaf } = link;
  return draft(
    'ExternalAttachment',
    `${leaf}--${external}`,
    {
      connection,
      external,
      neighbor: { asn: 65102, ip: `100.100.${index}.6` },
      switch: { ip: `100.100.${index}.1/24`, vlan: 100 + index },
    },
    { labels: { ...label('connection', connection), ...label('external', external) } },
  );
}

function externalPeeringDraft(draft: Drafting, vpc: Vpc, external: string): Draft {
  return draft(
    'ExternalPeering',
    `${vpc.name}--${external}`,
    {
      permit: {
        external: { name: external, prefixes: [{ prefix: '0.0.0.0/0' }] },
        vpc: { name: vpc.name, subnets: vpc.subnets.map(({ name }) => name) },
      },
    },
    { labels: { ...label('external', external), ...label('vpc', vpc.name) } },
  );
}
