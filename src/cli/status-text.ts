// `status` as people read it: who answers, a row a fabric, and below it what needs a look.
//
//   T1. Pure: the view in, lines and cells out. What is said here is said by `--json` too.
//   T2. It is readable at 80 columns: errors stand below the table, and a narrow terminal gets fewer columns.

import { idleWords } from '../inspector/hints.ts';
import { timerDisagrees } from '../inspector/timer-view.ts';
import type { FabricView, StatusView } from '../inspector/view.ts';
import type { Colour, Paint } from './colours.ts';
import { lastCountsText } from './counts-text.ts';
import { cut, plain } from './plain-text.ts';
import { wholeSpan } from './span.ts';
import { type Cell, type Column, formatTable } from './table.ts';

export interface TextOptions {
  /** Columns of the terminal; null: no limit. */
  readonly width: number | null;
  readonly paint: Paint;
}

/** Lines without line ends. */
export function statusText(view: StatusView, options: TextOptions): string[] {
  return [
    ...serversLines(view, options),
    ...partsDown(view, options),
    '',
    ...fabricTable(view, options),
    ...remarks(view, options),
  ];
}

/** Who answers: one line, or as many as the terminal needs. */
export function serversLines({ daemon, postgres, redis }: StatusView, { width, paint }: TextOptions): string[] {
  const parts: (readonly [text: string, colour: Colour | null])[] = [
    postgres.answers ? ['Postgres answers', null] : ['Postgres does not answer', 'red'],
    redis.state === 'answers'
      ? [`Redis answers, ${redis.timers} timer${redis.timers === 1 ? '' : 's'}`, null]
      : redis.state === 'none'
        ? ['Redis is not used', null]
        : ['Redis does not answer', 'red'],
    daemon.answers
      ? [
          `the daemon ${daemon.ok ? 'runs' : 'is degraded'}, up ${wholeSpan(daemon.uptime_ms ?? 0)}`,
          daemon.ok ? null : 'yellow',
        ]
      : ['no daemon answers here', 'yellow'],
  ];
  const lines: string[] = [];
  let room = 0;
  for (const [text, colour] of parts) {
    const painted = colour ? paint(colour, text) : text;
    const last = lines.length - 1;
    room -= text.length + separator.length;
    if (last >= 0 && room >= 0) lines[last] += `${separator}${painted}`;
    else {
      lines.push(painted);
      room = (width ?? Number.POSITIVE_INFINITY) - text.length;
    }
  }
  return lines;
}

const separator = ' · ';

function partsDown({ postgres, redis, daemon }: StatusView, { width, paint }: TextOptions): string[] {
  const line = (what: string, problem: string, then: string) =>
    limit(`${named(what, problem)}. ${then}`, width).map((text) => paint('yellow', text));
  return [
    ...(postgres.answers
      ? []
      : line(
          'Postgres',
          postgres.problem,
          daemon.answers ? 'What follows is what the daemon remembers.' : 'Nothing else can be said.',
        )),
    ...(redis.state === 'unavailable'
      ? line('Redis', redis.problem, 'Syncs go on by the due times in Postgres; timers cannot be compared.')
      : []),
    ...(daemon.answers && !daemon.ok && daemon.why !== '' ? line('Daemon', daemon.why, '') : []),
  ].map((text) => text.trimEnd());
}

function fabricTable(view: StatusView, options: TextOptions): string[] {
  if (view.fabrics.length === 0) {
    return view.postgres.answers ? ['No fabrics yet. Add one: fabric-syncd fabric add NAME --kubeconfig FILE.'] : [];
  }
  const width = options.width ?? Number.POSITIVE_INFINITY;
  const all: readonly (Column & { from: number; cell(fabric: FabricView): Cell })[] = [
    { title: 'FABRIC', widthMin: 8, from: 0, cell: (fabric) => fabric.name },
    { title: 'STATE', from: 0, cell: stateCell },
    { title: 'SYNC', from: 0, cell: syncCell },
    { title: 'DUE IN', align: 'right', from: 0, cell: dueCell },
    { title: 'LAST SYNC', from: 76, cell: (fabric) => clockTime(fabric.last_sync, view.at) },
    { title: 'AGE', align: 'right', from: 50, cell: (fabric) => duration(fabric.age_ms) },
    { title: 'OBJECTS', align: 'right', from: 60, cell: (fabric) => fabric.objects },
    { title: '+/~/-', align: 'right', from: 60, cell: (fabric) => lastCountsText(fabric.last_run, width) },
    { title: 'TRIES', align: 'right', from: 110, cell: (fabric) => fabric.attempts },
    { title: 'TIMER', from: 110, cell: timerCell },
  ];
  const columns = all.filter((column) => width >= column.from);
  const rows = view.fabrics.map((fabric) => columns.map((column) => column.cell(fabric)));
  return formatTable(columns, rows, { widthMax: options.width, paint: options.paint });
}

