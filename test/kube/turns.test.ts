// Whose turn it is to look at what was read.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { turnFor } from '../../src/kube/turns.ts';

/** How many of these are let go on in each turn of the event loop, until all were. */
async function letGo(bodies: readonly number[]): Promise<number[]> {
  let went = 0;
  for (const bytes of bodies) void turnFor(bytes).then(() => (went += 1));
  const turns: number[] = [];
  for (let before = 0; went < bodies.length; before = went) {
    await nextTurn();
    if (went > before) turns.push(went - before);
  }
  return turns;
}

test('large bodies that came together are looked at in turns of their own', async () => {
  expect(await letGo([1_000_000, 1_000_000, 1_000_000])).toEqual([1, 1, 1]);
});

test('small ones are not kept waiting for each other', async () => {
  expect(await letGo([1_000, 1_000, 1_000])).toEqual([3]);
});

test('a small one does not wait behind large ones', async () => {
  const went: string[] = [];
  const bodies = Object.entries({ large: 1_000_000, 'another large': 1_000_000, small: 1_000 });
  await Promise.all(bodies.map(([name, bytes]) => turnFor(bytes).then(() => went.push(name))));
  expect(went.at(-1)).toBe('another large');
});
