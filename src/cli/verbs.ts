// Every verb, in the order in which help lists them.

import { approveVerb } from './approve.ts';
import { bootstrapVerb } from './bootstrap.ts';
import { cancelVerb } from './cancel.ts';
import { checkConfigVerb } from './check-config.ts';
import { completeFabricsVerb } from './complete-fabrics.ts';
import { completionVerb } from './completion.ts';
import { diffVerb } from './diff.ts';
import { fabricAddVerb } from './fabric-add.ts';
import { fabricListVerb } from './fabric-list.ts';
import { fabricRemoveVerb } from './fabric-remove.ts';
import { fabricSetVerb } from './fabric-set.ts';
import { fabricShowVerb } from './fabric-show.ts';
import { fabricTestVerb } from './fabric-test.ts';
import { historyVerb } from './history.ts';
import { keyGenerateVerb } from './key-generate.ts';
import { migrateVerb } from './migrate.ts';
import { pauseVerb } from './pause.ts';
import { rbacVerb } from './rbac.ts';
import { resourcesVerb } from './resources.ts';
import { resumeVerb } from './resume.ts';
import { statusVerb } from './status.ts';
import { unlockVerb } from './unlock.ts';
import type { Verb } from './verb.ts';

export const verbs: readonly Verb[] = [
  fabricAddVerb,
  fabricListVerb,
  fabricShowVerb,
  fabricSetVerb,
  fabricRemoveVerb,
  fabricTestVerb,
  statusVerb,
  historyVerb,
  diffVerb,
  resourcesVerb,
  pauseVerb,
  resumeVerb,
  approveVerb,
  cancelVerb,
  unlockVerb,
  bootstrapVerb,
  rbacVerb,
  keyGenerateVerb,
  checkConfigVerb,
  migrateVerb,
  completionVerb,
  completeFabricsVerb,
];

/** What the first words of two-word verbs stand for. */
export const groups: Readonly<Record<string, string>> = {
  fabric: 'add, look at, change, test and remove fabrics',
  key: 'the key that seals stored credentials',
};
