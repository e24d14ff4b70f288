// A clock that moves only when a test moves it.

import type { Clock } from '../../src/clock.ts';

export interface HandClock extends Clock {
  /** Moves on by `ms`, and makes every call that falls due on the way, in its order and at its time. */
  advance(ms: number): void;
}

/** @param startMs epoch milliseconds */
export function handClock(startMs: number = Date.UTC(2026, 0, 2)): HandClock {
  let passedMs = 0;
  const calls = new Map<number, { readonly atMs: number; readonly act: () => void }>();
  let nextId = 1;
  const after = (ms: number, act: () => void) => {
    const id = nextId++;
    calls.set(id, { atMs: passedMs + Math.max(0, ms), act });
    return () => {
      calls.delete(id);
    };
  };
  return {
    nowMs: () => startMs + passedMs,
    monotonicMs: () => passedMs,
    after,
    sleep(ms, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const cancel = after(ms, resolve);
      signal?.addEventListener('abort', () => {
        cancel();
        reject(signal.reason);
      });
      return promise;
    },
    advance(ms) {
      const untilMs = passedMs + ms;
      for (;;) {
        let due: [number, { readonly atMs: number; readonly act: () => void }] | null = null;
        for (const entry of calls) if (entry[1].atMs <= untilMs && (!due || entry[1].atMs < due[1].atMs)) due = entry;
        if (!due) break;
        calls.delete(due[0]);
        passedMs = due[1].atMs;
        due[1].act();
      }
      passedMs = untilMs;
    },
  };
}
