// How much garbage the daemon lets lie.

import { setFlagsFromString } from 'node:v8';

/**
 * By how much of what is alive the old objects may grow before V8 looks which of them are garbage, in percent. V8's own
 * choice is up to 300: right for a program whose garbage is old, or that has the machine for itself. What a sync makes
 * lives for a moment longer than young objects do, and is garbage then.
 */
const growingPercent = 50;

/** The flag of V8, for a test: it has no promise that a later Node knows it. */
export const heapFlag = `--heap-growing-percent=${growingPercent}`;

/**
 * To be called once, at the start of a process that stays. V8 reads this flag anew whenever it has collected garbage, and
 * `NODE_OPTIONS` does not take it; a V8 that does not know it says so on standard error, and goes on as it would.
 */
export function keepHeapSmall(): void {
  setFlagsFromString(heapFlag);
}
