// The search: inputs that reach something new are kept, and new inputs are made from those.

import type { Dice } from '../../src/dice.ts';
import { Coverage } from './coverage.ts';
import { mutate } from './mutate.ts';
import { assertPrototypesUntouched, hangMs, type OpenTarget, type Target } from './target.ts';

export interface Found {
  readonly inputs: number;
  readonly kept: number;
  readonly blocks: number;
  /** The largest of the process's memory in use after a collection, in bytes, above what it was at the beginning. */
  readonly heapGrowth: number;
  /** The first input that broke a promise, and how; null where none did. */
  readonly broken: { readonly input: Buffer; readonly why: unknown } | null;
}

/** Inputs between two looks at the coverage, which is slow to read: all of them are kept where one reached something new. */
const batch = 16;

/**
 * @param until true when it is time to end
 */
export async function search(target: Target, dice: Dice, until: (inputs: number) => boolean): Promise<Found> {
  const coverage = new Coverage();
  await coverage.start();
  const open = await target.open();
  const kept: Buffer[] = [];
  let inputs = 0;
  const heapBefore = heapBytes();
  const ended = (broken: Found['broken']): Found => ({
    inputs,
    kept: kept.length,
    blocks: coverage.blocks,
    heapGrowth: Math.max(0, heapBytes() - heapBefore),
    broken,
  });
  try {
    for (const seed of target.seeds) {
      const input = Buffer.from(seed);
      inputs++;
      const why = await wrong(open, input);
      if (why !== null) return ended({ input, why });
      if ((await coverage.fresh()) > 0) kept.push(input);
    }
    while (!until(inputs)) {
      const made = Array.from({ length: batch }, () => mutate(oneOf(kept, dice), oneOf(kept, dice), dice));
      for (const input of made) {
        inputs++;
        const why = await wrong(open, input);
        if (why !== null) return ended({ input, why });
      }
      if ((await coverage.fresh()) > 0) kept.push(...made);
    }
    return ended(null);
  } finally {
    await open.close();
    coverage.stop();
  }
}

const oneOf = (kept: readonly Buffer[], dice: Dice): Buffer =>
  kept[Math.floor(dice.roll() * kept.length)] ?? Buffer.alloc(0);

/** What is wrong with how an input was taken; null where nothing is. */
async function wrong(open: OpenTarget, input: Buffer): Promise<unknown> {
  const hang = Promise.withResolvers<never>();
  const timer = setTimeout(() => hang.reject(new Error(`it hangs: no answer within ${hangMs} ms`)), hangMs);
  try {
    await Promise.race([open.run(input), hang.promise]);
    assertPrototypesUntouched();
    return null;
  } catch (thrown) {
    return thrown;
  } finally {
    clearTimeout(timer);
  }
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
