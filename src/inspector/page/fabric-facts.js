// What there is to know of a fabric, as a list of terms.

import { Changes } from './fleet-table.js';
import { html } from './html.js';
import { Plot } from './plot.js';
import { agoText, clockText, counted, countText, dueText, durationText, plain, spanText } from './words.js';

/** @import { App } from './app.js' */
/** @import { FleetFabric } from '../documents.ts' */

/** @param {{ app: App, fabric: FleetFabric, nowMs: number }} props */
export function FabricFacts({ fabric, nowMs }) {
  const { due_at, due_kind, last_sync, interval_s, objects, last_run, recent, attempts, pause, approval, timer } =
    fabric;
  return html`<dl class="facts">
    ${
      // What it was due for is in hand: how late that is by now says nothing.
      fabric.state === 'syncing'
        ? html`<${Fact} term="Next" value="running" more=${fabric.run ? `since ${clockText(fabric.run.started_at, nowMs)}` : ''} />`
        : html`<${Fact} term="Next" value=${due_at ? dueText(Date.parse(due_at) - nowMs) : 'no timer'} more=${due_at ? `${due_kind}, ${clockText(due_at, nowMs)}` : ''} />`
    }
    <${Fact}
      term="Last sync"
      value=${last_sync ? agoText(nowMs - Date.parse(last_sync)) : 'never'}
      more=${last_sync ? clockText(last_sync, nowMs) : ''}
    />
    <${Fact} term="Interval" value=${interval_s === null ? '–' : interval_s === 0 ? 'none' : spanText(interval_s * 1_000)} more="" />
    <${Fact} term="Objects" value=${countText(objects)} more=${html`<${Changes} run=${last_run} />`} />
    <${Fact} term="Last runs" value=${durationText(last_run?.duration_ms)} more=${html`<${Plot} runs=${recent} />`} />
    <${Fact} term="In this state" value=${fabric.since ? spanText(nowMs - Date.parse(fabric.since)) : '–'} more=${fabric.since ? `since ${clockText(fabric.since, nowMs)}` : ''} />
    <${Fact} term="Timer" value=${plain(timer.state)} more="" />
    <${Fact} term="Connection" value=${plain(fabric.connection_status ?? 'unknown')} more="" />
    ${attempts > 0 && html`<${Fact} term="Failed attempts" value=${countText(attempts)} more=${fabric.error_code ?? ''} />`}
    ${
      pause &&
      html`<${Fact} wide=${true} term="Paused" value=${`by ${pause.by}${pause.until ? ` until ${clockText(pause.until, nowMs)}` : ''}`} more=${pause.reason} />`
    }
    ${approval && html`<${Approval} approval=${approval} />`}
    ${
      fabric.sync_error !== '' &&
      !approval &&
      html`<${Fact} wide=${true} term=${fabric.error_code ?? 'Error'} value=${fabric.sync_error} more=${fabric.hint} />`
    }
  </dl>`;
}

/** @param {{ term: string, value: unknown, more: unknown, wide?: boolean }} props */
function Fact({ term, value, more, wide = false }) {
  return html`<div class=${wide ? 'fact fact-wide' : 'fact'}>
    <dt>${term}</dt>
    <dd><span class="fact-value">${value}</span>${more && html`<span class="fact-more">${more}</span>`}</dd>
  </div>`;
}

/** @param {{ approval: NonNullable<FleetFabric['approval']> }} props */
function Approval({ approval }) {
  const approved = approval.approved_by === null ? '' : `Approved by ${approval.approved_by}; the next sync does it.`;
  if (approval.kind === 'cluster') {
    const value = `another cluster answers: ${approval.found} instead of ${approval.pinned}`;
    return html`<${Fact} wide=${true} term="Waits for approval" value=${value} more=${approved} />`;
  }
  const kinds = Object.entries(approval.deletions).map(([kind, count]) => `${countText(count)} ${kind}`);
  const value = `run ${approval.run} would delete ${countText(approval.total)} of ${counted(approval.of, 'object')}`;
  return html`<${Fact} wide=${true} term="Waits for approval" value=${value} more=${[kinds.join(', '), approved].filter(Boolean).join('. ')} />`;
}
