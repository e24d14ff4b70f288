import { expect, test } from 'vitest';
import { createPlanner } from '../../src/fleet/planner.ts';
import type { RememberedPlan } from '../../src/ports/store.ts';
import { sampleRow } from '../inspector/sample.ts';
import { handClock } from '../support/hand-clock.ts';

const unread = { fabric: async () => null, fabrics: async () => [] };

const added = (fabricId: string, createdMs: number) =>
  sampleRow({
    fabricId,
    createdMs,
    state: 'idle',
    lastSyncMs: null,
    dueAtMs: null,
    dueKind: null,
    tickMs: null,
    tickIntervalMs: null,
  });

test('a thousand fabrics that wait at the start are spread out, though the fleet is still empty then', async () => {
  const clock = handClock();
  const remembered: RememberedPlan[] = [];
  const planner = createPlanner(
    {
      async remember(plans) {
        remembered.push(...plans);
        return plans.map(({ row }) => row.fabricId);
      },
      ...unread,
    },
    clock,
    () => 0,
  );
  const rows = Array.from({ length: 1_000 }, (_, n) => added(String(n + 1), clock.nowMs()));

  const planned = await planner.remember(rows);

  const due = planned.flatMap(({ plan }) => (plan.state === 'idle' ? [] : [plan.dueAtMs]));
  expect(remembered.map(({ plan }) => plan)).toEqual(planned.map(({ plan }) => plan));
  const inOneSecond = (fromMs: number) => due.filter((ms) => ms >= fromMs && ms < fromMs + 1_000).length;
  // 30 ms each: about thirty a second, and never many more.
  expect(Math.max(...due.map(inOneSecond))).toBeLessThan(70);
  expect(Math.max(...due) - Math.min(...due)).toBeGreaterThan(29_000);
});

test('a single fabric waits for nobody', async () => {
  const clock = handClock();
  const planner = createPlanner({ remember: async () => ['7'], ...unread }, clock, () => 0);
  const [planned] = await planner.remember([added('7', clock.nowMs())]);
  expect(planned?.plan).toMatchObject({ dueAtMs: clock.nowMs() + 5_000 });
});

test('a row that moved while it was planned is planned anew, once, as it is now', async () => {
  const clock = handClock();
  const dueAtMs = clock.nowMs() + 1_234;
  const moved = { ...added('7', clock.nowMs()), state: 'scheduled', dueKind: 'sync', tickIntervalMs: 60_000 } as const;
  const store = { remember: async () => [], fabric: async () => ({ ...moved, dueAtMs }), fabrics: async () => [] };
  const planner = createPlanner(store, clock, () => 0);
  expect(await planner.remember([added('7', clock.nowMs())])).toMatchObject([{ row: { dueAtMs }, plan: { dueAtMs } }]);
});

test('of many rows that moved, those that are gone are left out and all others are read at once', async () => {
  const clock = handClock();
  const rows = Array.from({ length: 30 }, (_, n) => added(String(n + 1), clock.nowMs()));
  const store = { remember: async () => ['1'], fabric: () => Promise.reject(), fabrics: async () => rows.slice(0, 29) };
  const planned = await createPlanner(store, clock, () => 0).remember(rows);
  expect(planned.map(({ row }) => row.fabricId).sort()).toEqual(
    rows
      .slice(0, 29)
      .map((row) => row.fabricId)
      .sort(),
  );
});
