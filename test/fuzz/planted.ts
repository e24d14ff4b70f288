// Readers with planted faults, one of each sort that the search is to find.

import type { Target } from './target.ts';

const held: number[][] = [];

const target = (name: string, seeds: readonly string[], run: (text: string) => void): Target => ({
  name,
  about: '',
  seeds,
  open: async () => ({ run: (input) => run(input.toString('latin1')), close: async () => {} }),
});

export const targets: readonly Target[] = [
  target('throws', ['{"a":[1]}'], (text) => {
    if (text.includes('__proto__')) throw new Error('planted');
  }),
  target('spins', ['{"a":[1]}'], (text) => {
    while (text.includes('__proto__'));
  }),
  // Quadratic: a million turns for a kibibyte, four thousand million for 64 of them.
  target('is slow', ['ab'], (text) => {
    let turns = 0;
    for (let one = 0; one < text.length; one++) for (let other = 0; other < text.length; other++) turns += one ^ other;
    if (turns === -1) throw new Error('it is never so');
  }),
  target('hoards', ['ab'], (text) => {
    held.push(Array.from({ length: 5_000 }, (_, at) => at * text.length));
  }),
  target('swells', ['ab'], (text) => {
    if (text.length < 3) return;
    const all: number[][] = [];
    for (;;) all.push(new Array<number>(1_000_000).fill(all.length));
  }),
];
