// One fabric: what it is doing and why, its statechart, its runs, its timeline, how it is set.

import { fabricTabs, fleetRoute } from './address.js';
import { isAway } from './banners.js';
import { Chart } from './chart.js';
import { Controls } from './controls.js';
import { FabricFacts } from './fabric-facts.js';
import { lastPath } from './fabric-state.js';
import { html } from './html.js';
import { Outcome, StateBadge } from './icons.js';
import { Link } from './link.js';
import { narrowScreen } from './narrow-screen.js';
import { Progress } from './progress.js';
import { Runs } from './runs.js';
import { Settings } from './settings.js';
import { Timeline } from './timeline.js';
import { Waterfall } from './waterfall.js';
import { sentences, spanText } from './words.js';

/** @import { App } from './app.js' */
/** @import { FabricRoute } from './address.js' */
/** @import { FabricPage } from './fabric-state.js' */

const tabNames = { runs: 'Runs', timeline: 'Timeline', settings: 'Settings and objects' };

/** @param {{ app: App, route: FabricRoute }} props */
export function FabricView({ app, route }) {
  const { page } = app;
  const { refusal } = app.fabric.loaded;
  if (!page) {
    return html`<section class="message" aria-busy=${refusal ? 'false' : 'true'}>
      <h1>${route.name}</h1>
      ${refusal ? html`<p role="alert">${sentences(refusal.message, refusal.hint)}</p>` : html`<p>Asking the daemon …</p>`}
      <p><${Link} app=${app} to=${fleetRoute}>To the fleet<//></p>
    </section>`;
  }
  const nowMs = app.clock.nowMs();
  const { fabric } = page.document;
  return html`<div class="fabric">
    <nav class="crumbs" aria-label="Where you are"><${Link} app=${app} to=${fleetRoute}>Fleet<//><span aria-hidden="true">/</span><span>${fabric.name}</span></nav>
    <div class="fabric-head">
      <h1>${fabric.name}</h1>
      <${StateBadge} state=${fabric.state} detail=${fabric.path?.split('.').slice(1).join('.') ?? ''} />
      <${Outcome} word=${fabric.sync_status} />
      <${Controls} app=${app} fabric=${fabric} />
    </div>
    ${refusal && html`<p class="banner banner-warn" role="alert">${sentences(refusal.message, refusal.hint)}</p>`}
    <${Why} page=${page} nowMs=${nowMs} away=${isAway(app)} />
    <${FabricFacts} app=${app} fabric=${fabric} nowMs=${nowMs} />
    ${page.progress && fabric.run?.id === page.progress.run && html`<${Progress} progress=${page.progress} counts=${page.document.counts} />`}
    <${StateChart} app=${app} page=${page} />
    <div class="tabs" role="group" aria-label="More of this fabric">
      ${fabricTabs.map(
        (tab) =>
          html`<${Link} key=${tab} app=${app} to=${{ ...route, tab, run: null, trace: null }} current=${route.tab === tab} replace=${true}>${tabNames[tab]}<//>`,
      )}
    </div>
    ${route.trace && html`<${Waterfall} app=${app} route=${route} loaded=${app.trace.loaded} />`}
    ${route.tab === 'runs' && html`<${Runs} app=${app} route=${route} runs=${page.document.runs} known=${rowsAreKnown(page)} run=${app.run.loaded} nowMs=${nowMs} />`}
    ${route.tab === 'timeline' && html`<${Timeline} app=${app} route=${route} transitions=${page.transitions} acts=${page.document.acts} known=${rowsAreKnown(page)} nowMs=${nowMs} />`}
    ${route.tab === 'settings' && html`<${Settings} document=${page.document} nowMs=${nowMs} />`}
  </div>`;
}

/** An empty list of rows is none of which nothing is known. @param {FabricPage} page */
function rowsAreKnown({ document: { parts } }) {
  return parts.postgres.state !== 'missing';
}

/** "Why is it not syncing now?" @param {{ page: FabricPage, nowMs: number, away: boolean }} props */
function Why({ page, nowMs, away }) {
  const { code, sentence, live, hint } = page.document.why;
  const trouble = [
    'backoff',
    'errored',
    'not_configured',
    'waits_for_approval',
    'postgres_missing',
    'not_planned',
  ].includes(code);
  const leftMs = live && !away && Date.parse(live.at) - nowMs;
  return html`<section class=${`why ${trouble || away ? 'why-trouble' : ''}`} aria-label="Why is it not syncing now?">
    <h2 class="unseen">Why is it not syncing now?</h2>
    <p>
      ${away && 'The daemon does not answer. It said last: '}${
        live && typeof leftMs === 'number'
          ? `${live.before}${leftMs < 1_000 ? 'a moment' : spanText(leftMs)}${live.after}`
          : sentence
      }
    </p>
    ${hint !== '' && html`<p class="hint">${hint}</p>`}
  </section>`;
}

/** @param {{ app: App, page: FabricPage }} props */
function StateChart({ app, page }) {
  const { document: machine, refusal } = app.machine.loaded;
  const { fabric } = page.document;
  const resting = machine?.states.filter(({ tags }) => tags.includes('resting')).map(({ path }) => path) ?? [];
  return html`<section class="panel" aria-labelledby="chart-title">
    <h2 id="chart-title">Statechart</h2>
    ${refusal && html`<p role="alert">${sentences(refusal.message, refusal.hint)}</p>`}
    ${
      machine &&
      html`<${Chart}
        machine=${machine}
        present=${fabric.path ?? fabric.state}
        path=${lastPath(page.transitions, (path) => resting.some((state) => path === state || path.startsWith(`${state}.`)))}
        flashes=${page.flashes}
        narrow=${narrowScreen.matches}
      />`
    }
  </section>`;
}
