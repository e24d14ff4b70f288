import type { Target } from './target.ts';
import { adminSocket } from './targets/admin.ts';
import { discoveryBodies, listBodies, wholeAnswers } from './targets/answers.ts';
import { commandLine } from './targets/command-line.ts';
import { inspectorPort } from './targets/inspector.ts';
import { kubeconfig } from './targets/kubeconfig.ts';
import { environment } from './targets/settings.ts';
import { texts } from './targets/texts.ts';

export const targets: readonly Target[] = [
  listBodies,
  discoveryBodies,
  wholeAnswers,
  kubeconfig,
  texts,
  environment,
  adminSocket,
  commandLine,
  inspectorPort,
];
