// All fabrics at a glance.

import { allStates, fleetRoute } from './address.js';
import { countsByState, rowsOf } from './fleet-rows.js';
import { columns, FleetTable } from './fleet-table.js';
import { html } from './html.js';
import { Icon } from './icons.js';
import { Search } from './search.js';
import { counted, countText } from './words.js';

/** @import { App } from './app.js' */
/** @import { FleetRoute } from './address.js' */
/** @import { FleetFabric } from '../documents.ts' */
/** @import { FabricState } from '../../../machines/fabric/plan.ts' */

/** @param {{ app: App, route: FleetRoute }} props */
export function FleetView({ app, route }) {
  const { fleet } = app;
  if (!fleet?.whole) {
    return html`<section class="message" aria-busy="true"><h1>Fleet</h1><p>Waiting for the daemon …</p></section>`;
  }
  const fabrics = [...fleet.fabrics.values()];
  const rows = rowsOf(fabrics, route);
  const shown =
    rows.length === fabrics.length
      ? counted(rows.length, 'fabric')
      : `${countText(rows.length)} of ${counted(fabrics.length, 'fabric')}`;
  return html`<div class="fleet">
    <div class="fleet-head">
      <h1>Fleet</h1>
      <${Attention} fabrics=${fabrics} certain=${isCertain(app)} />
    </div>
    <div class="fleet-tools">
      <${Search}
        label="Search by name, state, status or error"
        placeholder="Search name, status, error …  ( / )"
        value=${route.search}
        search=${(/** @type {string} */ search) => app.go({ ...route, search }, { replace: true })}
      />
      <${States} app=${app} route=${route} fabrics=${fabrics} />
      <${Order} app=${app} route=${route} />
      <span class="shown" role="status">${shown}</span>
    </div>
    ${
      rows.length > 0
        ? html`<${FleetTable} app=${app} route=${route} rows=${rows} nowMs=${app.clock.nowMs()} />`
        : html`<${Nothing} app=${app} none=${fabrics.length === 0} known=${fleet.parts.postgres.state !== 'missing'} />`
    }
  </div>`;
}

/** Is what is shown what is? @param {App} app */
function isCertain({ connection, fleet }) {
  return (
    connection.state === 'live' &&
    fleet !== null &&
    Object.values(fleet.parts).every((part) => part.state !== 'missing')
  );
}

/**
 * What needs a look, in one line. That nothing does is said only where it is certain.
 * @param {{ fabrics: readonly FleetFabric[], certain: boolean }} props
 */
function Attention({ fabrics, certain }) {
  const errors = fabrics.filter(({ sync_status }) => sync_status === 'error').length;
  const waiting = fabrics.filter(({ approval }) => approval && approval.approved_by === null).length;
  const stale = fabrics.filter(({ sync_status }) => sync_status === 'out_of_sync').length;
  const parts = [
    errors > 0 && { mark: 'cross', tone: 'bad', text: `${countText(errors)} in error` },
    stale > 0 && { mark: 'partial', tone: 'warn', text: `${countText(stale)} out of sync` },
    waiting > 0 && { mark: 'question', tone: 'warn', text: `${counted(waiting, 'approval')} awaited` },
  ].filter((part) => part !== false);
  if (certain && fabrics.length > 0 && parts.length === 0)
    parts.push({ mark: 'ok', tone: 'good', text: 'nothing needs a look' });
  return html`<p class="attention">
    ${parts.map(({ mark, tone, text }) => html`<span key=${text} class=${`outcome tone-${tone}`}><${Icon} mark=${mark} /><span>${text}</span></span>`)}
  </p>`;
}

/** @param {{ app: App, route: FleetRoute, fabrics: readonly FleetFabric[] }} props */
function States({ app, route, fabrics }) {
  const counts = countsByState(fabrics);
  const toggled = (/** @type {FabricState} */ state) =>
    allStates.filter((one) => (one === state) !== route.states.includes(one));
  return html`<div class="states" role="group" aria-label="Filter by state">
    ${allStates.map(
      (state) => html`<button
        key=${state}
        class=${`state-filter state-${state} ${counts[state] === 0 ? 'none' : ''}`}
        aria-pressed=${route.states.includes(state) ? 'true' : 'false'}
        onClick=${() => app.go({ ...route, states: toggled(state) })}
      ><${Icon} mark=${state} /><span>${state}</span><span class="count">${countText(counts[state])}</span></button>`,
    )}
  </div>`;
}

/** Where the table has no headings to press: a narrow screen. @param {{ app: App, route: FleetRoute }} props */
function Order({ app, route }) {
  const titles = columns.flatMap(({ key, title }) => (key === null ? [] : [{ key, title }]));
  return html`<div class="order">
    <label>
      <span>Sort by</span>
      <select
        onChange=${(/** @type {Event} */ event) => {
          const { value } = /** @type {HTMLSelectElement} */ (event.target);
          const key = titles.find((title) => title.key === value)?.key ?? 'name';
          app.go({ ...route, sort: key, down: false }, { replace: true });
        }}
      >
        ${titles.map(({ key, title }) => html`<option key=${key} value=${key} selected=${route.sort === key}>${title}</option>`)}
      </select>
    </label>
    <button
      aria-label="Turn the order"
      aria-pressed=${route.down ? 'true' : 'false'}
      onClick=${() => app.go({ ...route, down: !route.down }, { replace: true })}
    ><${Icon} mark=${route.down ? 'down' : 'up'} /></button>
  </div>`;
}

/** @param {{ app: App, none: boolean, known: boolean }} props `known`: Postgres was asked, and answered */
function Nothing({ app, none, known }) {
  if (none && !known) {
    return html`<section class="message"><h2>No fabric is known</h2><p>Postgres has them, and does not answer.</p></section>`;
  }
  if (none) {
    return html`<section class="message">
      <h2>No fabric yet</h2>
      <p>Add the first one: <code>fabric-syncd fabric add NAME --server URL --token-file FILE --ca-file FILE</code></p>
    </section>`;
  }
  return html`<section class="message">
    <h2>No fabric is like that</h2>
    <p><button onClick=${() => app.go(fleetRoute)}>Show all</button></p>
  </section>`;
}
