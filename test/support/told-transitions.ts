// Holds the transitions that a daemon told in its log against the spans that arrived somewhere, wherever that is.
//
//   TT1. Each transition that was told has one span, in the trace that the line names; and no span tells another one.
//   TT2. Nothing hangs in the air: each span but the root has its parent in its trace. A transition between two states lies
//        below the root, one inside a state below the span of that state.
//   TT3. Each run but the first of its fabric links to the root of the run before it, which armed its timer or failed; one
//        that a person asked for by a command that is traced links to that.

import type { AttributeName } from '../../otel/names.ts';
import { top } from '../../otel/transitions.ts';

/** A span, as far as every backend can give it back. */
export interface SeenSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Null for a root. */
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** One transition, as the log tells it: the former state by its path, the new one by its name. */
export interface ToldTransition {
  readonly traceId: string;
  readonly fabricId: string;
  readonly event: string;
  readonly from: string;
  readonly state: string;
}

export interface Comparison {
  /** Empty where all is well. */
  readonly faults: readonly string[];
  readonly transitions: number;
  readonly traces: number;
  readonly spans: number;
  readonly runs: number;
  readonly links: number;
}

/** @param lines of a daemon that logs JSON, from level `debug` on */
export function toldTransitions(lines: readonly Readonly<Record<string, unknown>>[]): ToldTransition[] {
  return lines
    .filter((line) => 'event' in line && 'from' in line && 'state' in line && 'fabric_id' in line)
    .map((line) => ({
      traceId: String(line.trace_id),
      fabricId: String(line.fabric_id),
      event: String(line.event),
      from: String(line.from),
      state: String(line.state),
    }));
}

export function compareTransitions(told: readonly ToldTransition[], spans: readonly SeenSpan[]): Comparison {
  const traces = new Map(
    [...Map.groupBy(spans, ({ traceId }) => traceId)].map(([id, those]) => [
      id,
      new Map(those.map((span) => [span.spanId, span])),
    ]),
  );
  const runs = spans.filter(({ name }) => name === 'fabric.run');
  return {
    faults: [...unlike(told, spans), ...strayed(spans, traces), ...unlinked(runs)],
    transitions: told.length,
    traces: traces.size,
    spans: spans.length,
    runs: runs.length,
    links: runs.reduce((sum, { links }) => sum + links.length, 0),
  };
}

/** By a name of the contract: a name that is no more is an error here, not a missing value. */
const attributeOf = ({ attributes }: SeenSpan, name: AttributeName): unknown => attributes[name];

const isTransition = ({ name }: SeenSpan) => name.startsWith('fabric.transition ');

/** TT1 */
function unlike(told: readonly ToldTransition[], spans: readonly SeenSpan[]): string[] {
  const count = (lines: readonly string[]) => new Map([...Map.groupBy(lines, String)].map(([k, v]) => [k, v.length]));
  const said = count(told.map((one) => Object.values(ordered(one)).join(' ')));
  const seen = count(spans.filter(isTransition).map((span) => Object.values(ordered(transitionOf(span))).join(' ')));
  return [...new Set([...said.keys(), ...seen.keys()])].flatMap((line) => {
    const [often = 0, found = 0] = [said.get(line), seen.get(line)];
    return often === found ? [] : [`told ${often} time(s), traced ${found} time(s): ${line}`];
  });
}

const ordered = ({ traceId, fabricId, event, from, state }: ToldTransition) => ({
  traceId,
  fabricId,
  event,
  from,
  state,
});

function transitionOf(span: SeenSpan): ToldTransition {
  return {
    traceId: span.traceId,
    fabricId: String(attributeOf(span, 'fabric.id')),
    event: String(attributeOf(span, 'fabric.transition.event')),
    from: String(attributeOf(span, 'fabric.transition.from')),
    state: top(String(attributeOf(span, 'fabric.transition.to'))),
  };
}

/** TT2 */
function strayed(
  spans: readonly SeenSpan[],
  traces: ReadonlyMap<string, ReadonlyMap<string, SeenSpan>>,
): readonly string[] {
  return spans.flatMap((span) => {
    const { traceId, parentSpanId, name } = span;
    if (parentSpanId === null) return isTransition(span) ? [`${traceId}: ${name} is a root`] : [];
    const parent = traces.get(traceId)?.get(parentSpanId);
    if (!parent) return [`${traceId}: the parent of ${name} is not there`];
    if (!isTransition(span)) return [];
    const { from, state } = transitionOf(span);
    const wanted = top(from) === state ? `fabric.state ${state}` : null;
    // Planned anew where it stands: the stay in that state was no part of the planning.
    if (parent.name === 'fabric.replan' || parent.name === wanted) return [];
    if (wanted === null && parent.parentSpanId === null) return [];
    return [`${traceId}: ${name} (from ${from}) lies below ${parent.name}, of ${attributeOf(span, 'fabric.id')}`];
  });
}

/** TT3 */
function unlinked(runs: readonly SeenSpan[]): readonly string[] {
  const epoch = (run: SeenSpan) => Number(attributeOf(run, 'fabric.run.epoch'));
  const claimed = runs.filter((run) => Number.isFinite(epoch(run)));
  return [...Map.groupBy(claimed, (run) => attributeOf(run, 'fabric.id'))].flatMap(([id, those]) => {
    const inOrder = those.toSorted((one, other) => epoch(one) - epoch(other));
    return inOrder.slice(1).flatMap((run, index) => {
      const trigger = attributeOf(run, 'fabric.run.trigger');
      if (trigger === 'manual') {
        return run.links.length === 1 ? [] : [`manual run ${epoch(run)} of fabric ${id} has ${run.links.length} links`];
      }
      const before = inOrder[index];
      const leadsBack = run.links.some(
        ({ traceId, spanId }) => traceId === before?.traceId && spanId === before.spanId,
      );
      return leadsBack
        ? []
        : [
            `run ${epoch(run)} (${trigger}) of fabric ${id} does not link to the run before it; ${JSON.stringify(run.links)}`,
          ];
    });
  });
}
