// The fleet on a terminal: a head, a window of the table around the fabric that is chosen, and a foot.

import type { FleetFabric, PartsDocument } from '../../inspector/documents.ts';
import { lastCountsText } from '../counts-text.ts';
import { cut, plain } from '../plain-text.ts';
import { wholeSpan } from '../span.ts';
import { dueCell, duration, fabricRemarks, limit, stateCell, syncCell } from '../status-text.ts';
import { type Cell, type Column, formatTable } from '../table.ts';
import { asOf, type Model } from './model.ts';
import type { Screen } from './screen.ts';

export const sorts = ['name', 'due', 'state', 'age'] as const;

export interface FleetChoice {
  /** Id of the fabric that is chosen; null: the first one. */
  readonly chosen: string | null;
  /** In the name, the state, the status or the error; empty: all. */
  readonly filter: string;
  /** The filter is being typed. */
  readonly typing: boolean;
  readonly sort: (typeof sorts)[number];
}

/** What the filter leaves, in order. */
export function shownFabrics(model: Model, { filter, sort }: FleetChoice): FleetFabric[] {
  const wanted = filter.toLowerCase();
  const fits = ({ name, state, sync_status, sync_error }: FleetFabric) =>
    [name, state, sync_status ?? '', sync_error].some((text) => text.toLowerCase().includes(wanted));
  return [...model.fabrics.values()].filter(fits).sort((one, other) => by[sort](one, other) || byName(one, other));
}

const byName = (one: FleetFabric, other: FleetFabric) => one.name.localeCompare(other.name, 'en', { numeric: true });
/** What needs a look first. */
const urgency = ['errored', 'backoff', 'syncing', 'locked', 'scheduled', 'idle'];
const last = '\uffff';

const by: Readonly<Record<FleetChoice['sort'], (one: FleetFabric, other: FleetFabric) => number>> = {
  name: byName,
  due: (one, other) => (one.due_at ?? last).localeCompare(other.due_at ?? last),
  state: (one, other) => urgency.indexOf(one.state) - urgency.indexOf(other.state),
  age: (one, other) => (one.last_sync ?? '').localeCompare(other.last_sync ?? ''),
};

export function fleetLines(model: Model, choice: FleetChoice, screen: Screen): string[] {
  const { width, height, paint, nowMs } = screen;
  const shown = shownFabrics(model, choice);
  const at = Math.max(
    0,
    shown.findIndex(({ id }) => id === choice.chosen),
  );
  const chosen = shown[at];
  const head = [...headLines(model, screen), cut(filterLine(model, shown.length, choice), width), ''];
  const remarks = chosen ? fabricRemarks(chosen).flatMap((text) => limit(`  ${text}`, width)) : [];
  const foot = [...remarks.slice(0, 6), ...(remarks.length > 0 ? [''] : []), keysLine(choice, width)];
  // The table's own head, an empty line above the foot, and the last line, which a terminal keeps for its cursor.
  const room = Math.max(1, height - head.length - foot.length - 3);
  const from = Math.max(0, Math.min(at - Math.floor(room / 2), shown.length - room));
  const rows = shown.slice(from, from + room).map((fabric) => asOf(fabric, nowMs));
  const table = formatTable(
    columns(width),
    rows.map((fabric) => columns(width).map(({ cell }) => cell(fabric, fabric.id === chosen?.id))),
    { widthMax: width, paint },
  );
  return [...head, ...(shown.length === 0 ? [noneText(model)] : table), '', ...foot];
}

function noneText({ fleet, fabrics, parts }: Model): string {
  if (fleet === null) return 'Waiting for the daemon …';
  const isUnknown = fabrics.size === 0 && parts?.postgres.state === 'missing';
  return isUnknown ? 'Postgres has the fabrics, and does not answer.' : 'No fabric is like that.';
}

