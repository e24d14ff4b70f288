// The one file that asks chance.

export interface Dice {
  /** In [0, 1). */
  roll(): number;
}

export const systemDice: Dice = { roll: () => Math.random() };
