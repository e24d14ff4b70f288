// The documents that are drawn: the statechart, and the spans of a trace.

// --- GET /api/machine ---

/** The statechart, read off the machine itself. */
export interface MachineDocument {
  readonly id: string;
  /** Path of the outer state that it starts in. */
  readonly initial: string;
  /** Outer states first, in the chart's order, each followed by its inner ones. */
  readonly states: readonly StateDocument[];
  /** In the chart's order; of those that share `from` and `event` the first whose guards hold is taken. */
  readonly transitions: readonly ChartTransition[];
}

export interface StateDocument {
  /** `syncing` or `syncing.running`: what `path`, `from` and `to` say elsewhere. */
  readonly path: string;
  readonly name: string;
  readonly parent: string | null;
  readonly description: string;
  readonly tags: readonly string[];
  /** Path of the inner state that it starts in; null where it has none. */
  readonly initial: string | null;
  /** What it does while it is in force: the names of its ports. */
  readonly invokes: readonly string[];
  /** Deadlines: the name of the delay and how long it is set to. */
  readonly after: readonly { readonly delay: string; readonly ms: number | null }[];
}

export interface ChartTransition {
  readonly from: string;
  /** Null where nothing is left: the event is only noted, or ignored. */
  readonly to: string | null;
  readonly event: string;
  /** For people: `TIMER_DUE`, `acquireLease done`, `runSync failed`, `after runDeadline`, or empty for `always`. */
  readonly label: string;
  readonly kind: 'event' | 'done' | 'failed' | 'after' | 'always';
  /** All must hold. */
  readonly guards: readonly string[];
  readonly actions: readonly string[];
}

// --- GET /api/traces/TRACE_ID ---

export interface TraceDocument {
  readonly trace_id: string;
  /** Null where the daemon does not keep it (any more). In order of their start. */
  readonly spans: readonly SpanDocument[] | null;
  /** Why `spans` is null, for people; else empty. */
  readonly problem: string;
  /** Where a Jaeger is set. */
  readonly jaeger_url: string | null;
}

export interface SpanDocument {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string | null;
  readonly name: string;
  readonly kind: string;
  /** Epoch milliseconds, fractional. */
  readonly start_ms: number;
  readonly duration_ms: number;
  readonly status: 'unset' | 'ok' | 'error';
  readonly status_message: string;
  readonly attributes: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly events: readonly {
    readonly name: string;
    readonly at_ms: number;
    readonly attributes: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  }[];
  readonly links: readonly { readonly trace_id: string; readonly span_id: string }[];
}
