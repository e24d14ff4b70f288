// What a planted bug is.

import type { Mutate } from '../daemon.ts';

export interface Mutant {
  readonly name: string;
  /** What it takes away. */
  readonly breaks: string;
  /** A seed that finds it, or one shortly before: what is done to a place moves as the simulator grows. */
  readonly firstSeed: number;
  /** The letters of the invariants that may tell it (`checker.ts`, `commit-check.ts`). */
  readonly shows: readonly string[];
  readonly mutate: Mutate;
}
