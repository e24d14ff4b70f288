// The runs of a fabric, the newest first; the one that is chosen with its changes, field by field.

import { html } from './html.js';
import { Outcome } from './icons.js';
import { Link } from './link.js';
import { RunChanges } from './run-changes.js';
import { Table } from './table.js';
import { agoText, bytesText, clockText, counted, countText, durationText } from './words.js';

/** @import { App } from './app.js' */
/** @import { FabricRoute } from './address.js' */
/** @import { FabricRun, RunDocument } from '../documents.ts' */
/** @import { Loaded } from './loaded.js' */

/** @type {readonly import('./table.js').Column[]} */
const columns = [
  { title: 'Run' },
  { title: 'Outcome', obvious: true },
  { title: 'Began', obvious: true },
  { title: 'By' },
  { title: 'Late', number: true },
  { title: 'Took', number: true },
  { title: 'Created', number: true },
  { title: 'Updated', number: true },
  { title: 'Deleted', number: true },
  { title: 'Unchanged', number: true },
  { title: 'Requests', number: true },
  { title: 'Read', number: true },
  { title: 'Trace', obvious: true },
];

/** @param {{ app: App, route: FabricRoute, runs: readonly FabricRun[], known: boolean, run: Loaded<RunDocument>, nowMs: number }} props */
export function Runs({ app, route, runs, known, run, nowMs }) {
  return html`<section class="panel" aria-labelledby="runs-title">
    <h2 id="runs-title">Runs</h2>
    ${route.run && html`<${RunChanges} app=${app} route=${route} loaded=${run} />`}
    ${
      runs.length === 0
        ? html`<p class="faint">${known ? 'None yet.' : 'Postgres has them, and does not answer.'}</p>`
        : html`<${Table} class="runs-table" labelledBy="runs-title" columns=${columns} heads=${true} rows=${runs.map((one) => rowOf(app, route, one, nowMs))} />`
    }
  </section>`;
}

/** @param {App} app @param {FabricRoute} route @param {FabricRun} run @param {number} nowMs @returns {import('./table.js').Row} */
function rowOf(app, route, run, nowMs) {
  const chosen = route.run === run.id;
  const outcome = run.finished_at === null ? 'syncing' : run.outcome;
  return {
    key: run.id,
    class: chosen ? 'chosen' : '',
    run: run.id,
    cells: [
      html`<${Link} app=${app} to=${{ ...route, run: chosen ? null : run.id }} current=${chosen} label=${`Run ${run.id}, its changes`} replace=${true}>${run.id}<//>`,
      html`<${Outcome} word=${outcome} /><${Remarks} run=${run} />`,
      html`<span title=${clockText(run.started_at, nowMs, true)}>${agoText(nowMs - Date.parse(run.started_at))}</span>`,
      run.trigger,
      run.lateness_ms === null ? dash() : durationText(run.lateness_ms),
      durationText(run.finished_at === null ? nowMs - Date.parse(run.started_at) : run.duration_ms),
      figure(run.created),
      figure(run.updated),
      figure(run.deleted),
      figure(run.unchanged),
      figure(run.requests),
      bytesText(run.bytes_read),
      run.trace_id
        ? html`<${Link} app=${app} to=${{ ...route, trace: run.trace_id }} label=${`Trace of run ${run.id}`} replace=${true}>trace<//>`
        : dash(),
    ],
  };
}

/** What the outcome alone does not say. @param {{ run: FabricRun }} props */
function Remarks({ run: { error, error_code, hint, unsynced } }) {
  return html`
    ${error !== '' && html`<div class="run-error" title=${`${error}\n${hint}`}><code>${error_code}</code> ${error}</div>`}
    ${unsynced > 0 && html`<div class="run-error">${counted(unsynced, 'object')} no longer synced</div>`}
  `;
}

const dash = () => html`<span class="faint">–</span>`;

/** A zero is there, and does not shout. @param {number} count */
function figure(count) {
  return count === 0 ? html`<span class="faint">0</span>` : countText(count);
}
