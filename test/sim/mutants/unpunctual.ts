// Bugs by which a fabric is synced at another time than was promised.

import type { NextDue } from '../../../src/ports/store.ts';
import type { Ports } from '../daemon.ts';
import type { Mutant } from './mutant.ts';
import { storeWith, timersWith, withoutSweep } from './ports-with.ts';

/** Commits promise another next time. */
const promising = (ports: Ports, change: (next: NextDue) => NextDue): Ports =>
  storeWith(ports, {
    commit: (request, signal, onFenced) => {
      const next = request.next && change(request.next);
      return ports.store.commit(Object.create(request, { next: { value: next, enumerable: true } }), signal, onFenced);
    },
  });

const threeMinutesMs = 180_000;

export const unpunctual: readonly Mutant[] = [
  {
    name: 'no next due time',
    breaks: 'a run commits and the fabric is never due again',
    firstSeed: 1,
    shows: ['a', 'i'],
    mutate: (ports) =>
      withoutSweep(
        storeWith(ports, {
          commit: (request, signal, onFenced) => ports.store.commit({ ...request, next: null }, signal, onFenced),
        }),
      ),
  },
  {
    name: 'each next due time is three minutes late',
    breaks: 'a fabric is synced less often than was set',
    firstSeed: 1,
    shows: ['i'],
    mutate: (ports) => promising(ports, (next) => ({ ...next, dueAtMs: next.dueAtMs + threeMinutesMs })),
  },
  {
    name: 'each next tick is three minutes late',
    breaks: 'the phase drifts, and the due time with it',
    firstSeed: 1,
    shows: ['i'],
    mutate: (ports) =>
      promising(ports, (next) => ({
        ...next,
        tickMs: next.tickMs + threeMinutesMs,
        dueAtMs: next.dueAtMs + threeMinutesMs,
      })),
  },
  {
    name: 'the next tick is counted from now',
    breaks: 'the phase moves by the length of each run',
    firstSeed: 1,
    shows: ['i'],
    mutate: (ports, _, process) =>
      promising(ports, (next) => {
        const tickMs = process.clock.nowMs() + next.intervalMs;
        return { ...next, tickMs, dueAtMs: tickMs };
      }),
  },
  {
    name: 'a timer is dropped when it is claimed first',
    breaks: 'what is due waits until it shows again, though nothing is in its way',
    firstSeed: 1,
    shows: ['i'],
    mutate: (ports) => {
      const dropped = new Set<string>();
      return timersWith(ports, {
        async claimDue(request) {
          const claimed = await ports.timers.claimDue(request);
          return claimed.filter(({ fabricId, dueAtMs }) => {
            const name = `${fabricId} ${dueAtMs}`;
            return dropped.has(name) || !dropped.add(name);
          });
        },
      });
    },
  },
];
