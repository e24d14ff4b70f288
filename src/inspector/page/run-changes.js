// What one run changed: each object, and each of its fields before and after.

import { html } from './html.js';
import { Icon } from './icons.js';
import { Link } from './link.js';
import { counted, countText, plain, sentences } from './words.js';

/** @import { App } from './app.js' */
/** @import { FabricRoute } from './address.js' */
/** @import { ChangeDocument, FieldDocument, KindOutcome, RunDocument } from '../documents.ts' */
/** @import { Loaded } from './loaded.js' */

const marks = {
  added: '+',
  removed: '−',
  changed: '~',
  created: '+',
  restored: '+',
  deleted: '−',
  unsynced: '−',
  updated: '~',
  recreated: '!',
};
/** What the word of a change alone does not say. @type {Readonly<Record<string, string>>} */
const changeWords = { unsynced: 'left the inventory: its kind is no longer synced' };
/** More objects than these have a place of their own to scroll in. */
const longList = 40;
/** Of one value: the whole is in `fabric-syncd diff`. */
const lettersMost = 2_000;

/** @param {{ app: App, route: FabricRoute, loaded: Loaded<RunDocument> }} props */
export function RunChanges({ app, route, loaded }) {
  const { document, refusal } = loaded;
  return html`<section class="run-changes" aria-label=${`Changes of run ${route.run}`}>
    <div class="part-head">
      <h3>Run ${route.run}</h3>
      <${Link} app=${app} class="button small" to=${{ ...route, run: null }} replace=${true}><${Icon} mark="cross" />Close<//>
    </div>
    ${refusal && html`<p role="alert">${sentences(refusal.message, refusal.hint)}</p>`}
    ${!document && !refusal && html`<p aria-busy="true">Asking the daemon …</p>`}
    ${document && html`<${Kinds} kinds=${document.kinds} /><${Changes} document=${document} />`}
  </section>`;
}

/** @param {{ kinds: Readonly<Record<string, KindOutcome>> }} props */
function Kinds({ kinds }) {
  const all = Object.entries(kinds);
  if (all.length === 0) return null;
  const asked = all.filter(([, { answer }]) => answer !== 'unwanted');
  const odd = all.filter(([, { answer, quarantined }]) => answer !== 'complete' || quarantined > 0);
  const listed = asked.reduce((sum, [, kind]) => sum + kind.listed, 0);
  return html`<p class="faint">${counted(asked.length, 'kind')} asked for, ${counted(listed, 'object')} listed.</p>
    ${
      odd.length > 0 &&
      html`<ul class="odd-kinds">${odd.map(([kind, outcome]) => html`<li key=${kind}><code>${kind}</code> ${kindWords(outcome)}</li>`)}</ul>`
    }`;
}

/** What is odd about one kind. @param {KindOutcome} outcome */
function kindWords({ answer, quarantined, unsynced }) {
  if (unsynced !== undefined) return `no longer synced: ${counted(unsynced, 'object')} left the inventory`;
  const stored = quarantined > 0 ? `${counted(quarantined, 'object')} quarantined` : '';
  return [answer === 'complete' ? '' : plain(answer), stored].filter(Boolean).join(', ');
}

/** @param {{ document: RunDocument }} props */
function Changes({ document: { run, changes, changes_total } }) {
  if (changes.length === 0) {
    return html`<p>${run.error === '' ? 'It changed nothing.' : html`<code>${run.error_code}</code> ${run.error} ${run.hint}`}</p>`;
  }
  const long = changes.length > longList;
  return html`<ul class=${long ? 'change-list change-list-long' : 'change-list'} tabindex=${long ? 0 : undefined} aria-label=${`Objects changed by run ${run.id}`}>
      ${changes.map((change, index) => html`<${Change} key=${index} change=${change} open=${changes.length <= 8} />`)}
    </ul>
    ${changes_total > changes.length && html`<p class="faint">The first ${countText(changes.length)} of ${countText(changes_total)} changes; all of them: <code>fabric-syncd diff</code>.</p>`}`;
}

/** @param {{ change: ChangeDocument, open: boolean }} props */
function Change({ change: { change, kind, namespace, name, fields, fields_total }, open }) {
  const mark = /** @type {Record<string, string>} */ (marks)[change] ?? '·';
  const head = html`<span class=${`mark mark-${change}`} aria-hidden="true">${mark}</span>${' '}
    <span class="change-kind">${kind}</span>${' '}<strong>${namespace === '' ? name : `${namespace}/${name}`}</strong>${' '}
    <span class="faint">${changeWords[change] ?? plain(change)}${fields_total > 0 && `, ${counted(fields_total, 'field')}`}</span>`;
  if (fields.length === 0) return html`<li class="change"><div class="change-head">${head}</div></li>`;
  return html`<li class="change">
    <details open=${open}>
      <summary class="change-head">${head}</summary>
      <div class="scroll" tabindex="0" role="group" aria-label=${`Fields of ${name}`}>
        <table class="fields">
          <thead class="unseen"><tr><th scope="col">Field</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
          <tbody>${fields.map((field, index) => html`<${Field} key=${index} field=${field} />`)}</tbody>
        </table>
      </div>
      ${fields_total > fields.length && html`<p class="faint">and ${countText(fields_total - fields.length)} more fields</p>`}
    </details>
  </li>`;
}

/** @param {{ field: FieldDocument }} props */
function Field({ field }) {
  const { path, change } = field;
  return html`<tr>
    <th scope="row"><span class=${`mark mark-${change}`} aria-hidden="true">${marks[change]}</span> <code>${path}</code></th>
    <td>${'before' in field ? html`<del>${valueText(field.before)}</del>` : html`<span class="faint">–</span>`}</td>
    <td>${'after' in field ? html`<ins>${valueText(field.after)}</ins>` : html`<span class="faint">–</span>`}</td>
  </tr>`;
}

/** @param {unknown} value */
function valueText(value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 1);
  return text.length > lettersMost ? `${text.slice(0, lettersMost)}…` : text;
}
