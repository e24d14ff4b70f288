// The runs of a fabric, the newest first; the one that is chosen with its changes, field by field.

import { html } from './html.js';
import { Outcome } from './icons.js';
import { Link } from './link.js';
import { RunChanges } from './run-changes.js';
import { agoText, bytesText, clockText, countText, durationText } from './words.js';

/** @import { App } from './app.js' */
/** @import { FabricRoute } from './address.js' */
/** @import { FabricRun, RunDocument } from '../documents.ts' */
/** @import { Loaded } from './loaded.js' */

const columns = [
  'Run',
  'Outcome',
  'Began',
  'By',
  'Late',
  'Took',
  'Created',
  'Updated',
  'Deleted',
  'Unchanged',
  'Requests',
  'Read',
  'Trace',
];
const numbers = new Set(['Late', 'Took', 'Created', 'Updated', 'Deleted', 'Unchanged', 'Requests', 'Read']);

/** @param {{ app: App, route: FabricRoute, runs: readonly FabricRun[], known: boolean, run: Loaded<RunDocument>, nowMs: number }} props */
export function Runs({ app, route, runs, known, run, nowMs }) {
  return html`<section class="panel" aria-labelledby="runs-title">
    <h2 id="runs-title">Runs</h2>
    ${route.run && html`<${RunChanges} app=${app} route=${route} loaded=${run} />`}
    ${
      runs.length === 0
        ? html`<p class="faint">${known ? 'None yet.' : 'Postgres has them, and does not answer.'}</p>`
        : html`<div class="scroll" tabindex="0" role="group" aria-labelledby="runs-title">
            <table class="plain-table">
              <thead>
                <tr>${columns.map((title) => html`<th key=${title} scope="col" class=${numbers.has(title) ? 'number' : ''}>${title}</th>`)}</tr>
              </thead>
              <tbody>
                ${runs.map((one) => html`<${RunRow} key=${one.id} app=${app} route=${route} run=${one} nowMs=${nowMs} />`)}
              </tbody>
            </table>
          </div>`
    }
  </section>`;
}

/** @param {{ app: App, route: FabricRoute, run: FabricRun, nowMs: number }} props */
function RunRow({ app, route, run, nowMs }) {
  const chosen = route.run === run.id;
  const late = run.lateness_ms === null ? '–' : durationText(run.lateness_ms);
  return html`<tr class=${chosen ? 'chosen' : ''} data-run=${run.id}>
    <th scope="row">
      <${Link} app=${app} to=${{ ...route, run: chosen ? null : run.id }} current=${chosen} label=${`Run ${run.id}, its changes`} replace=${true}>${run.id}<//>
    </th>
    <td>
      ${run.finished_at === null ? html`<${Outcome} word="syncing" />` : html`<${Outcome} word=${run.outcome} />`}
      ${run.error !== '' && html`<div class="run-error" title=${`${run.error}\n${run.hint}`}><code>${run.error_code}</code> ${run.error}</div>`}
    </td>
    <td><span title=${clockText(run.started_at, nowMs, true)}>${agoText(nowMs - Date.parse(run.started_at))}</span></td>
    <td>${run.trigger}</td>
    <td class="number">${late}</td>
    <td class="number">${durationText(run.finished_at === null ? nowMs - Date.parse(run.started_at) : run.duration_ms)}</td>
    <td class="number">${figure(run.created)}</td>
    <td class="number">${figure(run.updated)}</td>
    <td class="number">${figure(run.deleted)}</td>
    <td class="number">${figure(run.unchanged)}</td>
    <td class="number">${figure(run.requests)}</td>
    <td class="number">${bytesText(run.bytes_read)}</td>
    <td>${
      run.trace_id
        ? html`<${Link} app=${app} to=${{ ...route, trace: run.trace_id }} label=${`Trace of run ${run.id}`} replace=${true}>trace<//>`
        : html`<span class="faint">–</span>`
    }</td>
  </tr>`;
}

/** A zero is there, and does not shout. @param {number} count */
function figure(count) {
  return count === 0 ? html`<span class="faint">0</span>` : countText(count);
}
