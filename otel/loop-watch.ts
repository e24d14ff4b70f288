// How busy the event loop has been lately, for any number of readers.
//
//   LW1. A look changes nothing: a stall is told to everybody who looks within the next `turnMs`, however often others do.
//   LW2. Two measurements that overlap by half. The older one is told; at each turn it is forgotten and begun anew, so that
//        what is told is never of less than one turn (but at the start) and never of more than two.

import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** The longest that somebody who reads metrics waits between two looks, by all defaults. */
export const turnMs = 60_000;
/** How often the delay is sampled: fine enough for what delays a timer, and free (two wake-ups in 20 ms). */
const sampleMs = 20;

/** Seconds. */
export interface LoopDelay {
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface Measurement {
  readonly delay: ReturnType<typeof monitorEventLoopDelay>;
  since: EventLoopUtilization;
}

export class LoopWatch {
  #older = begin();
  #newer = begin();

  /** Forgets what is older than one turn. To be called every `turnMs`. */
  turn(): void {
    const again = this.#older;
    again.delay.reset();
    again.since = performance.eventLoopUtilization();
    this.#older = this.#newer;
    this.#newer = again;
  }

  /** Null before the first sample. */
  get delay(): LoopDelay | null {
    const { delay } = this.#older;
    if (delay.count === 0) return null;
    return {
      min: seconds(delay.min),
      mean: seconds(delay.mean),
      p50: seconds(delay.percentile(50)),
      p99: seconds(delay.percentile(99)),
      max: seconds(delay.max),
    };
  }

  /** The share of time in which the loop was not idle. */
  get utilization(): number {
    return performance.eventLoopUtilization(this.#older.since).utilization;
  }

  stop(): void {
    for (const { delay } of [this.#older, this.#newer]) delay.disable();
  }
}

function begin(): Measurement {
  const delay = monitorEventLoopDelay({ resolution: sampleMs });
  delay.enable();
  return { delay, since: performance.eventLoopUtilization() };
}

/** What was measured contains the sampling interval itself, which is taken off. */
const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - sampleMs / 1_000);
