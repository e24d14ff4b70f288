// What the log says of a transition: one line that an operator understands, or none where nothing is worth it.

import { top } from '../../otel/transitions.ts';
import type { Log } from '../log.ts';
import type { FabricTransition } from './fleet.ts';

export function tellTransition(log: Log, told: FabricTransition, formatTime: (ms: number) => string): void {
  const from = top(told.from);
  const to = top(told.to);
  const { context } = told;
  const fields = {
    fabric: told.name,
    fabric_id: told.fabricId,
    event: told.event,
    from,
    state: to,
    ...(context.claim && { epoch: context.claim.epoch, run: context.claim.runId }),
  };
  if (from === to) {
    log.debug({ ...fields, path: told.to }, `${told.name}: ${told.from} → ${told.to}`);
    return;
  }
  const { plan, failure } = context;
  const due = plan.state === 'idle' ? null : formatTime(plan.dueAtMs);
  switch (to) {
    case 'idle':
      log.info(fields, `${told.name}: idle (${plan.state === 'idle' ? plan.reason : 'no plan'})`);
      return;
    case 'scheduled':
      if (from === 'locked')
        log.info({ ...fields, contended: true }, `${told.name}: not run here; another daemon has it, or it moved on`);
      else log.info({ ...fields, due_at: due }, `${told.name}: scheduled for ${due}`);
      return;
    case 'locked':
      log.debug({ ...fields, trigger: context.trigger }, `${told.name}: locked for a ${context.trigger} run`);
      return;
    case 'syncing':
      log.info({ ...fields, trigger: context.trigger }, `${told.name}: syncing`);
      return;
    case 'backoff':
    case 'errored': {
      const attempt = `attempt ${context.attempts}`;
      const line = failure ? `${failure.code}: ${failure.message} ${failure.hint}` : 'no cause was recorded';
      const more = { ...fields, code: failure?.code, attempts: context.attempts, hint: failure?.hint };
      if (from === 'locked' && !context.failure) log.info(more, `${told.name}: not run here; back to ${to}`);
      else if (to === 'errored') log.error(more, `${told.name}: errored (${attempt}): ${line}`);
      else log.warn(more, `${told.name}: backoff (${attempt}): ${line}`);
    }
  }
}
