// What happened to a fabric, step by step, and what people did to it.

import { outerOf } from './chart-graph.js';
import { html } from './html.js';
import { Icon } from './icons.js';
import { Link } from './link.js';
import { Table } from './table.js';
import { clockText, durationText } from './words.js';

/** @import { App } from './app.js' */
/** @import { FabricRoute } from './address.js' */
/** @import { ActDocument, TransitionDocument } from '../documents.ts' */

/** @type {readonly import('./table.js').Column[]} */
const columns = [
  { title: 'When', obvious: true },
  { title: 'Event', obvious: true },
  { title: 'From', obvious: true },
  { title: 'To', obvious: true },
  { title: 'Was in it', number: true },
  { title: 'Late', number: true },
  { title: 'Run' },
  { title: 'Trace', obvious: true },
];

/**
 * @param {{ app: App, route: FabricRoute, transitions: readonly TransitionDocument[], acts: readonly ActDocument[], known: boolean, nowMs: number }} props
 */
export function Timeline({ app, route, transitions, acts, known, nowMs }) {
  return html`<section class="panel" aria-labelledby="timeline-title">
      <h2 id="timeline-title">Timeline <span class="faint">as this daemon saw it, the newest first</span></h2>
      ${
        transitions.length === 0
          ? html`<p class="faint">Nothing since the daemon started.</p>`
          : html`<${Table} class="timeline" labelledBy="timeline-title" columns=${columns} rows=${transitions.map((step) => rowOf(app, route, step, nowMs))} />`
      }
    </section>
    <section class="panel" aria-labelledby="acts-title">
      <h2 id="acts-title">What people did</h2>
      ${
        acts.length === 0
          ? html`<p class="faint">${known ? 'Nothing that is on record.' : 'Postgres has it, and does not answer.'}</p>`
          : html`<ul class="acts">
              ${acts.map(({ at, by, act, detail }) => html`<li key=${`${at} ${act}`}><span class="number">${clockText(at, nowMs)}</span> <strong>${by}</strong> ${act}${detail !== '' && `: ${detail}`}</li>`)}
            </ul>`
      }
    </section>`;
}

/** @param {App} app @param {FabricRoute} route @param {TransitionDocument} step @param {number} nowMs @returns {import('./table.js').Row} */
function rowOf(app, route, step, nowMs) {
  const { at, event, label, why, from, to, stayed_ms, late_ms, run, trace_id } = step;
  const moves = outerOf(from) !== outerOf(to);
  return {
    key: `${at} ${from} ${to} ${event}`,
    class: moves ? '' : 'minor',
    cells: [
      clockText(at, nowMs, true),
      html`<code title=${event}>${label === '' ? 'always' : label}</code>${why && html` <span class="faint">${why}</span>`}`,
      html`<code>${from}</code>`,
      html`<span class=${moves ? `to state-${outerOf(to)}` : 'to'}>${moves && html`<${Icon} mark=${outerOf(to)} />`}<code>${to}</code></span>`,
      durationText(stayed_ms),
      late_ms !== null && moves && durationText(late_ms),
      run &&
        html`<${Link} app=${app} to=${{ ...route, tab: 'runs', run }} label=${`Run ${run}, its changes`}>${run}<//>`,
      trace_id &&
        html`<${Link} app=${app} to=${{ ...route, trace: trace_id }} replace=${true} label=${`Trace ${trace_id.slice(0, 8)}`}>trace<//>`,
    ],
  };
}
