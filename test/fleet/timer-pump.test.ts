import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { MemoryTimers } from '../../src/fleet/memory-timers.ts';
import { Slots } from '../../src/fleet/slots.ts';
import { TimerPump } from '../../src/fleet/timer-pump.ts';
import type { Timer } from '../../src/ports/timers.ts';
import { handClock } from '../support/hand-clock.ts';

let stop = async () => {};
afterEach(() => stop());

/** A pump over timers in memory; each delivered fabric keeps its slot until the test releases it. */
async function pumping(capacity: number, due: readonly string[]) {
  const clock = handClock();
  const timers = new MemoryTimers();
  const slots = new Slots(capacity);
  let asked = 0;
  const delivered: string[] = [];
  const claimDue = timers.claimDue.bind(timers);
  timers.claimDue = (request) => {
    asked += 1;
    return claimDue(request);
  };
  for (const fabricId of due) await timers.arm(timerOf(fabricId, clock.nowMs()));
  const pump = new TimerPump({
    timers,
    slots,
    clock,
    holdMs: 30_000,
    deliver({ fabricId }) {
      slots.ask(fabricId, 'periodic', () => delivered.push(fabricId));
      return true;
    },
    onTrouble(cause) {
      throw cause;
    },
  });
  stop = () => pump.stop();
  await pump.start();
  await rest();
  return { slots, delivered, asked: () => asked };
}

const timerOf = (fabricId: string, dueAtMs: number): Timer => ({ fabricId, kind: 'sync', dueAtMs, traceparent: null });

/** Until nothing is left to do but to wait for the clock. */
async function rest(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await turn();
}

test('the end of a run asks the store nothing while there was room for more', async () => {
  const { slots, delivered, asked } = await pumping(10, ['1']);
  expect(delivered).toEqual(['1']);
  const before = asked();
  slots.release('1');
  await rest();
  expect(asked()).toBe(before);
});

test('what is due while every slot is taken is claimed as soon as one is free', async () => {
  const { slots, delivered } = await pumping(1, ['1', '2']);
  expect(delivered).toHaveLength(1);
  slots.release(delivered[0] ?? '');
  await rest();
  expect(delivered.toSorted()).toEqual(['1', '2']);
});
