// The clock's two halves beside each other: what Redis holds, and what Postgres says.

import { fabricRoute } from './address.js';
import { Histogram } from './histogram.js';
import { html } from './html.js';
import { Icon } from './icons.js';
import { Link } from './link.js';
import { Search } from './search.js';
import { hasWords, wordsOf } from './search-words.js';
import { Table } from './table.js';
import { clockText, counted, countText, dueText, sentences } from './words.js';

/** @import { App } from './app.js' */
/** @import { TimersRoute } from './address.js' */
/** @import { TimerDocument, TimersDocument } from '../documents.ts' */
/** @import { TimerState } from '../timer-view.ts' */

/** As many are looked through; those that disagree come first, and the search finds the others. */
const rowsMost = 200;

const repairColumns = [{ title: 'When', obvious: true }, { title: 'Why it looked' }, { title: 'What it mended' }];
const timerColumns = [
  { title: 'Fabric' },
  { title: 'Agreement', obvious: true },
  { title: 'Postgres: due' },
  { title: 'for' },
  { title: 'Redis: due' },
  { title: 'for' },
  { title: 'shows' },
];

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

/** @param {{ app: App, route: TimersRoute }} props */
export function TimersView({ app, route }) {
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
        <${Timers} app=${app} route=${route} document=${document} nowMs=${nowMs} />`
    }
  </div>`;
}

/** @param {{ document: TimersDocument }} props */
function Agreement({ document: { parts, disagreements } }) {
  if (parts.redis.state === 'none')
    return html`<p class="attention">Redis is not used, by choice: due times come from Postgres.</p>`;
  const [mark, tone, words] =
    parts.redis.state === 'missing'
      ? ['question', 'warn', 'Redis cannot be asked']
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
      last.length === 0
        ? html`<p class="faint">Nothing had to be mended.</p>`
        : html`<${Table}
        class="table-short"
        label="The latest repairs"
        columns=${repairColumns}
        rows=${last.map((pass) => ({ key: pass.at, cells: [clockText(pass.at, nowMs), pass.why, mended(pass)] }))}
      />`
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

/** @param {{ app: App, route: TimersRoute, document: TimersDocument, nowMs: number }} props */
function Timers({ app, route, document: { timers }, nowMs }) {
  const words = wordsOf(route.search);
  const found = timers.filter((timer) => hasWords(textsOf(timer), words));
  const shown = found.slice(0, rowsMost);
  const hidden = found.length - shown.length;
  return html`<section class="panel" aria-labelledby="timers-title">
    <h2 id="timers-title">Redis beside Postgres <span class="faint">by due time, those that disagree first</span></h2>
    <div class="fleet-tools">
      <${Search}
        label="Search by fabric, agreement or kind"
        placeholder="Search fabric, agreement, kind …  ( / )"
        value=${route.search}
        search=${(/** @type {string} */ search) => app.go({ ...route, search }, { replace: true })}
      />
      <span class="shown" role="status">${found.length === timers.length ? counted(timers.length, 'timer') : `${countText(found.length)} of ${counted(timers.length, 'timer')}`}</span>
    </div>
    <${Table}
      class="timers-table"
      labelledBy="timers-title"
      columns=${timerColumns}
      heads=${true}
      rows=${shown.map((timer) => rowOf(app, timer, nowMs))}
    />
    ${hidden > 0 && html`<p class="faint">The first ${countText(rowsMost)} of ${countText(found.length)}: search for the other ${countText(hidden)}.</p>`}
  </section>`;
}

/** What a search looks through: what its row says, but for the times. @param {TimerDocument} timer */
function textsOf({ fabric, state, redis, postgres }) {
  return [fabric, states[state].words, postgres?.kind ?? '', redis?.kind ?? ''];
}

/** @param {App} app @param {TimerDocument} timer @param {number} nowMs @returns {import('./table.js').Row} */
function rowOf(app, { fabric, fabric_id, state, redis, postgres }, nowMs) {
  const { words, mark, tone } = states[state];
  return {
    key: fabric_id,
    cells: [
      html`<${Link} app=${app} to=${fabricRoute(fabric)}>${fabric}<//>`,
      html`<span class=${`outcome tone-${tone}`}><${Icon} mark=${mark} /><span>${words}</span></span>`,
      postgres ? html`<${Due} at=${postgres.due_at} nowMs=${nowMs} />` : '–',
      postgres?.kind,
      redis ? html`<${Due} at=${redis.due_at} nowMs=${nowMs} />` : '–',
      redis?.kind,
      redis && redis.shows_at !== redis.due_at && `again ${dueText(Date.parse(redis.shows_at) - nowMs)}`,
    ],
  };
}

/** @param {{ at: string, nowMs: number }} props */
function Due({ at, nowMs }) {
  return html`<span title=${clockText(at, nowMs, true)}>${dueText(Date.parse(at) - nowMs)}</span>`;
}
