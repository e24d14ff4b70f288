// One fabric on a terminal: why it is where it is, its statechart, the run in hand, what happened, its last runs.

import { top } from '../../../otel/transitions.ts';
import type { FabricDocument, MachineDocument, PartsDocument, TransitionDocument } from '../../inspector/documents.ts';
import { cut, plain } from '../plain-text.ts';
import { runTable } from '../run-text.ts';
import { span, wholeSpan } from '../span.ts';
import { fabricRemarks, limit } from '../status-text.ts';
import { formatTable } from '../table.ts';
import { chartLines } from './chart-lines.ts';
import { headLines, missingLines } from './fleet-lines.ts';
import type { Model } from './model.ts';
import type { Screen } from './screen.ts';

const runsShown = 8;
const transitionsShown = 40;

/**
 * @param scrolled lines of the lower part that were scrolled away
 * @returns the lines, and how far they can be scrolled
 */
export function fabricLines(
  model: Model,
  { machine, scrolled }: { readonly machine: MachineDocument | null; readonly scrolled: number },
  screen: Screen,
): { readonly lines: string[]; readonly scrolledMax: number } {
  const { width, height, paint, nowMs } = screen;
  const document = model.opened;
  if (model.removed !== null) {
    const said = limit(`${plain(model.removed)} was removed: there is no such fabric any more.`, width);
    const keys = 'Esc to the fleet · q quit'.slice(0, width);
    return { lines: [...headLines(model, screen), '', ...said, '', keys], scrolledMax: 0 };
  }
  const keys = 'Esc back · ↑↓ scroll · q quit'.slice(0, width);
  if (!document) {
    return { lines: [...headLines(model, screen), '', 'Waiting for the daemon …', '', keys], scrolledMax: 0 };
  }
  const live = model.fabrics.get(document.fabric.id);
  const fabric = live ?? document.fabric;
  const since = fabric.since === null ? '' : wholeSpan(nowMs - Date.parse(fabric.since));
  // The last one that led from one outer state into another.
  const entered = document.transitions.find((moved) => top(moved.from) !== top(moved.to));
  const from = entered && top(entered.to) === fabric.state ? top(entered.from) : null;
  const upper = [
    paint('bold', cut(`${plain(fabric.name)} (number ${fabric.id})`, width)),
    ...(model.lost ? headLines(model, screen) : missingLines(partsOf(model, document), screen)),
    ...limit(whyText(document, nowMs), width),
    ...fabricRemarks(fabric).flatMap((text) => limit(`  ${text}`, width)),
    '',
    ...(machine ? chartLines(machine, { path: fabric.path, from: from, since }, { width, paint }) : []),
  ];
  const lower = [
    ...progressLines(model, document, screen),
    ...timelineLines(document.transitions, screen),
    ...(document.runs.length === 0
      ? []
      : ['', ...formatTable(...runTable(document.runs.slice(0, runsShown)), { widthMax: width, paint })]),
  ];
  const room = Math.max(1, height - upper.length - 3);
  const scrolledMax = Math.max(0, lower.length - room);
  const first = Math.min(scrolled, scrolledMax);
  return { lines: [...upper, ...lower.slice(first, first + room), '', keys], scrolledMax };
}

/** As the stream tells them; but Postgres may not have answered for this document alone: then its runs are not none. */
function partsOf({ parts }: Model, document: FabricDocument): PartsDocument {
  if (parts === null) return document.parts;
  return document.parts.postgres.state === 'missing' ? { ...parts, postgres: document.parts.postgres } : parts;
}

/** The sentence, counting on where it has a time in it. */
function whyText({ why: { sentence, live } }: FabricDocument, nowMs: number): string {
  if (!live) return sentence;
  return `${live.before}${wholeSpan(Math.max(0, Date.parse(live.at) - nowMs))}${live.after}`;
}

function progressLines(model: Model, { progress, fabric }: FabricDocument, { width, paint }: Screen): string[] {
  const live = model.progress;
  const kinds = live ? [...live.kinds.values()] : (progress?.kinds ?? []);
  if (fabric.state !== 'syncing' || kinds.length === 0) return [];
  const words = kinds.map(({ kind, listed, done }) => `${kind} ${listed}${done ? '' : ' …'}`);
  const run = live?.run ?? progress?.run ?? '';
  return ['', ...limit(`Run ${run}: ${words.join(', ')}`, width).map((line) => paint('cyan', line))];
}

function timelineLines(transitions: readonly TransitionDocument[], { width, paint }: Screen): string[] {
  if (transitions.length === 0) return [];
  const rows = transitions
    .slice(0, transitionsShown)
    .map(({ at, label, why, from, to, stayed_ms, late_ms, trace_id }) => [
      at.slice(11, 23),
      why ? `${label} (${plain(why)})` : label,
      // Inside one state only the inner name is new.
      `${from} → ${top(from) === top(to) ? to.slice(top(to).length) : to}`,
      stayed_ms === null ? null : span(stayed_ms),
      late_ms === null ? null : span(late_ms),
      trace_id?.slice(0, 8) ?? null,
    ]);
  const columns = [
    { title: 'TIME' },
    { title: 'WHAT HAPPENED', widthMin: 10 },
    { title: 'FROM → TO', widthMin: 20 },
    { title: 'STAYED', align: 'right' as const },
    { title: 'LATE', align: 'right' as const },
    { title: 'TRACE' },
  ];
  const kept = width >= 90 ? columns : columns.slice(0, -1);
  return [
    '',
    ...formatTable(
      kept,
      rows.map((row) => row.slice(0, kept.length)),
      { widthMax: width, paint },
    ),
  ];
}
