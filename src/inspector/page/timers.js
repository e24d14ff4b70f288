// The clock's two halves beside each other: what Redis holds, and what Postgres says.

import { fabricRoute } from './address.js';
import { Histogram } from './histogram.js';
import { html } from './html.js';
import { Icon } from './icons.js';
import { Link } from './link.js';
import { clockText, counted, countText, dueText, sentences } from './words.js';

/** @import { App } from './app.js' */
/** @import { TimerDocument, TimersDocument } from '../documents.ts' */
/** @import { TimerState } from '../timer-view.ts' */

/** Of a thousand timers these are enough to look at; those that disagree come first. */
const rowsMost = 200;

/** @type {Readonly<Record<TimerState, { words: string, mark: import('./icons.js').Mark, tone: string }>>} */
const states = {
  armed: { words: 'armed', mark: 'ok', tone: 'good' },
  claimed: { words: 'claimed by a daemon', mark: 'locked', tone: 'busy' },
  moving: { words: 'a run was ending', mark: 'syncing', tone: 'busy' },
  none: { words: 'none wanted', mark: 'never', tone: 'calm' },
  unknown: { words: 'Redis was not asked', mark: 'question', tone: 'calm' },
  missing: { words: 'missing in Redis', mark: 'cross', tone: 'bad' },
  extra: { words: 'not wanted', mark: 'cross', tone: 'bad' },
  different: { words: 'different', mark: 'cross', tone: 'bad' },
};

/** @param {{ app: App }} props */
export function TimersView({ app }) {
  const { document, refusal } = app.timers.loaded;
  const nowMs = app.clock.nowMs();
  return html`<div class="timers">
    <div class="fleet-head">
      <h1>Timers</h1>
      ${document && html`<${Agreement} document=${document} />`}
    </div>
    ${refusal && html`<p class="banner banner-warn" role="alert">${sentences(refusal.message, refusal.hint)}</p>`}
    ${!document && !refusal && html`<p aria-busy="true">Asking the daemon …</p>`}
    ${
      document &&
      html`<div class="columns">
          <${Histogram} lateness=${document.lateness} />
          <${Repairs} document=${document} nowMs=${nowMs} />
        </div>
        <${Timers} app=${app} document=${document} nowMs=${nowMs} />`
    }
  </div>`;
}

/** @param {{ document: TimersDocument }} props */
function Agreement({ document: { parts, disagreements } }) {
  if (parts.redis.state === 'none')
    return html`<p class="attention">Redis is not used, by choice: due times come from Postgres.</p>`;
  const [mark, tone, words] =
    parts.redis.state === 'missing'
      ? ['question', 'warn', 'Redis can not be asked']
      : disagreements === 0
        ? ['ok', 'good', 'Redis and Postgres agree']
        : ['cross', 'bad', `${counted(disagreements, 'disagreement')}: the sweep repairs them`];
  return html`<p class="attention"><span class=${`outcome tone-${tone}`}><${Icon} mark=${mark} /><span>${words}</span></span></p>`;
}

/** @param {{ document: TimersDocument, nowMs: number }} props */
function Repairs({ document: { repairs, orphan_timers }, nowMs }) {
  const { since, passes, rearmed, cancelled, interrupted, resumed, last } = repairs;
  const counts = [
    ['Passes', passes],
    ['Timers armed again', rearmed],
    ['Timers taken away', cancelled],
    ['Runs found dead', interrupted],
    ['Pauses ended', resumed],
  ];
  return html`<section class="panel" aria-labelledby="repairs-title">
    <h2 id="repairs-title">The sweep's repairs <span class="faint">since ${clockText(since, nowMs)}</span></h2>
    <dl class="tallies">${counts.map(([term, count]) => html`<div key=${term}><dt>${term}</dt><dd>${countText(Number(count))}</dd></div>`)}</dl>
    ${orphan_timers.length > 0 && html`<p>Timers of fabrics that are not there: ${orphan_timers.map((id) => html`<code key=${id}>${id}</code> `)}</p>`}
    ${
      last.length > 0 &&
      html`<div class="scroll scroll-short" tabindex="0" role="group" aria-label="The latest repairs">
        <table class="plain-table">
          <thead><tr><th scope="col">When</th><th scope="col">Why it looked</th><th scope="col">What it mended</th></tr></thead>
          <tbody>
            ${last.map((pass) => html`<tr key=${pass.at}><td>${clockText(pass.at, nowMs)}</td><td>${pass.why}</td><td>${mended(pass)}</td></tr>`)}
          </tbody>
        </table>
      </div>`
    }
  </section>`;
}

/** @param {{ rearmed: number, cancelled: number, interrupted: number, resumed: number }} pass */
function mended({ rearmed, cancelled, interrupted, resumed }) {
  const parts = [
    rearmed > 0 && `${counted(rearmed, 'timer')} armed again`,
    cancelled > 0 && `${counted(cancelled, 'timer')} taken away`,
    interrupted > 0 && `${counted(interrupted, 'dead run')} ended`,
    resumed > 0 && `${counted(resumed, 'pause')} ended`,
  ];
  return parts.filter(Boolean).join(', ');
}

/** @param {{ app: App, document: TimersDocument, nowMs: number }} props */
function Timers({ app, document: { timers }, nowMs }) {
  return html`<section class="panel" aria-labelledby="timers-title">
    <h2 id="timers-title">Redis beside Postgres <span class="faint">by due time, those that disagree first</span></h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="timers-title">
      <table class="plain-table">
        <thead>
          <tr><th scope="col">Fabric</th><th scope="col">Agreement</th><th scope="col">Postgres: due</th><th scope="col">for</th><th scope="col">Redis: due</th><th scope="col">for</th><th scope="col">shows</th></tr>
        </thead>
        <tbody>${timers.slice(0, rowsMost).map((timer) => html`<${Row} key=${timer.fabric_id} app=${app} timer=${timer} nowMs=${nowMs} />`)}</tbody>
      </table>
    </div>
    ${timers.length > rowsMost && html`<p class="faint">The first ${countText(rowsMost)} of ${countText(timers.length)}.</p>`}
  </section>`;
}

/** @param {{ app: App, timer: TimerDocument, nowMs: number }} props */
function Row({ app, timer: { fabric, state, redis, postgres }, nowMs }) {
  const { words, mark, tone } = states[state];
  return html`<tr>
    <th scope="row"><${Link} app=${app} to=${fabricRoute(fabric)}>${fabric}<//></th>
    <td><span class=${`outcome tone-${tone}`}><${Icon} mark=${mark} /><span>${words}</span></span></td>
    <td>${postgres ? html`<${Due} at=${postgres.due_at} nowMs=${nowMs} />` : '–'}</td>
    <td>${postgres?.kind ?? ''}</td>
    <td>${redis ? html`<${Due} at=${redis.due_at} nowMs=${nowMs} />` : '–'}</td>
    <td>${redis?.kind ?? ''}</td>
    <td>${redis && redis.shows_at !== redis.due_at ? `again ${dueText(Date.parse(redis.shows_at) - nowMs)}` : ''}</td>
  </tr>`;
}

/** @param {{ at: string, nowMs: number }} props */
function Due({ at, nowMs }) {
  return html`<span title=${clockText(at, nowMs, true)}>${dueText(Date.parse(at) - nowMs)}</span>`;
}
