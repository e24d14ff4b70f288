// Starts the thread of a target and watches it from outside: whoever hangs in the middle of a regular expression, or fills
// all memory, cannot say so, but the input in hand is on the board.
//
//   W1. Time is CPU: this thread sleeps, so what the process computes is the other's.
//   W2. What seems to hang, or to need too much memory, is given once more to a new thread; only what does so again is told.
//       But a heap that is full is told in any case: then it was filled by the inputs before.

import { Worker } from 'node:worker_threads';
import { systemClock } from '../../src/clock.ts';
import { Board } from './board.ts';
import { besideMiBMax, hangCpuMs, heapMiBMax, silentMs } from './limits.ts';
import type { Found } from './search.ts';
import type { Order } from './worker.ts';

export interface Watch {
  /** The module that exports `targets`, and the name of one of them. */
  readonly module: URL;
  readonly target: string;
  readonly seed: number;
  readonly forMs: number;
  readonly inputsMax?: number;
}

export type Outcome = Pick<Found, 'broken'> & Partial<Found>;

/** What one thread came to; `stopped`: who ended it, where it did not end by itself. */
type Part = Outcome & { readonly stopped: 'heap' | 'watch' | null };

const lookEveryMs = 25;
const MiB = 1024 ** 2;

/** Searches until something is broken, or the time is over. */
export async function watchedSearch(watch: Watch): Promise<Outcome> {
  const endMs = systemClock.monotonicMs() + watch.forMs;
  let seed = watch.seed;
  for (;;) {
    const forMs = Math.max(0, endMs - systemClock.monotonicMs());
    const found = await runOnce(watch, { seed, forMs, only: null });
    if (!found.stopped || found.broken === null) return found;
    const again = await runOnce(watch, { seed, forMs: 0, only: found.broken.input });
    if (again.broken !== null) return again;
    const { input, why } = found.broken;
    if (found.stopped === 'heap') return { broken: { input, why: `${why}, and not for this input alone` } };
    if (systemClock.monotonicMs() >= endMs) return again;
    seed++;
  }
}

/** Gives one input, as often as it takes to be sure. */
export async function watchedInput(watch: Watch, input: Uint8Array): Promise<Outcome> {
  return await runOnce(watch, { seed: watch.seed, forMs: 0, only: input });
}

async function runOnce(
  { module, target, inputsMax = Number.POSITIVE_INFINITY }: Watch,
  part: Pick<Order, 'seed' | 'forMs' | 'only'>,
): Promise<Part> {
  const board = new Board();
  const order: Order = { ...part, module: module.href, target, inputsMax, board: board.shared };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: heapMiBMax },
  });
  const { promise, resolve, reject } = Promise.withResolvers<Part>();
  const stop = (stopped: 'heap' | 'watch', why: string) => resolve({ stopped, broken: { input: board.input(), why } });
  worker.once('message', (found: Found) => resolve({ ...found, stopped: null }));
  worker.once('error', (error: Error & { code?: string }) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') stop('heap', `it needs more than ${heapMiBMax} MiB of heap`);
    else reject(error);
  });
  const look = new Look(board);
  const timer = setInterval(() => {
    const why = look.why();
    if (why !== null) stop('watch', why);
  }, lookEveryMs);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
    await worker.terminate();
  }
}

/** What is seen from outside of the input in hand. */
class Look {
  readonly #board: Board;
  #number: number | null = null;
  #sinceMs = 0;
  #cpu = process.cpuUsage();
  #rss = 0;

  constructor(board: Board) {
    this.#board = board;
  }

  why(): string | null {
    const number = this.#board.inHand;
    const rss = process.memoryUsage.rss();
    if (number === null || number !== this.#number) {
      this.#number = number;
      this.#sinceMs = systemClock.monotonicMs();
      this.#cpu = process.cpuUsage();
      this.#rss = rss;
      return null;
    }
    const { user, system } = process.cpuUsage(this.#cpu);
    const cpuMs = (user + system) / 1_000;
    if (cpuMs > hangCpuMs) return `it hangs: ${Math.round(cpuMs)} ms of CPU, and no end`;
    const waitedMs = systemClock.monotonicMs() - this.#sinceMs;
    if (waitedMs > silentMs && cpuMs < hangCpuMs / 10) return `it hangs: no answer within ${silentMs} ms`;
    const grownMiB = (rss - this.#rss) / MiB;
    if (grownMiB > heapMiBMax + besideMiBMax) return `it needs ${Math.round(grownMiB)} MiB of memory at once`;
    return null;
  }
}
