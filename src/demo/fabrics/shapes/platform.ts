// The installation itself: the objects in the namespace `fab`, and on the coming generation the Fabric kinds.

import type { Profile } from '../kinds.ts';
import { type Draft, timestamp } from '../stored-object.ts';
import type { Drafting } from './drafting.ts';
import { count, type Shape } from './shape.ts';

const releases: Readonly<Record<Profile, string>> = { 'v0.112': '25.05.0', 'v0.113+': '26.03.0', next: '26.09.0' };

/** @param nowMs epoch milliseconds */
export function platform(shape: Shape, profile: Profile, nowMs: number, draft: Drafting): Draft[] {
  const now = timestamp(nowMs);
  const condition = (type: string) => ({ lastTransitionTime: now, message: type, reason: type, status: 'True', type });
  const release = releases[profile];
  return [
    draft(
      'Fabricator',
      'default',
      {
        config: {
          control: {
            defaultUser: { password: '$5$demo$fabricator' },
            joinToken: 'demo-join-token',
            tlsSAN: ['localhost'],
          },
          fabric: { mode: 'spine-leaf' },
          registry: { mode: 'airgap' },
        },
      },
      {
        status: {
          conditions: [condition('Applied'), condition('Ready'), condition('GatewayReady')],
          lastAppliedGen: 1,
          lastAppliedTime: now,
          lastStatusCheck: now,
          release,
          versions: { fabricator: { controller: `v${release}` } },
        },
      },
    ),
    draft('ControlNode', 'control-1', {
      bootstrap: { disk: '/dev/sda' },
      external: { interface: 'enp2s0', ip: 'dhcp' },
      management: { interface: 'enp2s1', ip: '172.30.0.5/21' },
    }),
    ...count(shape.gateways).map((n) =>
      draft('FabNode', `gateway-${n}`, {
        bootstrap: { disk: '/dev/sda' },
        management: { interface: 'enp2s0', ip: `172.30.4.${n}/21` },
        roles: ['gateway'],
      }),
    ),
    ...(profile === 'next'
      ? [
          draft('Fabric', 'default', { asnEnd: 65534, asnStart: 65101, domains: { default: { spineASN: 65100 } } }),
          draft(
            'FabricController',
            'default',
            {},
            {
              status: {
                conditions: [],
                initializedVersion: `v${release}`,
                refresh: { kinds: [], passes: 1, version: `v${release}` },
              },
            },
          ),
        ]
      : []),
  ];
}
