// The fuzzing targets with inputs made by chance that can be had again: a short search of each, and what earlier ones found.
// The long search is `npm run fuzz`.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededDice } from '../support/seeded-dice.ts';
import { mutate } from './mutate.ts';
import { assertPrototypesUntouched } from './target.ts';
import { targets } from './targets.ts';

describe.each(targets.map((target) => [target.name, target] as const))('%s', (_, { open, seeds }) => {
  test('keeps its promises with whatever comes of what is right', async () => {
    const target = await open();
    const dice = seededDice(1);
    const inputs = seeds.map((seed) => Buffer.from(seed));
    try {
      for (const input of inputs) await target.run(input);
      for (let turn = 0; turn < 60; turn++) {
        const from = inputs[Math.floor(dice.roll() * inputs.length)] ?? Buffer.alloc(0);
        const other = inputs[Math.floor(dice.roll() * inputs.length)] ?? Buffer.alloc(0);
        await target.run(mutate(from, other, dice));
      }
      assertPrototypesUntouched();
    } finally {
      await target.close();
    }
  });

  test('keeps its promises with any bytes, and any JSON', async () => {
    const target = await open();
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
      fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text)),
      fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
    );
    try {
      await fc.assert(
        fc.asyncProperty(bytes, async (input) => {
          await target.run(input);
        }),
        { numRuns: 60, seed: 1 },
      );
    } finally {
      await target.close();
    }
    expect(() => assertPrototypesUntouched()).not.toThrow();
  });
});

test('the search itself finds a promise that is broken deep inside', async () => {
  const { search } = await import('./search.ts');
  const planted = {
    name: 'planted',
    about: '',
    seeds: ['{"a":[1]}'],
    open: async () => ({
      run(input: Buffer) {
        if (input.includes('__proto__')) throw new Error('planted');
      },
      close: async () => {},
    }),
  };
  const found = await search(planted, seededDice(7), (inputs) => inputs > 20_000);
  expect(found.broken).toMatchObject({ why: { message: 'planted' } });
});
