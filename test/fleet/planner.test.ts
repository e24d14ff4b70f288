import { expect, test } from 'vitest';
import { createPlanner } from '../../src/fleet/planner.ts';
import type { RememberedPlan } from '../../src/ports/store.ts';
import { sampleRow } from '../inspector/sample.ts';
import { handClock } from '../support/hand-clock.ts';

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
        return [];
      },
    },
    clock,
    () => 0,
  );
  const rows = Array.from({ length: 1_000 }, (_, n) => added(String(n + 1), clock.nowMs()));

  const planned = await planner.remember(rows);

  const due = planned.flatMap(({ plan }) => (plan.state === 'idle' ? [] : [plan.dueAtMs]));
  expect(remembered.map(({ plan }) => plan)).toEqual(planned.map(({ plan }) => plan));
  const inOneSecond = (fromMs: number) => due.filter((ms) => ms >= fromMs && ms < fromMs + 1_000).length;
  // 20 ms each: about fifty a second, and never many more.
  expect(Math.max(...due.map(inOneSecond))).toBeLessThan(100);
  expect(Math.max(...due) - Math.min(...due)).toBeGreaterThan(19_000);
});

test('a single fabric waits for nobody', async () => {
  const clock = handClock();
  const planner = createPlanner({ remember: async () => [] }, clock, () => 0);
  const [planned] = await planner.remember([added('7', clock.nowMs())]);
  expect(planned?.plan).toMatchObject({ dueAtMs: clock.nowMs() + 5_000 });
});
