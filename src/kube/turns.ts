// Whose turn it is to look at a body that was read. Looking at a large one takes many milliseconds, and several lists are
// read at once: one turn of the event loop looks at one of them, so that timers and renewals come in between.

import { setImmediate as turn } from 'node:timers/promises';

/** A body from here on is looked at alone; several smaller ones are not worth a turn each. */
const largeBytes = 64 * 1024;

let last: Promise<unknown> = Promise.resolve();

/** Resolves in a later turn of the event loop; for a large body in one that no other large one was given. */
export function turnFor(bytes: number): Promise<unknown> {
  if (bytes < largeBytes) return turn();
  last = last.then(() => turn());
  return last;
}
