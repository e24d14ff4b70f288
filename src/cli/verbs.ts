// Every verb, in the order in which help lists them.

import { checkConfigVerb } from './check-config.ts';
import { fabricAddVerb } from './fabric-add.ts';
import { fabricListVerb } from './fabric-list.ts';
import { fabricRemoveVerb } from './fabric-remove.ts';
import { fabricSetVerb } from './fabric-set.ts';
import { fabricShowVerb } from './fabric-show.ts';
import { fabricTestVerb } from './fabric-test.ts';
import { keyGenerateVerb } from './key-generate.ts';
import { migrateVerb } from './migrate.ts';
import { rbacVerb } from './rbac.ts';
import type { Verb } from './verb.ts';

export const verbs: readonly Verb[] = [
  fabricAddVerb,
  fabricListVerb,
  fabricShowVerb,
  fabricSetVerb,
  fabricRemoveVerb,
  fabricTestVerb,
  rbacVerb,
  keyGenerateVerb,
  checkConfigVerb,
  migrateVerb,
];

/** What the first words of two-word verbs stand for. */
export const groups: Readonly<Record<string, string>> = {
  fabric: 'add, look at, change, test and remove fabrics',
  key: 'the key that seals stored credentials',
};
