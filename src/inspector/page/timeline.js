// What happened to a fabric, step by step, and what people did to it.

import { outerOf } from './chart-graph.js';
import { html } from './html.js';
import { Icon } from './icons.js';
import { Link } from './link.js';
import { clockText, durationText } from './words.js';

/** @import { App } from './app.js' */
/** @import { FabricRoute } from './address.js' */
/** @import { ActDocument, TransitionDocument } from '../documents.ts' */

/**
 * @param {{ app: App, route: FabricRoute, transitions: readonly TransitionDocument[], acts: readonly ActDocument[], known: boolean, nowMs: number }} props
 */
export function Timeline({ app, route, transitions, acts, known, nowMs }) {
  return html`<section class="panel" aria-labelledby="timeline-title">
      <h2 id="timeline-title">Timeline <span class="faint">as this daemon saw it, the newest first</span></h2>
      ${
        transitions.length === 0
          ? html`<p class="faint">Nothing since the daemon started.</p>`
          : html`<div class="scroll" tabindex="0" role="group" aria-labelledby="timeline-title">
              <table class="plain-table timeline">
                <thead>
                  <tr><th scope="col">When</th><th scope="col">Event</th><th scope="col">From</th><th scope="col">To</th><th scope="col" class="number">Was in it</th><th scope="col" class="number">Late</th><th scope="col">Run</th><th scope="col">Trace</th></tr>
                </thead>
                <tbody>
                  ${transitions.map((step) => html`<${Step} key=${`${step.at} ${step.from} ${step.to} ${step.event}`} app=${app} route=${route} step=${step} nowMs=${nowMs} />`)}
                </tbody>
              </table>
            </div>`
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

/** @param {{ app: App, route: FabricRoute, step: TransitionDocument, nowMs: number }} props */
function Step({ app, route, step, nowMs }) {
  const { at, event, label, from, to, stayed_ms, late_ms, run, trace_id } = step;
  const moves = outerOf(from) !== outerOf(to);
  return html`<tr class=${moves ? '' : 'minor'}>
    <td>${clockText(at, nowMs, true)}</td>
    <td><code title=${event}>${label === '' ? 'always' : label}</code></td>
    <td><code>${from}</code></td>
    <td><span class=${moves ? `to state-${outerOf(to)}` : 'to'}>${moves && html`<${Icon} mark=${outerOf(to)} />`}<code>${to}</code></span></td>
    <td class="number">${durationText(stayed_ms)}</td>
    <td class="number">${late_ms === null || !moves ? '' : durationText(late_ms)}</td>
    <td>${run ? html`<${Link} app=${app} to=${{ ...route, tab: 'runs', run }} label=${`Run ${run}, its changes`}>${run}<//>` : ''}</td>
    <td>${trace_id ? html`<${Link} app=${app} to=${{ ...route, trace: trace_id }} replace=${true} label=${`Trace ${trace_id.slice(0, 8)}`}>trace<//>` : ''}</td>
  </tr>`;
}
