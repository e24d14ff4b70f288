// `status FABRIC`: everything about one fabric, for people.

import { idleWords } from '../inspector/hints.ts';
import { timerDisagrees } from '../inspector/timer-view.ts';
import type { FabricView, RunView, StatusView } from '../inspector/view.ts';
import { redactUrl } from '../kube/address.ts';
import type { QuarantineRow, StatusRow } from '../ports/operator.ts';
import { objectText } from './diff-text.ts';
import { runTable } from './run-text.ts';
import { span, wholeSpan } from './span.ts';
import { approvalText, limit, serversLines, short, type TextOptions, timerText } from './status-text.ts';
import { formatTable } from './table.ts';

export interface Detail {
  /** Null where Postgres could not be asked. */
  readonly row: StatusRow | null;
  readonly runs: readonly RunView[];
  readonly quarantine: readonly QuarantineRow[];
}

const quarantineMax = 20;

/** Lines without line ends. */
export function detailText(view: StatusView, fabric: FabricView, detail: Detail, options: TextOptions): string[] {
  const { row } = detail;
  const facts: (readonly [label: string, value: string | null])[] = [
    ['Fabric', `${fabric.name} (number ${fabric.id})`],
    ['Description', row && row.description !== '' ? row.description : null],
    ['Server', row && `${redactUrl(row.server) || 'none'}, namespace ${row.namespace}, ${connectionText(row)}`],
    ['State', stateText(fabric)],
    [
      'Sync status',
      fabric.sync_status && `${fabric.sync_status}${fabric.sync_error === '' ? '' : `: ${fabric.sync_error}`}`,
    ],
    ['What to do', fabric.hint === '' ? null : fabric.hint],
    [
      'Paused',
      fabric.pause &&
        `by ${fabric.pause.by} at ${short(fabric.pause.since)}${until(fabric.pause.until)}: ${fabric.pause.reason}`,
    ],
    ['Approval', fabric.approval && approvalText(fabric.approval)],
    ['Run in hand', fabric.run && runInHandText(fabric.run)],
    ['Due', fabric.due_at && dueText(fabric)],
    ['Timer in Redis', fabric.timer.state === 'unknown' ? null : timerLine(fabric)],
    ['Last sync', fabric.last_sync === null ? 'never' : `${short(fabric.last_sync)}${age(fabric)}`],
    ['Interval', row && intervalText(row)],
    ['Attempts', fabric.attempts > 0 ? String(fabric.attempts) : null],
    ['Objects', row && objectsText(row)],
    ['Requests', fabric.requests_open > 0 ? `${fabric.requests_open} manual sync(s) wait` : null],
  ];
  return [
    ...serversLines(view, options),
    '',
    ...factLines(facts, options),
    ...(detail.runs.length > 0 ? ['', ...formatTable(...runTable(detail.runs), tableOptions(options))] : []),
    ...quarantineLines(detail.quarantine, options),
  ];
}

function factLines(facts: readonly (readonly [string, string | null])[], { width, paint }: TextOptions): string[] {
  const told = facts.filter((fact): fact is [string, string] => fact[1] !== null);
  const margin = Math.max(...told.map(([label]) => label.length)) + 2;
  return told.flatMap(([label, value]) => {
    const [first = '', ...others] = limit(value, width === null ? null : Math.max(20, width - margin));
    const begins = `${paint('dim', label)}${' '.repeat(margin - label.length)}`;
    return [`${begins}${first}`, ...others.map((line) => `${' '.repeat(margin)}${line.trimStart()}`)];
  });
}

function connectionText(row: StatusRow): string {
  return row.connectionError === '' ? row.connectionStatus : `${row.connectionStatus} (${row.connectionError})`;
}

function stateText({ state, reason }: FabricView): string {
  return reason ? `${state} (${idleWords[reason]})` : state;
}

function until(time: string | null): string {
  return time === null ? '' : ` until ${short(time)}`;
}

function age({ age_ms }: FabricView): string {
  return age_ms === null ? '' : `, the inventory is ${wholeSpan(age_ms)} old`;
}

function runInHandText(run: RunView): string {
  return `${run.id} by ${run.daemon} for ${span(run.duration_ms ?? 0)} (${run.trigger})`;
}

function dueText({ due_at, due_in_ms, due_kind }: FabricView): string {
  if (due_in_ms === null) return `${short(due_at)} (${due_kind})`;
  return `${due_in_ms < 0 ? `${wholeSpan(-due_in_ms)} ago` : `in ${wholeSpan(due_in_ms)}`}, at ${short(due_at)} (${due_kind})`;
}

function timerLine(fabric: FabricView): string {
  const { timer } = fabric;
  if (timerDisagrees[timer.state]) return timerText(fabric);
  if (timer.due_at === null) return 'none';
  const claimed = timer.state === 'claimed' ? `, taken by a daemon; it shows again at ${short(timer.shows_at)}` : '';
  return `${timer.kind} at ${short(timer.due_at)}${claimed}`;
}

function intervalText(row: StatusRow): string {
  if (row.intervalMs === 0) return 'none';
  return `${wholeSpan(row.intervalMs)}${row.schedulerEnabled ? '' : ', scheduler off: by hand only'}`;
}

function objectsText(row: StatusRow): string {
  const kinds = Object.entries(row.counts).filter(([, count]) => count > 0);
  const counts = kinds.sort(([one], [other]) => one.localeCompare(other)).map(([kind, count]) => `${kind} ${count}`);
  return counts.length === 0 ? String(row.objects) : `${row.objects} (${counts.join(', ')})`;
}

function quarantineLines(rows: readonly QuarantineRow[], { width, paint }: TextOptions): string[] {
  if (rows.length === 0) return [];
  const shown = rows
    .slice(0, quarantineMax)
    .flatMap((row) => limit(`  ${objectText({ ...row, version: '' })}: ${row.reason}`, width));
  const more = rows.length - quarantineMax;
  return [
    '',
    paint('yellow', `${rows.length} object${rows.length === 1 ? '' : 's'} could not be stored:`),
    ...shown,
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ];
}

function tableOptions({ width, paint }: TextOptions) {
  return { widthMax: width, paint };
}
