// How long after their due times this daemon began its last runs.

import type { LatenessDocument } from './documents.ts';

const runsMax = 1_000;
const boundsMs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000] as const;

export class Lateness {
  /** A ring: the oldest gives way. */
  readonly #lateMs: number[] = [];
  #next = 0;

  /** @param lateMs below zero where two clocks differ: that is not late */
  add(lateMs: number): void {
    this.#lateMs[this.#next] = Math.max(0, lateMs);
    this.#next = (this.#next + 1) % runsMax;
  }

  document(): LatenessDocument {
    const sorted = this.#lateMs.toSorted((one, other) => one - other);
    // Nearest rank: a value that was measured, never one in between.
    const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
    return {
      runs: sorted.length,
      p50_ms: rank(0.5),
      p99_ms: rank(0.99),
      max_ms: sorted.at(-1) ?? null,
      buckets: [0, ...boundsMs].map((from_ms, at) => {
        const to_ms = boundsMs[at] ?? null;
        const runs = sorted.filter((ms) => ms >= from_ms && (to_ms === null || ms < to_ms)).length;
        return { from_ms, to_ms, runs };
      }),
    };
  }
}
