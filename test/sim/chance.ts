// Chance from a seed: the same seed and label give the same rolls, whatever other labels were asked.

import type { Dice } from '../../src/dice.ts';

export class Chance implements Dice {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, label: string) {
    const mix = mixer(`${seed}/${label}`);
    [this.#a, this.#b, this.#c] = [mix(), mix(), mix()];
    for (let i = 0; i < 12; i++) this.roll();
  }

  /** sfc32 (Chris Doty-Humphrey's Small Fast Counting generator), 32 bits of it. */
  roll(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  }

  /** A whole number in [0, n). */
  below(n: number): number {
    return Math.floor(this.roll() * n);
  }

  between(low: number, high: number): number {
    return low + this.roll() * (high - low);
  }

  /** Small values are as likely as large ones, whatever the orders of magnitude between. */
  spread(low: number, high: number): number {
    return low * (high / low) ** this.roll();
  }

  is(probability: number): boolean {
    return this.roll() < probability;
  }

  pick<One>(from: readonly One[]): One {
    const one = from[this.below(from.length)];
    if (one === undefined) throw new Error('there is nothing to pick from');
    return one;
  }
}

/** FNV-1a over the label, then murmur3's finalizer for each number asked. */
function mixer(label: string): () => number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  return () => {
    hash = (hash + 0x9e3779b9) | 0;
    let out = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    out = Math.imul(out ^ (out >>> 13), 0xc2b2ae35);
    return out ^ (out >>> 16);
  };
}
