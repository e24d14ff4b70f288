// The traces of the last runs, for whoever wants to look without a tracing backend.
//
//   TB1. Bounded three ways: traces a fabric, spans a trace, spans in all. The oldest trace goes first.
//   TB2. A span is turned into a record only when somebody looks.
//   TB3. It keeps what was sampled out of the exporters too, if it was recorded.

import { type HrTime, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

/** One span, as the inspector shows it. */
export interface SpanRecord {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string | null;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** Epoch milliseconds, with a fraction. */
  readonly start_ms: number;
  readonly duration_ms: number;
  readonly status: 'unset' | 'ok' | 'error';
  readonly status_message: string;
  readonly attributes: Readonly<Record<string, SpanValue>>;
  readonly events: readonly {
    readonly name: string;
    readonly at_ms: number;
    readonly attributes: Readonly<Record<string, SpanValue>>;
  }[];
  readonly links: readonly { readonly trace_id: string; readonly span_id: string }[];
}

export type SpanValue = string | number | boolean | readonly string[];

/** One finished trace of a fabric, in one line. */
export interface RecentTrace {
  readonly trace_id: string;
  /** Null for a planning outside of a run, and for a run that was not granted. */
  readonly run: string | null;
  /** As `fabric.run.outcome`; `replan` for a planning, and what was done for an act of a person. */
  readonly outcome: string;
  readonly start_ms: number;
  readonly duration_ms: number;
  readonly spans: number;
}

export interface TraceBufferBounds {
  readonly tracesPerFabric: number;
  readonly spansPerTrace: number;
  readonly spansInAll: number;
}

/** About 20 MB at the most; some eighty cycles of a small fabric. */
export const traceBufferBounds: TraceBufferBounds = { tracesPerFabric: 20, spansPerTrace: 1_000, spansInAll: 10_000 };

interface Kept {
  readonly traceId: string;
  readonly spans: ReadableSpan[];
  /** Spans that were left out (TB1). */
  missing: number;
  /** Set when its root has ended. */
  root: ReadableSpan | null;
}

export class TraceBuffer implements SpanProcessor {
  readonly #bounds: TraceBufferBounds;
  /** In the order in which their first spans ended. */
  readonly #traces = new Map<string, Kept>();
  /** Finished ones by fabric, the newest last. */
  readonly #byFabric = new Map<string, Kept[]>();
  #spans = 0;

  constructor(bounds: TraceBufferBounds = traceBufferBounds) {
    this.#bounds = bounds;
  }

  /** Spans that are kept now. */
  get size(): number {
    return this.#spans;
  }

  /** The finished traces of a fabric, the newest first. */
  recent(fabricId: string): readonly RecentTrace[] {
    return (this.#byFabric.get(fabricId) ?? []).toReversed().flatMap(({ traceId, spans, missing, root }) =>
      root === null
        ? []
        : {
            trace_id: traceId,
            run: text(root.attributes['fabric.run.id']),
            outcome: text(root.attributes['fabric.run.outcome'] ?? root.attributes['fabric.act']) ?? 'replan',
            start_ms: toMs(root.startTime),
            duration_ms: toMs(root.duration),
            spans: spans.length + missing,
          },
    );
  }

  /** The spans of a trace in order of their start, also of one that is not finished; null where it is not known. */
  trace(traceId: string): readonly SpanRecord[] | null {
    const kept = this.#traces.get(traceId);
    return kept ? inOrder(kept.spans.map(recordOf)) : null;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    const { traceId } = span.spanContext();
    let kept = this.#traces.get(traceId);
    if (!kept) {
      kept = { traceId, spans: [], missing: 0, root: null };
      this.#traces.set(traceId, kept);
    }
    const isRoot = span.parentSpanContext === undefined;
    // The root last of all, and always: without it a trace belongs to nobody.
    if (kept.spans.length < this.#bounds.spansPerTrace || isRoot) {
      kept.spans.push(span);
      this.#spans++;
    } else kept.missing++;
    if (isRoot) this.#finish(kept, span);
    for (const oldest of this.#traces.values()) {
      if (this.#spans <= this.#bounds.spansInAll) break;
      this.#drop(oldest);
    }
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}

  #finish(kept: Kept, root: ReadableSpan): void {
    kept.root = root;
    const fabricId = text(root.attributes['fabric.id']);
    // A sweep's: its trace is kept, but is no fabric's.
    if (fabricId === null) return;
    const recent = this.#byFabric.get(fabricId) ?? [];
    this.#byFabric.set(fabricId, recent);
    recent.push(kept);
    const [oldest] = recent;
    if (recent.length > this.#bounds.tracesPerFabric && oldest) this.#drop(oldest);
  }

  #drop(kept: Kept): void {
    this.#traces.delete(kept.traceId);
    this.#spans -= kept.spans.length;
    const fabricId = text(kept.root?.attributes['fabric.id']);
    const recent = fabricId === null ? undefined : this.#byFabric.get(fabricId);
    if (fabricId === null || !recent) return;
    recent.splice(recent.indexOf(kept), 1);
    if (recent.length === 0) this.#byFabric.delete(fabricId);
  }
}

/** By their start, which the SDK knows to the millisecond; of one millisecond the outer ones first, then as they ended. */
function inOrder(spans: readonly SpanRecord[]): readonly SpanRecord[] {
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  const depth = (span: SpanRecord): number => {
    const parent = span.parent_span_id === null ? undefined : byId.get(span.parent_span_id);
    return parent ? 1 + depth(parent) : 0;
  };
  return spans.toSorted((one, other) => one.start_ms - other.start_ms || depth(one) - depth(other));
}

const kinds = {
  [SpanKind.INTERNAL]: 'internal',
  [SpanKind.SERVER]: 'server',
  [SpanKind.CLIENT]: 'client',
  [SpanKind.PRODUCER]: 'producer',
  [SpanKind.CONSUMER]: 'consumer',
} as const;

const statuses = {
  [SpanStatusCode.UNSET]: 'unset',
  [SpanStatusCode.OK]: 'ok',
  [SpanStatusCode.ERROR]: 'error',
} as const;

function recordOf(span: ReadableSpan): SpanRecord {
  const { traceId, spanId } = span.spanContext();
  return {
    trace_id: traceId,
    span_id: spanId,
    parent_span_id: span.parentSpanContext?.spanId ?? null,
    name: span.name,
    kind: kinds[span.kind],
    start_ms: toMs(span.startTime),
    duration_ms: toMs(span.duration),
    status: statuses[span.status.code],
    status_message: span.status.message ?? '',
    attributes: valuesOf(span.attributes),
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      at_ms: toMs(time),
      attributes: valuesOf(attributes ?? {}),
    })),
    links: span.links.map(({ context }) => ({ trace_id: context.traceId, span_id: context.spanId })),
  };
}

function valuesOf(attributes: object): Record<string, SpanValue> {
  const entries = Object.entries(attributes).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name, plain(value)]));
}

function plain(value: unknown): SpanValue {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const toMs = ([seconds, nanoseconds]: HrTime): number => seconds * 1_000 + nanoseconds / 1e6;
