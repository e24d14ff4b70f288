// Which acts there are, and which of them make sense now. Pure.

/** @import { Act, FleetFabric } from '../documents.ts' */

/** @type {Readonly<Record<Act, string>>} */
export const actNames = {
  trigger: 'Sync now',
  retry: 'Retry now',
  cancel: 'Cancel the run',
  pause: 'Pause …',
  resume: 'Resume',
  approve: 'Approve …',
  unlock: 'Unlock …',
};

/**
 * Which acts make sense now. The rows say `state` and the actor `path`: one of them is a moment ahead of the other, and a
 * sync is offered only where both are at rest. Until a failed run is written down it is in hand, and would be joined.
 * @param {Pick<FleetFabric, 'state' | 'path' | 'reason' | 'pause' | 'approval'>} fabric @returns {Act[]}
 */
export function actsFor({ state, path, reason, pause, approval }) {
  const working = [state, path?.split('.', 1)[0]].some((one) => one === 'syncing' || one === 'locked');
  const ending = path?.endsWith('.recording') ?? false;
  const resting = !working && !ending;
  const troubled = state === 'backoff' || state === 'errored';
  const manual = state !== 'idle' || reason === 'scheduler_disabled' || reason === 'interval_zero';
  /** @type {[Act, boolean][]} */
  const acts = [
    ['approve', approval !== null && approval.approved_by === null],
    ['retry', resting && troubled],
    ['trigger', resting && !troubled && manual],
    ['cancel', working && !ending],
    ['resume', pause !== null],
    ['pause', pause === null],
    ['unlock', !resting],
  ];
  return acts.filter(([, sensible]) => sensible).map(([act]) => act);
}
