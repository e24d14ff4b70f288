// Switches, servers and the cables between them.
//
//   W1. A port carries one cable: ports are handed out in order, and broken out where the shape says so.
//   W2. Labels are as the controller writes them; addresses and ASNs as the product's planner fills them in.

import type { JsonObject } from '../json.ts';
import type { Draft } from '../stored-object.ts';
import { type Drafting, label, listLabels } from './drafting.ts';
import { Ports } from './ports.ts';
import { count, numbered, type Shape } from './shape.ts';

/** A server's cable, for attachments. */
export interface ServerConnection {
  readonly name: string;
  readonly server: string;
  readonly leaves: readonly string[];
}

export interface ExternalLink {
  readonly connection: string;
  readonly leaf: string;
  readonly external: string;
}

export interface Wiring {
  readonly drafts: readonly Draft[];
  readonly switches: readonly string[];
  readonly servers: readonly ServerConnection[];
  readonly externalLinks: readonly ExternalLink[];
  readonly pairs: readonly string[];
}

export const vlanNamespaces = (shape: Shape): string[] =>
  count(shape.vlanNamespaces).map((n) => (n === 1 ? 'default' : numbered('vlanns', n, shape.vlanNamespaces)));

export function wire(shape: Shape, draft: Drafting): Wiring {
  const spines = count(shape.spines).map((n) => numbered('spine', n, shape.spines));
  const leaves = count(shape.leaves).map((n) => numbered('leaf', n, shape.leaves));
  const pairs = count(shape.pairs).map((n) => `eslag-${n}`);
  const ports = new Ports();
  const { eslag, unbundled, bundled } = shape.servers;
  const total = eslag + unbundled + bundled;
  const connections: Draft[] = [];
  const servers: ServerConnection[] = [];

  const cable = (name: string, type: string, spec: JsonObject, ends: readonly string[], server?: string) => {
    const labels = {
      ...label('connection-type', type),
      ...listLabels('switch', ends),
      ...(server !== undefined && listLabels('server', [server])),
    };
    connections.push(draft('Connection', name, spec, { labels }));
    if (server !== undefined) servers.push({ name, server, leaves: ends });
  };
  const serverLink = (server: string, nic: number, leaf: string): JsonObject => ({
    server: { port: `${server}/enp2s${nic}` },
    switch: { port: ports.take(leaf, shape.leafServerBreakout) },
  });

  for (const n of count(eslag)) {
    const server = numbered('server', n, total);
    const first = ((n - 1) % shape.pairs) * 2;
    const pair = leaves.slice(first, first + 2);
    const links = pair.map((leaf, index) => serverLink(server, index + 1, leaf));
    cable(`${server}--eslag--${pair.join('--')}`, 'eslag', { eslag: { links } }, pair, server);
  }
  for (const n of count(unbundled)) {
    const server = numbered('server', eslag + n, total);
    const leaf = leaves[(n - 1) % leaves.length] ?? '';
    cable(
      `${server}--unbundled--${leaf}`,
      'unbundled',
      { unbundled: { link: serverLink(server, 1, leaf) } },
      [leaf],
      server,
    );
  }
  for (const n of count(bundled)) {
    const server = numbered('server', eslag + unbundled + n, total);
    const leaf = leaves[(n - 1) % leaves.length] ?? '';
    const links = [serverLink(server, 1, leaf), serverLink(server, 2, leaf)];
    cable(`${server}--bundled--${leaf}`, 'bundled', { bundled: { links } }, [leaf], server);
  }

  let linkAddress = 0;
  const address = () => `172.30.${128 + (linkAddress >> 8)}.${linkAddress++ & 255}/31`;
  for (const spine of spines) {
    for (const leaf of leaves) {
      const links = count(2).map(() => ({
        leaf: { ip: address(), port: ports.take(leaf, shape.leafFabricBreakout) },
        spine: { ip: address(), port: ports.take(spine, shape.spineBreakout) },
      }));
      cable(`${spine}--fabric--${leaf}`, 'fabric', { fabric: { links } }, [spine, leaf]);
    }
  }
  for (const n of count(shape.gateways)) {
    const first = ((n - 1) * shape.spinesPerGateway) % Math.max(1, spines.length);
    for (const [index, spine] of spines.slice(first, first + shape.spinesPerGateway).entries()) {
      const gateway = `gateway-${n}`;
      const link = {
        gateway: { ip: address(), port: `${gateway}/enp2s${index + 1}` },
        switch: { ip: address(), port: ports.take(spine, shape.spineBreakout) },
      };
      cable(`${spine}--gateway--${gateway}`, 'gateway', { gateway: { links: [link] } }, [spine]);
    }
  }

  const externalLinks: ExternalLink[] = [];
  const borders = shape.borderLeaves > 0 ? leaves.slice(-shape.borderLeaves) : [];
  for (const leaf of borders) {
    for (const n of count(shape.externals)) {
      const external = numbered('ext', n, shape.externals);
      const connection = `${leaf}--external--${external}`;
      cable(connection, 'external', { external: { link: { switch: { port: ports.take(leaf, null) } } } }, [leaf]);
      externalLinks.push({ connection, leaf, external });
    }
  }

  const groups = [...pairs, ...(shape.spines > 0 ? ['empty'] : [])];
  const drafts = [
    ...vlanNamespaces(shape).map((name, index) =>
      draft('VLANNamespace', name, { ranges: [index === 0 ? { from: 1000, to: 2999 } : { from: 3000, to: 3999 }] }),
    ),
    ...groups.map((name) => draft('SwitchGroup', name, {})),
    ...spines.map((name, index) =>
      switchDraft(shape, draft, ports, { name, number: index + 1, role: 'spine', pair: null }),
    ),
    ...leaves.map((name, index) =>
      switchDraft(shape, draft, ports, {
        name,
        number: index + 1,
        role: borders.includes(name) ? 'border-leaf' : 'server-leaf',
        pair: pairs[Math.floor(index / 2)] ?? null,
      }),
    ),
    ...servers.map(({ server, leaves: ends }) =>
      draft('Server', server, { description: `${server} at ${ends.join(' and ')}` }),
    ),
    ...connections,
  ];
  return { drafts, switches: [...spines, ...leaves], servers, externalLinks, pairs };
}

