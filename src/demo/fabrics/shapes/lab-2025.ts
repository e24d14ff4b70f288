// The laboratory as it was in 2025, 48 objects with kinds of cables that the product has dropped since: MCLAG, its domain
// links, and VPC loopbacks. A current controller would refuse to create them, and yet they may lie in an old cluster.

import type { JsonObject } from '../json.ts';
import type { Draft } from '../stored-object.ts';
import { type Drafting, label, listLabels } from './drafting.ts';
import { Ports } from './ports.ts';
import { count, numbered } from './shape.ts';

const spines = ['spine-01', 'spine-02'];
const leaves = count(5).map((n) => numbered('leaf', n, 5));
const groups = ['eslag-1', 'empty', 'mclag-1'];

export function lab2025(draft: Drafting): Draft[] {
  const ports = new Ports();
  const connections: Draft[] = [];
  const cable = (name: string, type: string, spec: JsonObject, switches: readonly string[], server?: string) => {
    const servers = server === undefined ? [] : [server];
    const labels = {
      ...label('connection-type', type),
      ...listLabels('switch', switches),
      ...listLabels('server', servers),
    };
    connections.push(draft('Connection', name, spec, { labels }));
  };
  const between = (a: string, b: string): JsonObject => ({
    switch1: { port: ports.take(a, null) },
    switch2: { port: ports.take(b, null) },
  });
  const toServer = (server: string, ends: readonly string[]): JsonObject[] =>
    ends.map((leaf, index) => ({
      server: { port: `${server}/enp2s${index + 1}` },
      switch: { port: ports.take(leaf, null) },
    }));
  const servers = count(10).map((n) => numbered('server', n, 10));

  for (const spine of spines) {
    for (const leaf of leaves) {
      const links = count(2).map(() => ({
        leaf: { port: ports.take(leaf, null) },
        spine: { port: ports.take(spine, null) },
      }));
      cable(`${spine}--fabric--${leaf}`, 'fabric', { fabric: { links } }, [spine, leaf]);
    }
  }
  const domain = {
    peerLinks: count(2).map(() => between('leaf-01', 'leaf-02')),
    sessionLinks: count(2).map(() => between('leaf-01', 'leaf-02')),
  };
  cable('leaf-01--mclag-domain--leaf-02', 'mclag-domain', { mclagDomain: domain }, ['leaf-01', 'leaf-02']);
  for (const leaf of leaves) {
    cable(
      `${leaf}--vpc-loopback`,
      'vpc-loopback',
      { vpcLoopback: { links: count(2).map(() => between(leaf, leaf)) } },
      [leaf],
    );
  }
  for (const [index, server] of servers.entries()) {
    if (index < 4) {
      const [type, ends] =
        index < 2 ? (['mclag', ['leaf-01', 'leaf-02']] as const) : (['eslag', ['leaf-03', 'leaf-04']] as const);
      cable(
        `${server}--${type}--${ends.join('--')}`,
        type,
        { [type]: { links: toServer(server, ends) } },
        ends,
        server,
      );
      continue;
    }
    const leaf = leaves[index % leaves.length] ?? '';
    if (index < 7)
      cable(
        `${server}--unbundled--${leaf}`,
        'unbundled',
        { unbundled: { link: toServer(server, [leaf])[0] } },
        [leaf],
        server,
      );
    else
      cable(
        `${server}--bundled--${leaf}`,
        'bundled',
        { bundled: { links: toServer(server, [leaf, leaf]) } },
        [leaf],
        server,
      );
  }

  const vpc = (n: number): Draft =>
    draft(
      'VPC',
      `vpc-0${n}`,
      {
        ipv4Namespace: 'default',
        subnets: {
          default: { dhcp: { enable: true }, gateway: `10.0.${n}.1`, subnet: `10.0.${n}.0/24`, vlan: 1000 + n },
        },
        vlanNamespace: 'default',
      },
      { labels: { ...label('ipv4ns', 'default'), ...label('vlanns', 'default') } },
    );
  return [
    ...groups.map((name) => draft('SwitchGroup', name, {})),
    ...spines.map((name) => switchDraft(draft, name, null)),
    ...leaves.map((name) => switchDraft(draft, name, groupOf(name))),
    ...servers.map((name) => draft('Server', name, { description: name })),
    ...connections,
    vpc(1),
    vpc(2),
  ];
}

function groupOf(leaf: string): { readonly group: string; readonly type: string } | null {
  if (leaf === 'leaf-01' || leaf === 'leaf-02') return { group: 'mclag-1', type: 'mclag' };
  if (leaf === 'leaf-03' || leaf === 'leaf-04') return { group: 'eslag-1', type: 'eslag' };
  return null;
}

function switchDraft(draft: Drafting, name: string, redundancy: ReturnType<typeof groupOf>): Draft {
  const spine = name.startsWith('spine');
  return draft(
    'Switch',
    name,
    {
      boot: {},
      description: name,
      ...(redundancy && { groups: [redundancy.group] }),
      profile: 'vs',
      redundancy: redundancy ?? {},
      role: spine ? 'spine' : 'server-leaf',
      ...(!spine && { vlanNamespaces: ['default'] }),
    },
    { labels: { ...label('profile', 'vs'), ...listLabels('switchgroup', redundancy ? [redundancy.group] : []) } },
  );
}
