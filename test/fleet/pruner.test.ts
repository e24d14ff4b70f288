// The end of history, beside everything else: how much at a time, when, and what becomes of it where it fails.

import { expect, onTestFinished, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { Pruner } from '../../src/fleet/pruner.ts';
import type { Pruned, PruneMark } from '../../src/ports/store.ts';
import { handClock } from '../support/hand-clock.ts';
import { memoryDaemon, memoryPlace, pass, quiet } from '../support/memory-daemon.ts';

const hour = 60 * 60_000;
const mark: PruneMark = { step: 'runs', fabricId: '7' };

const ready = async (
  prune: (from: PruneMark | null, signal: AbortSignal) => Promise<Pruned>,
  keepMs = 30 * 24 * hour,
) => {
  const clock = handClock();
  const lines: string[] = [];
  const say = (fields: object, line: string) => void lines.push(`${line} ${JSON.stringify(fields)}`);
  const log = { debug: say, info: say, warn: say, error: say, child: () => log };
  const asked: (PruneMark | null)[] = [];
  const pruner = new Pruner({
    clock,
    log,
    keepMs,
    store: {
      prune: (keep, from, signal) => {
        expect(keep).toBe(keepMs);
        asked.push(from);
        return prune(from, signal);
      },
    },
  });
  await pruner.start();
  onTestFinished(() => pruner.stop());
  return { clock, lines, asked, pruner };
};

test('it goes on where it ended, a bounded number of pieces at a time, and is told of once', async () => {
  let left = 50;
  const { clock, lines, asked } = await ready(async () => {
    left -= 1;
    return { rows: 10, next: left > 0 ? mark : null };
  });
  await pass(clock, hour - 1, hour);
  expect(asked).toEqual([]);
  await pass(clock, 1);
  expect(asked).toEqual([null, ...Array(19).fill(mark)]);
  await pass(clock, 30_000, 30_000);
  expect(asked).toHaveLength(40);
  expect(lines).toEqual([]);
  await pass(clock, 30_000, 30_000);
  expect(asked).toHaveLength(50);
  expect(lines).toEqual(['old history was pruned {"rows":500}']);
  await pass(clock, hour - 1, hour);
  expect(asked).toHaveLength(50);
  await pass(clock, 1);
  expect(asked.at(-1)).toBeNull();
});

test('what fails is told once, and tried again from the beginning', async () => {
  let fails = true;
  const { clock, lines, asked } = await ready(async (from) => {
    if (from && fails) throw new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres is gone');
    return { rows: 1, next: from ? null : mark };
  });
  await pass(clock, 2 * hour, hour);
  expect(asked).toEqual([null, mark, null, mark]);
  expect(lines.filter((line) => line.includes('not pruned, it is tried again: Postgres is gone'))).toHaveLength(1);
  fails = false;
  await pass(clock, hour, hour);
  fails = true;
  await pass(clock, hour, hour);
  expect(lines.filter((line) => line.includes('not pruned'))).toHaveLength(2);
});

test('whoever stops it does not wait for the piece in hand: that is given up', async () => {
  const { clock, lines, asked, pruner } = await ready(
    (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
  );
  await pass(clock, hour, hour);
  expect(asked).toEqual([null]);
  await pruner.stop();
  await pass(clock, 2 * hour, hour);
  expect(asked).toEqual([null]);
  expect(lines).toEqual([]);
});

test('where history is kept for ever nothing is asked', async () => {
  const { clock, asked } = await ready(async () => ({ rows: 0, next: null }), 0);
  await pass(clock, 2 * hour, hour);
  expect(asked).toEqual([]);
});

test('a daemon whose history cannot be pruned sweeps, and is in no trouble', async () => {
  const place = memoryPlace();
  place.database.add('7');
  const daemon = memoryDaemon(place);
  await daemon.start();
  const gate = Promise.withResolvers<void>();
  place.database.before = (act) => (act === 'prune' ? gate.promise : undefined);
  await pass(place.clock, hour, 5_000);
  expect(place.database.acts).toContain('prune');
  await daemon.sweep.now('reload');
  expect(daemon.sweep.trouble).toBeNull();
  gate.reject(new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres is gone'));
  await quiet();
  expect(daemon.sweep.trouble).toBeNull();
  expect(daemon.lines.filter((line) => line.includes('not pruned'))).toHaveLength(1);
});
