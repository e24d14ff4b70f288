// What one run changed: each object, and each of its fields before and after.

import { html } from './html.js';
import { Icon } from './icons.js';
import { Link } from './link.js';
import { counted, countText, plain, sentences } from './words.js';

/** @import { App } from './app.js' */
/** @import { FabricRoute } from './address.js' */
/** @import { ChangeDocument, FieldDocument, KindOutcome, RunDocument } from '../documents.ts' */
/** @import { Loaded } from './loaded.js' */

const marks = { added: '+', removed: '−', changed: '~', created: '+', deleted: '−', updated: '~' };
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
  const odd = Object.entries(kinds).filter(([, { answer, quarantined }]) => answer !== 'complete' || quarantined > 0);
  const listed = Object.values(kinds).reduce((sum, kind) => sum + kind.listed, 0);
  if (Object.keys(kinds).length === 0) return null;
  return html`<p class="faint">
    ${counted(Object.keys(kinds).length, 'kind')} asked for, ${counted(listed, 'object')} listed${
      odd.length > 0 &&
      html`: ${odd.map(([kind, { answer, quarantined }]) => html`<span key=${kind} class="odd"><code>${kind}</code> ${plain(answer)}${quarantined > 0 && `, ${counted(quarantined, 'object')} quarantined`}</span> `)}`
    }
  </p>`;
}

/** @param {{ document: RunDocument }} props */
function Changes({ document: { run, changes, changes_total } }) {
  if (changes.length === 0) {
    return html`<p>${run.error === '' ? 'It changed nothing.' : html`<code>${run.error_code}</code> ${run.error} ${run.hint}`}</p>`;
  }
  return html`<ul class="change-list">
      ${changes.map((change, index) => html`<${Change} key=${index} change=${change} open=${changes.length <= 8} />`)}
    </ul>
    ${changes_total > changes.length && html`<p class="faint">The first ${countText(changes.length)} of ${countText(changes_total)} changes; all of them: <code>fabric-syncd diff</code>.</p>`}`;
}

/** @param {{ change: ChangeDocument, open: boolean }} props */
function Change({ change: { change, kind, namespace, name, fields, fields_total }, open }) {
  const mark = /** @type {Record<string, string>} */ (marks)[change] ?? '·';
  const head = html`<span class=${`mark mark-${change}`} aria-hidden="true">${mark}</span>${' '}
    <span class="change-kind">${kind}</span>${' '}<strong>${namespace === '' ? name : `${namespace}/${name}`}</strong>${' '}
    <span class="faint">${plain(change)}${fields_total > 0 && `, ${counted(fields_total, 'field')}`}</span>`;
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
