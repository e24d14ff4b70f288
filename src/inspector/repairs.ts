// What the sweep of this daemon found to mend since it started.

import { formatIso } from '../clock.ts';
import type { SweepFindings } from '../fleet/sweep.ts';
import type { RepairsDocument } from './documents.ts';

const lastMax = 50;

export class Repairs {
  readonly #since: string;
  readonly #sum = { passes: 0, rearmed: 0, cancelled: 0, interrupted: 0, resumed: 0 };
  /** The newest first. */
  readonly #last: RepairsDocument['last'][number][] = [];

  constructor(nowMs: number) {
    this.#since = formatIso(nowMs);
  }

  add({ rearmed, cancelled, interrupted, resumed }: SweepFindings, why: string, nowMs: number): void {
    this.#sum.passes += 1;
    // At the start every timer is armed: that is no repair.
    const found =
      why === 'start'
        ? { rearmed: 0, cancelled: 0, interrupted, resumed }
        : { rearmed, cancelled, interrupted, resumed };
    let mended = 0;
    for (const key of ['rearmed', 'cancelled', 'interrupted', 'resumed'] as const) {
      this.#sum[key] += found[key];
      mended += found[key];
    }
    if (mended === 0) return;
    this.#last.unshift({ at: formatIso(nowMs), why, ...found });
    this.#last.length = Math.min(this.#last.length, lastMax);
  }

  document(): RepairsDocument {
    return { since: this.#since, ...this.#sum, last: [...this.#last] };
  }
}
