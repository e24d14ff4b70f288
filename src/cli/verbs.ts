// Every verb, in the order in which help lists them.

import { approveVerb } from './approve.ts';
import { bootstrapVerb } from './bootstrap.ts';
import { cancelVerb } from './cancel.ts';
import { checkConfigVerb } from './check-config.ts';
import { completeFabricsVerb } from './complete-fabrics.ts';
import { completionVerb } from './completion.ts';
import { demoVerb } from './demo.ts';
import { diffVerb } from './diff.ts';
import { doctorVerb } from './doctor.ts';
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
import { runVerb } from './run.ts';
import { statusVerb } from './status.ts';
import { triggerVerb } from './trigger-here.ts';
import { unlockVerb } from './unlock.ts';
import type { Verb } from './verb.ts';

export const verbs: readonly Verb[] = [
  runVerb,
  demoVerb,
  fabricAddVerb,
  fabricListVerb,
  fabricShowVerb,
  fabricSetVerb,
  fabricRemoveVerb,
  fabricTestVerb,
  statusVerb,
  triggerVerb,
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
  doctorVerb,
  completionVerb,
  completeFabricsVerb,
];

/** What the first words of two-word verbs stand for. */
export const groups: Readonly<Record<string, string>> = {
  fabric: 'add, look at, change, test and remove fabrics',
  key: 'the key that seals stored credentials',
};
