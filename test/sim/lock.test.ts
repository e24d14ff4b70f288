// The lock may slip: redlock over nodes that forget does (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html),
// and a process that stands still trusts what nobody holds for it any more. What keeps the rows true then is the epoch.

import { describe, expect, test } from 'vitest';
import type { Lease } from '../../src/ports/lock.ts';
import { cutScenario, noCut } from './cut.ts';
import type { Mutate } from './daemon.ts';
import { type PlannedEvent, type Scenario, scenarioOf } from './scenario.ts';
import { simulate } from './simulate.ts';

/** Two daemons, one fabric, three nodes, and what is done to them. */
function scenario(nodes: number, events: readonly PlannedEvent[]): Scenario {
  return {
    seed: 7,
    daemons: 2,
    fabrics: [{ fabricId: '1', intervalMs: 60_000, sizes: [5, 5, 5], atStart: true }],
    stormMs: 200_000,
    events,
    last: null,
    env: { FABRIC_SYNCD_LEASE_TTL: '5s', FABRIC_SYNCD_SWEEP_INTERVAL: '5s' },
    redis: { nodes, apart: true },
  };
}

describe.each([1, 3, 5])('%i nodes that forget in the middle of a run', (nodes) => {
  test('give the lock away twice, and the second one does not run', async () => {
    const outcome = await simulate(scenario(nodes, [{ atMs: 70_000, what: 'lock lost', fabric: 0 }]));
    expect(outcome.violation).toBeNull();
    expect(outcome.slips).toBeGreaterThan(0);
    expect(outcome.story.join('\n')).toContain('the lock slipped');
  });
});

test('a minority of nodes that forgets in the middle of a run gives nothing away', async () => {
  const slow = { what: 'fabric', fabric: 0, trouble: { what: 'is slow', ms: 1_000 }, ms: 60_000 } as const;
  const asked = { what: 'operator', fabric: 0, act: 'trigger', ms: 0 } as const;
  const outcome = await simulate(
    scenario(3, [
      { atMs: 70_000, ...slow },
      { atMs: 70_100, ...asked },
      { atMs: 71_000, what: 'lock node', node: 1, how: 'forget' },
      { atMs: 71_001, ...asked },
      { atMs: 71_500, what: 'lock node', node: 2, how: 'late', lateMs: 300, ms: 1_000 },
    ]),
  );
  expect(outcome.violation).toBeNull();
  expect(outcome.slips).toBe(0);
  expect(outcome.commits).toBeGreaterThan(1);
});

describe('a lock that grants everything to everybody, for ever', () => {
  const liar: Mutate = (ports, _, process) => {
    const lease = (fabricId: string): Lease => ({
      fabricId,
      trustedUntilMs: process.clock.monotonicMs() + ports.config.leaseTtlMs,
    });
    return {
      ...ports,
      lock: {
        acquire: async (fabricId) => ({ kind: 'acquired', lease: lease(fabricId) }),
        renew: async ({ fabricId }) => lease(fabricId),
        release: async () => {},
      },
    };
  };

  test('breaks nothing but its own promise', { timeout: 60_000 }, async () => {
    let slips = 0;
    for (const seed of [1, 5, 18, 37, 47, 97]) {
      const shorter = cutScenario(scenarioOf(seed), { ...noCut, stormMs: 10 * 60_000 });
      const outcome = await simulate(shorter, { mutate: liar, except: ['l'] });
      expect(outcome.violation).toBeNull();
      slips += outcome.slips;
    }
    expect(slips).toBeGreaterThan(0);
  });
});
