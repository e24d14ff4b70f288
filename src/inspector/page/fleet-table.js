// The fleet as a table of which only the rows in sight exist, so that a thousand fabrics cost what forty do.
//
//   T1. Every row has the same height, so where a row stands is a product and needs no measuring.
//   T2. A screen reader is told how many rows there are, and which of them each one is.
//   T3. A row is made anew when its fabric has changed, and once a second; not for what happens to another.

import { Component, createRef } from '/assets/vendor/preact.js';
import { fabricRoute } from './address.js';
import { html } from './html.js';
import { Icon, Outcome, StateBadge } from './icons.js';
import { Link } from './link.js';
import { narrowScreen } from './narrow-screen.js';
import { Plot } from './plot.js';
import { agoText, clockText, countText, dueText, durationText, plain } from './words.js';

/** @import { App } from './app.js' */
/** @import { FleetRoute, SortKey } from './address.js' */
/** @import { FleetFabric } from '../documents.ts' */

/** As `--row` in fleet.css says (T1). */
const rowPx = { wide: 46, narrow: 132 };
/** Rows above and below those in sight: a quick scroll shows no gap, and Tab finds the next one. */
const spare = 8;

/** @type {readonly { key: SortKey | null, title: string, class: string }[]} */
export const columns = [
  { key: 'state', title: 'State', class: 'c-state' },
  { key: 'name', title: 'Fabric', class: 'c-name' },
  { key: 'status', title: 'Status', class: 'c-status' },
  { key: 'due', title: 'Next', class: 'c-due' },
  { key: 'age', title: 'Last sync', class: 'c-age' },
  { key: 'objects', title: 'Objects', class: 'c-objects number' },
  { key: 'changes', title: 'Last changes', class: 'c-changes' },
  { key: 'duration', title: 'Last runs', class: 'c-runs' },
  { key: null, title: 'Error and what to do', class: 'c-error' },
];

/** @typedef {{ app: App, route: FleetRoute, rows: readonly FleetFabric[], nowMs: number }} TableProps */

/** @extends {Component<TableProps, { first: number, count: number }>} */
export class FleetTable extends Component {
  /** @override @type {{ first: number, count: number }} */
  state = { first: 0, count: 40 };
  /** @type {import('/assets/vendor/preact.js').RefObject<HTMLElement | null>} */
  #body = createRef();

