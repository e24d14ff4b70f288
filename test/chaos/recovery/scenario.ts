// A named scenario: one fault, the daemons with the settings that they have by default, and how soon all is well again.

import { systemClock } from '../../../src/clock.ts';
import type { Ground, GroundOptions } from '../ground.ts';

export interface Finding {
  readonly what: string;
  /** Milliseconds, one for each time that it was tried; the worst counts. */
  readonly valuesMs: readonly number[];
  /** Absent where nothing is demanded. */
  readonly boundMs?: number;
  /** Where the bound is of another sort than "the worst is at most". */
  readonly reached?: boolean;
  readonly remark?: string;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly ground: Pick<GroundOptions, 'daemons' | 'fabrics' | 'intervalSeconds'>;
  run(ground: Ground, say: (line: string) => void): Promise<readonly Finding[]>;
}

const lookEveryMs = 20;

/** Resolves with what `look` finds. @throws Error where it finds nothing in time */
export async function eventually<Found>(
  look: () => Promise<Found | null>,
  withinMs: number,
  what: string,
): Promise<Found> {
  const deadlineMs = systemClock.monotonicMs() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (systemClock.monotonicMs() > deadlineMs) throw new Error(`not within ${withinMs / 1_000} s: ${what}`);
    await systemClock.sleep(lookEveryMs);
  }
}

export function reached({ valuesMs, boundMs, reached: told }: Finding): boolean | null {
  if (told !== undefined) return told;
  if (boundMs === undefined) return null;
  return valuesMs.length > 0 && valuesMs.every((ms) => ms <= boundMs);
}
