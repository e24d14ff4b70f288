// Objects at the edges of what is allowed, for whoever reads a fabric to be tried with.

import type { JsonObject } from '../json.ts';
import type { ClusterStore } from '../store.ts';
import type { StoredObject } from '../stored-object.ts';
import { drafting, label } from './drafting.ts';
import { count } from './shape.ts';

/** A name as long as Kubernetes allows: 253 characters, in labels with dots between. */
export const longestName: string = ['a'.repeat(63), 'b'.repeat(63), 'c'.repeat(63), 'd'.repeat(61)].join('.');

export type Extra =
  /** A Server with the longest name. */
  | 'longest_name'
  /** A VPC with 20 subnets and DHCP options: some 8 KB. */
  | 'broad_vpc'
  /** A Connection with 16 fabric links. */
  | 'broad_connection'
  /** An object whose last-applied annotation alone is 200 KB. */
  | 'large_annotation'
  /** An object of about 900 KB. */
  | 'large_object'
  /** Strings and keys that are legal and awkward: quotes, line ends, emoji, right-to-left, an empty key. */
  | 'awkward_text';

/** Adds one of them. */
export function addExtra(store: ClusterStore, extra: Extra): StoredObject {
  const draft = drafting((name) => store.kind(name));
  switch (extra) {
    case 'longest_name':
      return store.create(draft('Server', longestName, { description: 'the longest name' }));
    case 'broad_vpc':
      return store.create(
        draft(
          'VPC',
          'broad',
          {
            ipv4Namespace: 'default',
            subnets: Object.fromEntries(count(20).map(broadSubnet)),
            vlanNamespace: 'default',
          },
          { labels: { ...label('ipv4ns', 'default'), ...label('vlanns', 'default') } },
        ),
      );
    case 'broad_connection': {
      const links = count(16).map((n) => ({
        leaf: { ip: `172.30.250.${n * 2}/31`, port: `leaf-01/E1/${40 + n}` },
        spine: { ip: `172.30.250.${n * 2 + 1}/31`, port: `spine-01/E1/${40 + n}` },
      }));
      return store.create(
        draft(
          'Connection',
          'spine-01--fabric--leaf-01--broad',
          { fabric: { links } },
          { labels: label('connection-type', 'fabric') },
        ),
      );
    }
    case 'large_annotation':
      return store.create(
        draft(
          'Server',
          'large-annotation',
          { description: 'carries 200 KB of history' },
          { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'x'.repeat(200_000) } },
        ),
      );
    case 'large_object':
      // Twice: in the spec and again in the last-applied annotation.
      return store.create(draft('Server', 'large-object', { description: 'x'.repeat(450_000) }));
    case 'awkward_text':
      return store.create(
        draft(
          'Server',
          'awkward-text',
          {
            description:
              'quotes " \' `, a line\nend, a tab\t, a backslash \\, 🧵, \u202Eright to left, \u0085 and \u2028',
          },
          { annotations: { 'example.com/empty': '', 'example.com/json': '{"not":"parsed"}' } },
        ),
      );
  }
}

function broadSubnet(n: number): [string, JsonObject] {
  const stem = `10.9.${n}`;
  return [
    `subnet-${n}`,
    {
      dhcp: {
        enable: true,
        options: {
          advertisedRoutes: [{ destination: '10.100.0.0/16', gateway: `${stem}.1` }],
          dnsServers: ['1.1.1.1', '8.8.8.8'],
          interfaceMTU: 9036,
          leaseTimeSeconds: 3600,
          pxeURL: 'http://pxe.example.com/boot.ipxe',
          timeServers: ['time.example.com'],
        },
        range: { end: `${stem}.254`, start: `${stem}.10` },
      },
      gateway: `${stem}.1`,
      subnet: `${stem}.0/24`,
      vlan: 2000 + n,
    },
  ];
}
