// Chance that can be had again.

/** Always the same chance, for the same seed. */
export function seededDice(seed: number): { roll(): number } {
  let state = seed >>> 0;
  return {
    roll() {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    },
  };
}
