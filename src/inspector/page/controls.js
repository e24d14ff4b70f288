// What a person may do to a fabric: there for who has logged in, where the daemon allows it.

import { html } from './html.js';

/** @import { App } from './app.js' */
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

/** What can be taken back by another click needs no second one. @type {ReadonlySet<Act>} */
const atOnce = new Set(['trigger', 'retry', 'resume']);

/** Which acts make sense now. @param {FleetFabric} fabric @returns {Act[]} */
export function actsFor({ state, reason, pause, approval }) {
  const working = state === 'syncing' || state === 'locked';
  const troubled = state === 'backoff' || state === 'errored';
  const manual = state !== 'idle' || reason === 'scheduler_disabled' || reason === 'interval_zero';
  /** @type {[Act, boolean][]} */
  const acts = [
    ['approve', approval !== null && approval.approved_by === null],
    ['retry', troubled],
    ['trigger', !working && !troubled && manual],
    ['cancel', working],
    ['resume', pause !== null],
    ['pause', pause === null],
    ['unlock', working],
  ];
  return acts.filter(([, sensible]) => sensible).map(([act]) => act);
}

/** @param {{ app: App, fabric: FleetFabric }} props */
export function Controls({ app, fabric }) {
  if (!app.mayAct) return null;
  return html`<div class="controls" role="group" aria-label=${`What to do with ${fabric.name}`}>
    ${actsFor(fabric).map(
      (act) => html`<button
        key=${act}
        class=${act === 'approve' ? 'primary' : ''}
        onClick=${() => (atOnce.has(act) ? app.act(fabric.name, act, {}) : app.show({ kind: 'act', act, fabric }))}
      >${actNames[act]}</button>`,
    )}
  </div>`;
}
