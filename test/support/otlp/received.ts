// What an OTLP receiver makes of what it is sent: plain values, ids in hexadecimal, times in nanoseconds since 1970.

export type Value =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value };
export type Attributes = Readonly<Record<string, Value>>;

/** Who tells it: the same for everything in one message. */
export interface Origin {
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string };
}

export interface ReceivedSpan extends Origin {
  readonly traceId: string;
  readonly spanId: string;
  /** Null for a root. */
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly atNs: bigint; readonly attributes: Attributes }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: Attributes }[];
  readonly status: { readonly code: 'unset' | 'ok' | 'error'; readonly message: string };
  /** What the SDK's limits cut off: attributes, events and links together. */
  readonly cutOff: number;
}

export interface Exemplar {
  readonly atNs: bigint;
  readonly value: number;
  readonly traceId: string | null;
  readonly spanId: string | null;
}

interface Point {
  readonly attributes: Attributes;
  readonly startNs: bigint;
  readonly atNs: bigint;
  readonly exemplars: readonly Exemplar[];
}

export interface NumberPoint extends Point {
  readonly value: number;
}

export interface HistogramPoint extends Point {
  readonly count: number;
  readonly sum: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly bounds: readonly number[];
  /** One more than `bounds`. */
  readonly buckets: readonly number[];
}

export type Temporality = 'unspecified' | 'delta' | 'cumulative';

export type ReceivedMetric = Origin & {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
} & (
    | { readonly kind: 'gauge'; readonly points: readonly NumberPoint[] }
    | {
        readonly kind: 'sum';
        readonly points: readonly NumberPoint[];
        readonly temporality: Temporality;
        readonly monotonic: boolean;
      }
    | { readonly kind: 'histogram'; readonly points: readonly HistogramPoint[]; readonly temporality: Temporality }
    /** Another kind of data, or none. */
    | { readonly kind: 'unknown'; readonly points: readonly [] }
  );

export interface ReceivedLog extends Origin {
  readonly atNs: bigint;
  readonly observedNs: bigint;
  readonly severity: number;
  readonly severityText: string;
  readonly body: Value;
  readonly attributes: Attributes;
  readonly eventName: string;
  readonly traceId: string | null;
  readonly spanId: string | null;
}