function switchDraft(
  shape: Shape,
  draft: Drafting,
  ports: Ports,
  place: { name: string; number: number; role: 'spine' | 'server-leaf' | 'border-leaf'; pair: string | null },
): Draft {
  const { name, number, role, pair } = place;
  const spine = role === 'spine';
  const index = spine ? number : shape.spines + number;
  const profile = spine ? shape.spineProfile : shape.leafProfile;
  const portBreakouts = ports.breakouts(name);
  const namespaces = spine ? [] : vlanNamespaces(shape);
  const spec: JsonObject = {
    asn: spine ? 65100 : 65100 + number,
    boot: { mac: `0c:20:12:ff:${index.toString(16).padStart(2, '0')}:00`, serial: `HH${String(100000 + index)}` },
    description: name,
    ...(pair !== null && { groups: [pair] }),
    ip: `172.30.0.${7 + index}/21`,
    ...(Object.keys(portBreakouts).length > 0 && { portBreakouts }),
    profile,
    protocolIP: `172.30.8.${1 + index}/32`,
    redundancy: pair === null ? {} : { group: pair, type: 'eslag' },
    role,
    ...(!spine && { vlanNamespaces: namespaces, vtepIP: `172.30.12.${number}/32` }),
  };
  const labels = {
    ...label('profile', profile),
    ...(pair !== null && listLabels('switchgroup', [pair])),
    ...listLabels('vlanns', namespaces),
  };
  return draft('Switch', name, spec, { labels });
}
