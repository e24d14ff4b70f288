// `trigger`, with the way to run a sync in this process where no daemon does.

import { openLog } from '../log.ts';
import { configured } from './configured.ts';
import { makeTriggerVerb } from './trigger.ts';

export const triggerVerb = makeTriggerVerb(async (world, fabricIds, tell, signal, tracing) => {
  const config = configured(world);
  // What matters is told by the verb itself; a log line here is trouble.
  const log = await openLog({
    level: 'error',
    format: 'auto',
    destination: world.stderr,
    isTerminal: world.isTerminal.stderr,
  });
  const { runOnce } = await import('../run-once.ts');
  const { clock, dice, hostname, pid } = world;
  await runOnce({ config, log, clock, dice, hostname, pid, tracing }, fabricIds, tell, signal);
});
