// A stall of the event loop, as several readers see it.

import { performance } from 'node:perf_hooks';
import { expect, onTestFinished, test, vi } from 'vitest';
import { LoopWatch } from '../../otel/loop-watch.ts';

const stallMs = 200;
/** Below what was stalled, above what a busy machine delays a sample by. */
const stalledS = 0.15;

function stall(): void {
  const until = performance.now() + stallMs;
  while (performance.now() < until);
}

async function stalled(): Promise<LoopWatch> {
  const watch = new LoopWatch();
  onTestFinished(() => watch.stop());
  await vi.waitFor(() => expect(watch.delay).not.toBeNull());
  stall();
  await vi.waitFor(() => expect(watch.delay?.max).toBeGreaterThan(stalledS));
  return watch;
}

test('each look tells it, and for a turn after it everybody is told', async () => {
  const watch = await stalled();
  const first = watch.delay;
  expect(watch.delay?.max).toBeGreaterThanOrEqual(first?.max ?? Number.NaN);
  watch.turn();
  expect(watch.delay?.max).toBeGreaterThan(stalledS);
});

test('it is forgotten with the second turn', async () => {
  const watch = await stalled();
  const told = watch.utilization;
  expect(told).toBeGreaterThan(0);
  watch.turn();
  watch.turn();
  expect(watch.delay).toBeNull();
});
