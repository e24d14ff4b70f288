// Gateways, their groups and the peerings that go through them.

import type { JsonObject } from '../json.ts';
import type { Profile } from '../kinds.ts';
import type { Draft } from '../stored-object.ts';
import type { Drafting } from './drafting.ts';
import { count, numbered, type Shape } from './shape.ts';
import { type Networks, pairs, type Vpc } from './vpcs.ts';

export function gateways(shape: Shape, networks: Networks, profile: Profile, draft: Drafting): Draft[] {
  const groups = count(shape.gatewayGroups).map((n) =>
    n === 1 ? 'default' : numbered('gwgr', n, shape.gatewayGroups),
  );
  const together = networks.vpcs.filter(({ ipv4Namespace }) => ipv4Namespace === 'default');
  // Before 26.01 the same kind was called Peering.
  const peeringKind = profile === 'v0.112' ? 'Peering' : 'GatewayPeering';
  const peering = (a: string, exposeA: JsonObject, b: string, exposeB: JsonObject, index: number): Draft =>
    draft(peeringKind, `${a}--${b}`, {
      gatewayGroup: groups[index % groups.length] ?? 'default',
      peering: { [a]: { expose: [exposeA] }, [b]: { expose: [exposeB] } },
    });
  return [
    ...groups.map((name) => draft('GatewayGroup', name, {})),
    ...count(shape.gateways).map((n) => gatewayDraft(shape, groups, n, draft)),
    ...pairs(together, shape.gatewayPeerings.betweenVpcs, 2).map(([a, b], index) =>
      peering(a.name, exposing(a), b.name, exposing(b), index),
    ),
    ...count(shape.gatewayPeerings.toExternals).map((n) => {
      const vpc = together.at(-n);
      const external = networks.externals[(n - 1) % networks.externals.length];
      if (!vpc || external === undefined) throw new Error('a shape with gateway peerings has VPCs and externals');
      const masqueraded = { ...exposing(vpc), nat: { masquerade: { idleTimeout: '5m0s' } } };
      return peering(vpc.name, masqueraded, `ext.${external}`, { default: true }, n);
    }),
  ];
}

const exposing = (vpc: Vpc): JsonObject => ({ ips: vpc.subnets.map(({ cidr }) => ({ cidr })) });

function gatewayDraft(shape: Shape, groups: readonly string[], n: number, draft: Drafting): Draft {
  const interfaces = Object.fromEntries(
    count(shape.spinesPerGateway).map((port) => [
      `enp2s${port}`,
      { ips: [`172.30.${200 + n}.${port * 2}/31`], mtu: 9216 },
    ]),
  );
  return draft('Gateway', `gateway-${n}`, {
    asn: 65534,
    groups: groups.map((name) => ({ name, priority: 100 - n })),
    interfaces,
    logs: { default: 'info' },
    neighbors: count(shape.spinesPerGateway).map((port) => ({
      asn: 65100,
      ip: `172.30.${200 + n}.${port * 2 + 1}`,
      source: `enp2s${port}`,
    })),
    protocolIP: `172.30.8.${200 + n}/32`,
    vtepIP: `172.30.12.${200 + n}/32`,
    vtepMAC: `ca:fe:ba:be:00:${n.toString(16).padStart(2, '0')}`,
    workers: 4,
  });
}