/** Which daemon, and what of it is missing. */
export function headLines(model: Model, screen: Screen): string[] {
  const { width, paint, ourMs, nowMs } = screen;
  const { fleet, lost, parts } = model;
  if (lost) {
    const what = lost.refused ? 'The daemon cannot tell' : 'The daemon does not answer';
    const text = `${what} for ${wholeSpan(ourMs - lost.sinceMs)}: ${lost.why}. What is shown is from before.`;
    return limit(text, width).map((line) => paint('red', line));
  }
  if (!fleet) return [];
  const { name, version, started_at } = fleet.daemon;
  const up = wholeSpan(nowMs - Date.parse(started_at));
  return [
    ...limit(`${name}, version ${version}, up ${up}`, width).map((line) => paint('bold', line)),
    ...missingLines(parts, screen),
  ];
}

/** A line for each part that is missing, and since when. */
export function missingLines(parts: PartsDocument | null, { width, paint, nowMs }: Screen): string[] {
  const named = [
    ['Postgres', parts?.postgres],
    ['Redis', parts?.redis],
    ['The daemon', parts?.daemon],
  ] as const;
  return named.flatMap(([what, part]) =>
    part?.state === 'missing'
      ? limit(`${what} has been missing for ${wholeSpan(nowMs - Date.parse(part.since))}: ${part.problem}`, width).map(
          (line) => paint('yellow', line),
        )
      : [],
  );
}

function filterLine(model: Model, shown: number, { filter, typing, sort }: FleetChoice): string {
  const census = new Map<string, number>();
  for (const { state } of model.fabrics.values()) census.set(state, (census.get(state) ?? 0) + 1);
  const states = [...census].map(([state, count]) => `${count} ${state}`).join(', ');
  const kept = filter === '' && !typing ? '' : `  /${plain(filter)}${typing ? '_' : ''}  ${shown} shown`;
  return `${model.fabrics.size} fabrics${states === '' ? '' : `: ${states}`} · by ${sort}${kept}`;
}

function keysLine({ typing }: FleetChoice, width: number): string {
  const text = typing
    ? 'type to filter · Enter keep · Esc clear'
    : '↑↓ choose · Enter open · / filter · s sort · q quit';
  return text.slice(0, width);
}

type FleetColumn = Column & { readonly cell: (fabric: FleetFabric, chosen: boolean) => Cell };

function columns(width: number): readonly FleetColumn[] {
  const all: readonly (FleetColumn & { readonly from: number })[] = [
    { title: ' ', from: 0, cell: (_, chosen) => (chosen ? { text: '▸', colour: 'cyan' } : ' ') },
    {
      title: 'FABRIC',
      widthMin: 8,
      from: 0,
      cell: ({ name }, chosen) => (chosen ? { text: name, colour: 'bold' } : name),
    },
    { title: 'STATE', from: 0, cell: stateCell },
    { title: 'SYNC', from: 0, cell: syncCell },
    { title: 'DUE IN', align: 'right', from: 0, cell: (fabric) => (fabric.waits_for_slot ? 'waits' : dueCell(fabric)) },
    { title: 'AGE', align: 'right', from: 50, cell: (fabric) => duration(fabric.age_ms) },
    { title: 'OBJECTS', align: 'right', from: 60, cell: (fabric) => fabric.objects },
    { title: '+/~/-', align: 'right', from: 60, cell: (fabric) => lastCountsText(fabric.last_run, width) },
    { title: 'LAST RUNS', from: 80, cell: (fabric) => ({ text: plotOf(fabric), colour: 'dim' }) },
    { title: 'TRIES', align: 'right', from: 110, cell: (fabric) => fabric.attempts },
  ];
  return all.filter((column) => width >= column.from);
}

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const runsPlotted = 8;

/** How long the last runs took, beside each other; × is one that did not commit. */
export function plotOf({ recent }: Pick<FleetFabric, 'recent'>): string {
  const runs = recent.slice(-runsPlotted);
  const longest = Math.max(1, ...runs.map((run) => run.duration_ms));
  return runs
    .map(({ outcome, duration_ms }) => {
      if (outcome !== 'complete' && outcome !== 'partial' && outcome !== 'awaiting_approval') return '×';
      return bars[Math.min(bars.length - 1, Math.floor((duration_ms / longest) * bars.length))] ?? bars[0];
    })
    .join('');
}
