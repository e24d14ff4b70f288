// The simulator finds each planted bug within a bounded number of seeds: else it would find no real one of its kind.

import { expect, test } from 'vitest';
import { type Cut, cutScenario, noCut } from '../cut.ts';
import { scenarioOf } from '../scenario.ts';
import { simulate } from '../simulate.ts';
import { mutants } from './planted.ts';

const short: Cut = { ...noCut, stormMs: 15 * 60_000 };
/** From the mutant's own first seed on. */
const seedsMax = 25;

test('there are enough of them, each with a name of its own', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  expect(mutants.length).toBeGreaterThanOrEqual(10);
});

test.each(mutants)('$name: $breaks', { timeout: 120_000 }, async ({ mutate, firstSeed, shows }) => {
  let violation: string | null = null;
  for (let seed = firstSeed; violation === null && seed < firstSeed + seedsMax; seed++) {
    ({ violation } = await simulate(cutScenario(scenarioOf(seed), short), { mutate }));
  }
  expect(violation?.slice(0, 1)).toBeOneOf([...shows]);
});