/** What needs a look: errors and what to do, pauses, approvals, and timers that disagree. */
function remarks(view: StatusView, { width, paint }: TextOptions): string[] {
  const lines: string[] = [];
  for (const fabric of view.fabrics) {
    const said = fabricRemarks(fabric);
    if (said.length === 0) continue;
    lines.push('', ...said.flatMap((text, at) => limit(at === 0 ? named(fabric.name, text) : `  ${text}`, width)));
  }
  if (view.disagreements > 0) {
    const { orphan_timers: orphans, daemon } = view;
    const many = `Redis and Postgres disagree on ${view.disagreements} timer${view.disagreements === 1 ? '' : 's'}`;
    const who = daemon.answers ? 'the daemon repairs it within seconds' : 'repair it: fabric-syncd bootstrap';
    lines.push('', ...limit(`${many}; ${who}.`, width).map((text) => paint('yellow', text)));
    if (orphans.length > 0) {
      lines.push(...limit(`  timers of fabrics that are gone: ${orphans.slice(0, 20).join(', ')}`, width));
    }
  }
  return lines;
}

/** Most failures begin with the name of their fabric, or of the server. */
function named(name: string, text: string): string {
  return text.startsWith(`${name} `) || text.startsWith(`${name}:`) ? text : `${name}: ${text}`;
}

/** The first line is the most important one; none where all is well. */
export function fabricRemarks(fabric: FabricView): string[] {
  const { pause, approval, sync_error, hint, timer, attempts, requests_open } = fabric;
  return [
    ...(pause ? [`paused by ${pause.by}${pause.until ? ` until ${short(pause.until)}` : ''}: ${pause.reason}`] : []),
    ...(approval ? [approvalText(approval)] : []),
    ...(sync_error !== '' ? [attempts > 1 ? `${sync_error} (try ${attempts})` : sync_error] : []),
    ...(hint !== '' ? [hint] : []),
    ...(requests_open > 0 && fabric.state !== 'syncing' ? [`${requests_open} manual sync(s) wait for a daemon`] : []),
    ...(timerDisagrees[timer.state] ? [timerText(fabric)] : []),
  ];
}

export function approvalText(approval: NonNullable<FabricView['approval']>): string {
  const state = approval.approved_by === null ? 'waits for approval' : `approved by ${approval.approved_by}`;
  switch (approval.kind) {
    case 'deletions': {
      const kinds = Object.entries(approval.deletions).map(([kind, count]) => `${count} ${kind}`);
      return `${state}: ${approval.total} of ${approval.of} objects would be deleted (${kinds.join(', ')})`;
    }
    case 'cluster':
      return `${state}: another cluster answers there (was ${approval.pinned}, is ${approval.found})`;
  }
}

/** What Redis says, where it is not what Postgres says. */
export function timerText({ timer, due_at, due_kind }: FabricView): string {
  switch (timer.state) {
    case 'missing':
      return `its timer is missing in Redis (due ${short(due_at)})`;
    case 'extra':
      return `it has a timer in Redis (due ${short(timer.due_at)}) and is to have none`;
    case 'different':
      return `Redis has ${timer.kind} at ${short(timer.due_at)}, Postgres has ${due_kind} at ${short(due_at)}`;
    default:
      return timer.state;
  }
}

const stateColour: Readonly<Record<FabricView['state'], Colour | null>> = {
  idle: 'dim',
  scheduled: null,
  locked: 'cyan',
  syncing: 'cyan',
  backoff: 'yellow',
  errored: 'red',
};

export function stateCell(fabric: FabricView): Cell {
  const colour = stateColour[fabric.state];
  return colour ? { text: fabric.state, colour } : fabric.state;
}

export function syncCell({ sync_status }: FabricView): Cell {
  switch (sync_status) {
    case 'in_sync':
      return { text: sync_status, colour: 'green' };
    case 'out_of_sync':
      return { text: sync_status, colour: 'yellow' };
    case 'error':
      return { text: sync_status, colour: 'red' };
    default:
      return sync_status;
  }
}

export function dueCell(fabric: FabricView): Cell {
  if (fabric.reason) return { text: idleWords[fabric.reason], colour: 'dim' };
  if (fabric.state === 'syncing' || fabric.state === 'locked') return 'now';
  if (fabric.due_in_ms === null) return null;
  return fabric.due_in_ms < -5_000
    ? { text: `late ${wholeSpan(-fabric.due_in_ms)}`, colour: 'yellow' }
    : wholeSpan(Math.max(0, fabric.due_in_ms));
}

function timerCell({ timer }: FabricView): Cell {
  return timerDisagrees[timer.state] ? { text: timer.state, colour: 'yellow' } : timer.state;
}

export function duration(ms: number | null): string | null {
  return ms === null ? null : wholeSpan(ms);
}

/** The time of the day in UTC, with its date where it was another day. */
function clockTime(at: string | null, now: string): string | null {
  if (at === null) return null;
  return at.slice(0, 10) === now.slice(0, 10) ? at.slice(11, 19) : at.slice(0, 10);
}

/** A time without its fraction. */
export function short(at: string | null): string {
  return at === null ? '-' : `${at.slice(0, 19)}Z`;
}

/** Plain text broken at blanks to a width; what follows the first line is set in. */
export function limit(text: string, width: number | null): string[] {
  const whole = plain(text);
  if (width === null || whole.length <= width) return [whole];
  const indent = `${/^ */.exec(whole)?.[0] ?? ''}  `;
  const lines: string[] = [];
  let line = '';
  for (const word of whole.trimEnd().split(/(?<=\S) +/)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length > width && line.trim() !== '') {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = longer;
  }
  lines.push(line);
  return lines.map((one) => cut(one, width));
}
