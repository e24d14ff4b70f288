// The fuzzing targets with inputs made by chance that can be had again: a short search of each, and what earlier ones found.
// The long search is `npm run fuzz`.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededDice } from '../support/seeded-dice.ts';
import { mutate } from './mutate.ts';
import { assertPrototypesUntouched } from './target.ts';
import { targets } from './targets.ts';
import { watchedSearch } from './watch.ts';

describe.each(targets.map((target) => [target.name, target] as const))('%s', (_, { open, seeds }) => {
  test('keeps its promises with whatever comes of what is right', { timeout: 60_000 }, async () => {
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

/** What a search of a planted fault comes to. */
const found = (target: string, forMs = 60_000) =>
  watchedSearch({ module: new URL('./planted.ts', import.meta.url), target, seed: 7, forMs });

describe('the search tells, with its input,', () => {
  test('a promise that is broken deep inside', { timeout: 90_000 }, async () => {
    const { broken } = await found('throws');
    expect(broken?.why).toContain('planted');
    expect(Buffer.from(broken?.input ?? []).includes('__proto__')).toBe(true);
  });

  test('a reader that never comes back', { timeout: 90_000 }, async () => {
    const { broken } = await found('spins');
    expect(broken?.why).toMatch(/^it hangs: \d+ ms of CPU/);
    expect(Buffer.from(broken?.input ?? []).includes('__proto__')).toBe(true);
  });

  test('a reader whose time grows with the square', { timeout: 90_000 }, async () => {
    const { broken } = await found('is slow');
    expect(broken?.why).toMatch(/^it (takes|hangs)/);
    expect(broken?.input.length).toBeGreaterThan(1_000);
  });

  test('a reader that keeps what it read', { timeout: 90_000 }, async () => {
    expect((await found('hoards')).broken?.why).toMatch(/^it (holds|needs)/);
  });

  test('a reader that needs all memory at once', { timeout: 90_000 }, async () => {
    expect((await found('swells')).broken?.why).toMatch(/^it needs/);
  });
});
