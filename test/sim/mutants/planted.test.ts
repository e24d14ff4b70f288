// The simulator finds each planted bug within a bounded number of seeds: else it would find no real one of its kind.

import { expect, onTestFinished, test, vi } from 'vitest';
import { Slots } from '../../../src/fleet/slots.ts';
import { type Cut, cutScenario, noCut } from '../cut.ts';
import { scenarioOf } from '../scenario.ts';
import { simulate } from '../simulate.ts';
import { mutants } from './planted.ts';

const short: Cut = { ...noCut, stormMs: 15 * 60_000 };
/**
 * From the mutant's own first seed on. That one found it when it was noted; another order of steps in the product moves
 * it, and the rarest shows in one seed of a hundred and fifty.
 */
const seedsMax = 400;

test('there are enough of them, each with a name of its own', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  expect(mutants.length).toBeGreaterThanOrEqual(10);
});

test.each(mutants)('$name: $breaks', { timeout: 120_000 }, async ({ mutate, firstSeed, shows }) => {
  const found: string[] = [];
  const isShown = () => shows.some((letter) => found.at(-1)?.startsWith(letter));
  for (let seed = firstSeed; !isShown() && seed < firstSeed + seedsMax; seed++) {
    const { violation } = await simulate(cutScenario(scenarioOf(seed), short), { mutate });
    if (violation) found.push(violation);
  }
  expect(isShown(), `found: ${found.join('; ') || 'nothing'}`).toBe(true);
});

test('a slot is not given back: found at once, long before the last of them is gone', async () => {
  const release = vi.spyOn(Slots.prototype, 'release').mockImplementation(() => {});
  onTestFinished(() => release.mockRestore());
  const { violation } = await simulate(cutScenario(scenarioOf(2), short));
  expect(violation).toMatch(/^s\. .* works on 0 fabrics and holds 1 slots/);
});
