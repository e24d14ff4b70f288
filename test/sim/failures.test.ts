// Every failure of the table in which a fabric has a part is met in the simulator, and storms ask for each of them.

import { expect, test } from 'vitest';
import { type FailureCode, verdictByCode } from '../../machines/fabric/failure.ts';
import type { Trouble } from './fabric.ts';
import { type PlannedEvent, scenarioOf, troubleCodes } from './scenario.ts';
import { simulate } from './simulate.ts';

/** Of our own making, or our servers': no fabric can be seen failing with these. */
const notOfAFabric: Partial<Record<FailureCode, string>> = {
  INTERRUPTED: 'a daemon was killed in the middle of a run',
  LEASE_LOST: 'the lock forgot, or the daemon stood still',
  LEASE_CONTENDED: 'no run begins, so none fails',
  FENCE_STALE: 'another run took over',
  CANCELLED: 'a person stopped the run',
  SHUTDOWN: 'the daemon was stopped',
  DATABASE_UNAVAILABLE: 'Postgres was away',
  DATABASE_REFUSED: 'the rows in memory refuse nothing; test/ports makes the real ones do so',
  REDIS_UNAVAILABLE: 'the daemon goes on without it: no run fails',
  INTERNAL: 'a defect: the checker tells the first that is seen (n)',
  PORT_UNBOUND: 'a defect: the checker tells the first that is seen (n)',
};

const troubles: readonly Trouble[] = [
  ...[...new Set(troubleCodes)].map((code): Trouble => ({ what: 'fails', code })),
  { what: 'fails', code: 'THROTTLED', retryAfterMs: 3_000 },
  { what: 'forbidden', kind: null },
  { what: 'not served', kind: null },
  { what: 'expires' },
  { what: 'hangs' },
  // Each request within its own deadline, the run not within its.
  { what: 'is slow', ms: 12_000 },
];

test('a fabric is seen failing in every way of the table', { timeout: 60_000 }, async () => {
  const eachMs = 100_000;
  const asked = { what: 'operator', fabric: 0, act: 'trigger', ms: 0 } as const;
  const events: PlannedEvent[] = troubles.flatMap((trouble, at): PlannedEvent[] => [
    { atMs: 20_000 + at * eachMs, what: 'fabric', fabric: 0, trouble, ms: eachMs - 20_000 },
    { atMs: 22_000 + at * eachMs, ...asked },
  ]);
  const afterMs = 20_000 + troubles.length * eachMs;
  for (const [at, by] of (['address', 'credential'] as const).entries()) {
    const atMs = afterMs + at * 40_000;
    events.push({ atMs, what: 'misled', fabric: 0, by, ms: 20_000 }, { atMs: atMs + 1_000, ...asked });
  }
  events.push({ atMs: afterMs + 80_000, what: 'another cluster', fabric: 0 }, { atMs: afterMs + 81_000, ...asked });
  const { violation, failures } = await simulate({
    ...scenarioOf(1),
    daemons: 1,
    fabrics: [{ fabricId: '1', intervalMs: 3_600_000, sizes: [5, 5, 5], atStart: true }],
    stormMs: afterMs + 100_000,
    events,
    env: { FABRIC_SYNCD_PAGE_LIMIT: '3', FABRIC_SYNCD_RUN_DEADLINE: '30s' },
    redis: { nodes: 1, apart: false },
    last: null,
  });
  expect(violation).toBeNull();
  const ofAFabric = Object.keys(verdictByCode).filter((code) => !Object.hasOwn(notOfAFabric, code));
  expect(Object.keys(failures).filter((code) => !Object.hasOwn(notOfAFabric, code))).toEqual(
    expect.arrayContaining(ofAFabric),
  );
});

test('the storms of seeds ask for each of these ways', () => {
  const ways = new Set<string>();
  for (let seed = 1; seed <= 400; seed++) {
    for (const event of scenarioOf(seed).events) {
      if (event.what === 'misled') ways.add(`misled by ${event.by}`);
      if (event.what === 'another cluster') ways.add(event.what);
      if (event.what !== 'fabric') continue;
      const { trouble } = event;
      if (trouble.what === 'fails') ways.add(trouble.code);
      else ways.add('kind' in trouble ? `${trouble.what} ${trouble.kind === null ? 'at all' : 'one'}` : trouble.what);
    }
  }
  const wanted = ['forbidden at all', 'not served at all', 'expires', 'hangs', 'is slow', 'another cluster'];
  const mistakes = ['misled by address', 'misled by credential'];
  expect([...ways]).toEqual(expect.arrayContaining([...troubleCodes, 'THROTTLED', ...wanted, ...mistakes]));
});