  /** @override */
  componentDidMount() {
    addEventListener('scroll', this.#look, { passive: true });
    addEventListener('resize', this.#look);
    this.#look();
  }

  /** Asking where it stands makes the browser lay out all that was just drawn: only where there is something to ask.
   * @override @param {TableProps} before */
  componentDidUpdate(before) {
    if (before.rows.length !== this.props.rows.length) this.#look();
  }

  /** @override */
  componentWillUnmount() {
    removeEventListener('scroll', this.#look);
    removeEventListener('resize', this.#look);
  }

  #look = () => {
    const above = Math.max(0, -(this.#body.current?.getBoundingClientRect().top ?? 0));
    const first = Math.max(0, Math.floor(above / heightPx()) - spare);
    const count = Math.ceil(innerHeight / heightPx()) + 2 * spare;
    if (first !== this.state.first || count !== this.state.count) this.setState({ first, count });
  };

  /** @override */
  render() {
    const { app, route, rows } = this.props;
    const nowMs = wholeSecond(this.props.nowMs);
    const first = Math.max(0, Math.min(this.state.first, rows.length - this.state.count));
    const shown = rows.slice(first, first + this.state.count);
    const below = rows.length - first - shown.length;
    return html`<table class="fleet-table" role="table" aria-label="Fabrics" aria-rowcount=${rows.length + 1}>
      <thead role="rowgroup">
        <tr role="row" aria-rowindex="1">
          ${columns.map((column) => html`<${Heading} key=${column.title} app=${app} route=${route} column=${column} />`)}
        </tr>
      </thead>
      <tbody role="rowgroup" ref=${this.#body}>
        <${Gap} key="above" rows=${first} />
        ${shown.map((fabric, index) => html`<${Row} key=${fabric.id} app=${app} fabric=${fabric} nowMs=${nowMs} index=${first + index + 2} />`)}
        <${Gap} key="below" rows=${below} />
      </tbody>
    </table>`;
  }
}

/** What a row counts on by. @param {number} ms */
function wholeSecond(ms) {
  return Math.floor(ms / 1_000) * 1_000;
}

function heightPx() {
  return narrowScreen.matches ? rowPx.narrow : rowPx.wide;
}

/** The room of the rows that are not there. @param {{ rows: number }} props */
function Gap({ rows }) {
  if (rows <= 0) return null;
  return html`<tr class="gap" aria-hidden="true" style=${{ height: `${rows * heightPx()}px` }}></tr>`;
}

/** @param {{ app: App, route: FleetRoute, column: typeof columns[number] }} props */
function Heading({ app, route, column: { key, title, class: kind } }) {
  if (key === null) return html`<th role="columnheader" scope="col" class=${kind}>${title}</th>`;
  const sorted = route.sort === key;
  const order = sorted ? (route.down ? 'descending' : 'ascending') : undefined;
  return html`<th role="columnheader" scope="col" class=${kind} aria-sort=${order}>
    <button class="sort" onClick=${() => app.go({ ...route, sort: key, down: sorted && !route.down }, { replace: true })}>
      ${title}${sorted && html`<${Icon} mark=${route.down ? 'down' : 'up'} />`}
    </button>
  </th>`;
}

/** @typedef {{ app: App, fabric: FleetFabric, nowMs: number, index: number }} RowProps */

/** @extends {Component<RowProps>} */
class Row extends Component {
  /** T3. @override @param {RowProps} next */
  shouldComponentUpdate({ fabric, nowMs, index }) {
    const shown = this.props;
    return fabric !== shown.fabric || nowMs !== shown.nowMs || index !== shown.index;
  }

  /** @override */
  render() {
    const { app, fabric, nowMs, index } = this.props;
    const { name, state, path, reason, sync_status, last_sync, objects, last_run, recent } = fabric;
    const inner = path?.split('.').slice(1).join('.') ?? '';
    return html`<tr role="row" aria-rowindex=${index} class=${`row row-${state}`} data-fabric=${name}>
    <td role="cell" class="c-state"><${StateBadge} state=${state} detail=${reason ? reasonWords(reason) : inner === 'waiting' ? '' : inner} /></td>
    <td role="cell" class="c-name"><${Link} app=${app} to=${fabricRoute(name)} class="fabric-link">${name}<//></td>
    <td role="cell" class="c-status"><${Outcome} word=${sync_status} /></td>
    <td role="cell" class="c-due"><${Next} fabric=${fabric} nowMs=${nowMs} /></td>
    <td role="cell" class="c-age">
      <span class="two"><span>${last_sync === null ? 'never' : agoText(nowMs - Date.parse(last_sync))}</span>
      <span class="faint">${last_sync !== null && clockText(last_sync, nowMs)}</span></span>
    </td>
    <td role="cell" class="c-objects number">${countText(objects)}<span class="unit"> objects</span></td>
    <td role="cell" class="c-changes"><${Changes} run=${last_run} /></td>
    <td role="cell" class="c-runs">
      <span class="runs"><span class="took">${durationText(last_run?.duration_ms)}</span><${Plot} runs=${recent} /></span>
    </td>
    <td role="cell" class="c-error"><${Trouble} fabric=${fabric} /></td>
  </tr>`;
  }
}

/** Why it is at rest, as `fabric-syncd status` says it. @param {NonNullable<FleetFabric['reason']>} reason */
function reasonWords(reason) {
  if (reason === 'scheduler_disabled') return 'manual only';
  return reason === 'interval_zero' ? 'no interval' : plain(reason);
}

/** @param {{ fabric: FleetFabric, nowMs: number }} props */
function Next({ fabric, nowMs }) {
  const { state, due_at, due_kind, waits_for_slot, pause, run } = fabric;
  if (state === 'syncing') {
    return html`<span class="two"><span>running</span><span class="faint">${run && `for ${durationText(Math.max(0, nowMs - Date.parse(run.started_at)))}`}</span></span>`;
  }
  if (due_at === null) {
    const until = pause?.until ? `until ${clockText(pause.until, nowMs)}` : '';
    return html`<span class="two"><span class="faint">no timer</span><span class="faint">${until}</span></span>`;
  }
  return html`<span class="two" title=${clockText(due_at, nowMs)}>
    <span>${dueText(Date.parse(due_at) - nowMs)}</span>
    <span class="faint">${waits_for_slot ? 'waits for a slot' : due_kind === 'sync' ? '' : due_kind}</span>
  </span>`;
}

/** @param {{ run: FleetFabric['last_run'] }} props */
export function Changes({ run }) {
  if (!run) return html`<span class="faint">–</span>`;
  const { created, updated, deleted, unsynced } = run;
  if (created + updated + deleted + unsynced === 0) return html`<span class="faint">none</span>`;
  const left = unsynced > 0 ? `, ${unsynced} no longer synced` : '';
  const words = `${created} created, ${updated} updated, ${deleted} deleted${left}`;
  return html`<span class="changes" title=${words}>
    <span class="unseen">${words}</span>
    ${created > 0 && html`<span class="added" aria-hidden="true">+${countText(created)}</span>`}
    ${updated > 0 && html`<span class="changed" aria-hidden="true">~${countText(updated)}</span>`}
    ${deleted > 0 && html`<span class="removed" aria-hidden="true">−${countText(deleted)}</span>`}
    ${unsynced > 0 && html`<span class="faint" aria-hidden="true">−${countText(unsynced)}</span>`}
  </span>`;
}

/** @param {{ fabric: FleetFabric }} props */
function Trouble({ fabric: { name, sync_error, error_code, hint } }) {
  if (sync_error === '' && hint === '') return null;
  // Whose error it is, and at which address, is told first; the row has the one, and the fabric's own view the other.
  const cause = sync_error.startsWith(`${name} (`) ? sync_error.replace(/^.*?\): /, '') : sync_error;
  const first = cause === '' ? hint : cause;
  return html`<span class="two trouble" title=${[error_code, sync_error, hint].filter(Boolean).join('\n')}>
    <span>${error_code && html`<code>${error_code}</code> `}${first}</span>
    ${sync_error !== '' && hint !== '' && html`<span class="faint">${hint}</span>`}
  </span>`;
}
