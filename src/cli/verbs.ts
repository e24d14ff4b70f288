// Every verb, in the order in which help lists them.

import { keyGenerateVerb } from './key-generate.ts';
import type { Verb } from './verb.ts';

export const verbs: readonly Verb[] = [keyGenerateVerb];

/** What the first words of two-word verbs stand for. */
export const groups: Readonly<Record<string, string>> = {
  fabric: 'add, look at, change, test and remove fabrics',
  key: 'the key that seals stored credentials',
};
