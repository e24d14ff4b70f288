import type { Target } from './target.ts';
import { controlActs } from './targets/acts.ts';
import { adminSocket } from './targets/admin.ts';
import { discoveryBodies, listBodies, wholeAnswers } from './targets/answers.ts';
import { certificates } from './targets/certificates.ts';
import { commandLine } from './targets/command-line.ts';
import { cursors } from './targets/cursor.ts';
import { inspectorPort } from './targets/inspector.ts';
import { kubeconfig } from './targets/kubeconfig.ts';
import { manifests } from './targets/manifests.ts';
import { pagedLists } from './targets/pages.ts';
import { environment } from './targets/settings.ts';
import { texts } from './targets/texts.ts';
import { timersInRedis } from './targets/timers.ts';
import { traceparents } from './targets/traceparent.ts';
import { urls } from './targets/urls.ts';

export const targets: readonly Target[] = [
  listBodies,
  pagedLists,
  discoveryBodies,
  wholeAnswers,
  kubeconfig,
  texts,
  urls,
  environment,
  adminSocket,
  commandLine,
  inspectorPort,
  controlActs,
  cursors,
  timersInRedis,
  traceparents,
  manifests,
  certificates,
];
