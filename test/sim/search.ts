// Searches seeds on several threads at once, each with a world of its own.

import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { scenarioOf } from './scenario.ts';
import { type Outcome, simulate } from './simulate.ts';

/** What one seed came to; its story stays behind, as replaying tells it again. */
export type Found = Omit<Outcome, 'story'>;

export interface SearchOptions {
  /** The next seed, or null when there is no more to do. */
  readonly next: () => number | null;
  readonly found: (found: Found) => void;
  readonly threads?: number;
}

/** Resolves when `next` has no more and all seeds in hand are done. Rejects where a simulation itself breaks. */
export async function search({ next, found, threads = availableParallelism() }: SearchOptions): Promise<void> {
  const work = async () => {
    const worker = new Worker(new URL(import.meta.url));
    try {
      for (let seed = next(); seed !== null; seed = next()) {
        const { promise, resolve, reject } = Promise.withResolvers<Found>();
        worker.once('message', resolve);
        worker.once('error', reject);
        worker.postMessage(seed);
        found(await promise);
        worker.removeListener('error', reject);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
}

if (!isMainThread && parentPort) {
  const port = parentPort;
  port.on('message', async (seed: number) => {
    const { story: _, ...found } = await simulate(scenarioOf(seed));
    port.postMessage(found);
  });
}
