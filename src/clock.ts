// The one file that reads a clock or sleeps on one.
//
//   C1. Two hands: `nowMs` is what others will read and may jump; `monotonicMs` measures and only grows.
//   C2. No single Node timer is longer than `timerMsMax`: past 2^31-1 ms Node fires at once.

import { setTimeout as delay } from 'node:timers/promises';

/** The longest single Node timer; a longer wait sleeps again. */
export const timerMsMax = 60 * 60_000;

export interface Clock {
  /** Wall time, epoch milliseconds. */
  nowMs(): number;
  /** Milliseconds from some fixed point; never goes back. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason if it is aborted first. Any length. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms` (any length) unless the returned function is called first. */
  after(ms: number, act: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    try {
      for (let left = ms; left > 0; left -= timerMsMax) {
        await delay(Math.min(left, timerMsMax), undefined, signal ? { signal } : {});
      }
    } finally {
      // Node's own error would hide the reason.
      signal?.throwIfAborted();
    }
  },
  after(ms, act) {
    let timer: NodeJS.Timeout;
    const step = (left: number) => {
      timer = setTimeout(() => (left > timerMsMax ? step(left - timerMsMax) : act()), Math.min(left, timerMsMax));
    };
    step(Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};

/** The machine's own monotonic clock (CLOCK_MONOTONIC), in microseconds: what systemd compares with its own. */
export const machineUsec = (): bigint => process.hrtime.bigint() / 1_000n;

/** Epoch milliseconds as RFC 3339 in UTC, with milliseconds. */
export const formatIso = (ms: number): string => new Date(ms).toISOString();
