// The messages of otlp.proto as the decoder gives them: lists are there, absent messages and choices are not.

export interface WireKeyValue {
  readonly key: string;
  readonly value?: WireAny | null;
}

export interface WireAny {
  readonly string_value?: string;
  readonly bool_value?: boolean;
  readonly int_value?: string;
  readonly double_value?: number;
  readonly array_value?: { readonly values: readonly WireAny[] };
  readonly kvlist_value?: { readonly values: readonly WireKeyValue[] };
  readonly bytes_value?: Uint8Array;
}

interface Group {
  readonly resource?: { readonly attributes: readonly WireKeyValue[] } | null;
}

interface Scoped {
  readonly scope?: { readonly name: string; readonly version: string } | null;
}

export interface WireOrigin {
  readonly group: Group;
  readonly scoped: Scoped;
}

export interface WireExportTraces {
  readonly resource_spans: readonly (Group & {
    readonly scope_spans: readonly (Scoped & { readonly spans: readonly WireSpan[] })[];
  })[];
}

export interface WireSpan {
  readonly trace_id: Uint8Array;
  readonly span_id: Uint8Array;
  readonly parent_span_id: Uint8Array;
  readonly name: string;
  readonly kind: number;
  readonly start_time_unix_nano: string;
  readonly end_time_unix_nano: string;
  readonly attributes: readonly WireKeyValue[];
  readonly dropped_attributes_count: number;
  readonly events: readonly {
    readonly time_unix_nano: string;
    readonly name: string;
    readonly attributes: readonly WireKeyValue[];
  }[];
  readonly dropped_events_count: number;
  readonly links: readonly {
    readonly trace_id: Uint8Array;
    readonly span_id: Uint8Array;
    readonly attributes: readonly WireKeyValue[];
  }[];
  readonly dropped_links_count: number;
  readonly status?: { readonly message: string; readonly code: number } | null;
}

export interface WireExportMetrics {
  readonly resource_metrics: readonly (Group & {
    readonly scope_metrics: readonly (Scoped & { readonly metrics: readonly WireMetric[] })[];
  })[];
}

export interface WireMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly gauge?: { readonly data_points: readonly WireNumberPoint[] };
  readonly sum?: {
    readonly data_points: readonly WireNumberPoint[];
    readonly aggregation_temporality: number;
    readonly is_monotonic: boolean;
  };
  readonly histogram?: {
    readonly data_points: readonly WireHistogramPoint[];
    readonly aggregation_temporality: number;
  };
}

interface WirePoint {
  readonly start_time_unix_nano: string;
  readonly time_unix_nano: string;
  readonly exemplars: readonly WireExemplar[];
  readonly attributes: readonly WireKeyValue[];
}

export interface WireNumberPoint extends WirePoint {
  readonly as_double?: number;
  readonly as_int?: string;
}

export interface WireHistogramPoint extends WirePoint {
  readonly count: string;
  readonly sum?: number;
  readonly bucket_counts: readonly string[];
  readonly explicit_bounds: readonly number[];
  readonly min?: number;
  readonly max?: number;
}

export interface WireExemplar {
  readonly time_unix_nano: string;
  readonly as_double?: number;
  readonly as_int?: string;
  readonly span_id: Uint8Array;
  readonly trace_id: Uint8Array;
}

export interface WireExportLogs {
  readonly resource_logs: readonly (Group & {
    readonly scope_logs: readonly (Scoped & { readonly log_records: readonly WireLogRecord[] })[];
  })[];
}

export interface WireLogRecord {
  readonly time_unix_nano: string;
  readonly severity_number: number;
  readonly severity_text: string;
  readonly body?: WireAny | null;
  readonly attributes: readonly WireKeyValue[];
  readonly trace_id: Uint8Array;
  readonly span_id: Uint8Array;
  readonly observed_time_unix_nano: string;
  readonly event_name: string;
}
