// What a person may do to a fabric: there for who has logged in, where the daemon allows it.

import { actNames, actsFor } from './acts.js';
import { html } from './html.js';

/** @import { App } from './app.js' */
/** @import { Act, FleetFabric } from '../documents.ts' */

/** What can be taken back by another click needs no second one. @type {ReadonlySet<Act>} */
const atOnce = new Set(['trigger', 'retry', 'resume']);

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
