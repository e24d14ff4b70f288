// Every verb, in the order in which help lists them.
//
//   T1. A command line loads the verb that it names and no other: pressing the tab key, or a look at `status`, need not wait
//       for the parts of the daemon.

import type { Verb } from './verb.ts';

const loaders: Readonly<Record<string, () => Promise<Verb>>> = {
  run: async () => (await import('./run.ts')).runVerb,
  demo: async () => (await import('./demo.ts')).demoVerb,
  'fabric add': async () => (await import('./fabric-add.ts')).fabricAddVerb,
  'fabric list': async () => (await import('./fabric-list.ts')).fabricListVerb,
  'fabric show': async () => (await import('./fabric-show.ts')).fabricShowVerb,
  'fabric set': async () => (await import('./fabric-set.ts')).fabricSetVerb,
  'fabric remove': async () => (await import('./fabric-remove.ts')).fabricRemoveVerb,
  'fabric test': async () => (await import('./fabric-test.ts')).fabricTestVerb,
  status: async () => (await import('./status.ts')).statusVerb,
  inspect: async () => (await import('./inspect.ts')).inspectVerb,
  trigger: async () => (await import('./trigger-here.ts')).triggerVerb,
  history: async () => (await import('./history.ts')).historyVerb,
  diff: async () => (await import('./diff.ts')).diffVerb,
  resources: async () => (await import('./resources.ts')).resourcesVerb,
  pause: async () => (await import('./pause.ts')).pauseVerb,
  resume: async () => (await import('./resume.ts')).resumeVerb,
  approve: async () => (await import('./approve.ts')).approveVerb,
  cancel: async () => (await import('./cancel.ts')).cancelVerb,
  unlock: async () => (await import('./unlock.ts')).unlockVerb,
  bootstrap: async () => (await import('./bootstrap.ts')).bootstrapVerb,
  rbac: async () => (await import('./rbac.ts')).rbacVerb,
  'key generate': async () => (await import('./key-generate.ts')).keyGenerateVerb,
  'key rotate': async () => (await import('./key-rotate.ts')).keyRotateVerb,
  'check-config': async () => (await import('./check-config.ts')).checkConfigVerb,
  metrics: async () => (await import('./metrics.ts')).metricsVerb,
  'log-level': async () => (await import('./log-level.ts')).logLevelVerb,
  migrate: async () => (await import('./migrate.ts')).migrateVerb,
  doctor: async () => (await import('./doctor.ts')).doctorVerb,
  completion: async () => (await import('./completion.ts')).completionVerb,
  'complete-fabrics': async () => (await import('./complete-fabrics.ts')).completeFabricsVerb,
};

/** What the first words of two-word verbs stand for. */
export const groups: Readonly<Record<string, string>> = {
  fabric: 'add, look at, change, test and remove fabrics',
  key: 'the key that seals stored credentials',
};

export async function everyVerb(): Promise<readonly Verb[]> {
  return Promise.all(Object.values(loaders).map((load) => load()));
}

/** The verb that a command line names; every verb where it names none, or is about all; none where it is about none. */
export async function verbsFor(argv: readonly string[]): Promise<readonly Verb[]> {
  const [first = '', second = ''] = argv;
  if (first === '--version' || first === '-V') return [];
  const load = loaders[`${first} ${second}`] ?? loaders[first];
  return load === undefined || first === 'completion' ? everyVerb() : [await load()];
}
