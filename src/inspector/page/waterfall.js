// A trace as a waterfall: each span below the one that it belongs to, where it began and how long it took.

import { html } from './html.js';
import { Icon } from './icons.js';
import { Link } from './link.js';
import { spanRows } from './span-rows.js';
import { counted, durationText, sentences } from './words.js';

/** @import { App } from './app.js' */
/** @import { FabricRoute } from './address.js' */
/** @import { SpanDocument, TraceDocument } from '../documents.ts' */
/** @import { Loaded } from './loaded.js' */
/** @import { SpanRow } from './span-rows.js' */

/** @param {{ app: App, route: FabricRoute, loaded: Loaded<TraceDocument> }} props */
export function Waterfall({ app, route, loaded }) {
  const { document, refusal } = loaded;
  const rows = spanRows(document?.spans ?? []);
  return html`<section class="panel" aria-labelledby="trace-title">
    <div class="part-head">
      <h2 id="trace-title">Trace <code class="faint">${route.trace}</code></h2>
      ${document?.jaeger_url && html`<a class="button small" href=${safeUrl(document.jaeger_url)} target="_blank" rel="noreferrer noopener"><${Icon} mark="out" />Jaeger</a>`}
      <${Link} app=${app} class="button small" to=${{ ...route, trace: null }} replace=${true}><${Icon} mark="cross" />Close<//>
    </div>
    ${refusal && html`<p role="alert">${sentences(refusal.message, refusal.hint)}</p>`}
    ${!document && !refusal && html`<p aria-busy="true">Asking the daemon …</p>`}
    ${document && !document.spans && html`<p>${document.problem}</p>`}
    ${rows.length > 0 && html`<${Spans} rows=${rows} />`}
  </section>`;
}

/** @param {{ rows: readonly SpanRow[] }} props */
function Spans({ rows }) {
  const fromMs = Math.min(...rows.map(({ span }) => span.start_ms));
  const toMs = Math.max(...rows.map(({ span }) => span.start_ms + span.duration_ms));
  const totalMs = Math.max(toMs - fromMs, 0.001);
  return html`<p class="faint">${counted(rows.length, 'span')} in ${durationText(totalMs)}</p>
    <ol class="waterfall">
      ${rows.map(({ span, depth }) => html`<${Span} key=${span.span_id} span=${span} depth=${depth} fromMs=${fromMs} totalMs=${totalMs} />`)}
    </ol>`;
}

/** @param {{ span: SpanDocument, depth: number, fromMs: number, totalMs: number }} props */
function Span({ span, depth, fromMs, totalMs }) {
  const failed = span.status === 'error';
  const startMs = span.start_ms - fromMs;
  const x = (startMs / totalMs) * 100;
  const width = Math.max((span.duration_ms / totalMs) * 100, 0.3);
  return html`<li>
    <details>
      <summary class=${failed ? 'span span-failed' : 'span'}>
        <span class="span-name" style=${{ paddingInlineStart: `${Math.min(depth, 8) * 14}px` }}>${failed && html`<${Icon} mark="cross" />`}<span class="span-words">${span.name}</span></span>
        <svg class="span-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
          <rect x=${Math.min(x, 99.7)} y="1" width=${width} height="8" rx="0.4" />
          ${span.events.map((event, index) => html`<line key=${index} x1=${((event.at_ms - fromMs) / totalMs) * 100} x2=${((event.at_ms - fromMs) / totalMs) * 100} y1="0" y2="10" />`)}
        </svg>
        <span class="number">${durationText(span.duration_ms)}</span>
      </summary>
      <div class="span-more">
        ${span.status_message !== '' && html`<p>${span.status_message}</p>`}
        <dl class="terms">
          <div><dt>began</dt><dd>${durationText(startMs)} after the first</dd></div>
          <div><dt>kind</dt><dd>${span.kind}</dd></div>
          ${Object.entries(span.attributes).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${String(value)}</dd></div>`)}
          ${span.events.map((event, index) => html`<div key=${`event ${index}`}><dt>event, ${durationText(event.at_ms - fromMs)}</dt><dd>${event.name} ${attributesText(event.attributes)}</dd></div>`)}
          ${span.links.map((link) => html`<div key=${link.span_id}><dt>link</dt><dd><code>${link.trace_id}</code></dd></div>`)}
        </dl>
      </div>
    </details>
  </li>`;
}

/** @param {SpanDocument['attributes']} attributes */
function attributesText(attributes) {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');
}

/** A setting, but an address all the same: one that is a script is none. @param {string} address */
function safeUrl(address) {
  return /^https?:\/\//.test(address) ? address : undefined;
}
