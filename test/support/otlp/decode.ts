// OTLP's protobuf, read by its schema beside this file.
//
//   D1. Whatever is no such message is refused, not guessed: `decode…` throws.

import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import type {
  Attributes,
  Exemplar,
  HistogramPoint,
  NumberPoint,
  Origin,
  ReceivedLog,
  ReceivedMetric,
  ReceivedSpan,
  Value,
} from './received.ts';
import type {
  WireAny,
  WireExemplar,
  WireExportLogs,
  WireExportMetrics,
  WireExportTraces,
  WireHistogramPoint,
  WireKeyValue,
  WireLogRecord,
  WireMetric,
  WireNumberPoint,
  WireOrigin,
  WireSpan,
} from './wire.ts';

const schema = protobuf.parse(readFileSync(new URL('./otlp.proto', import.meta.url), 'utf8'), { keepCase: true }).root;
const exportTraces = schema.lookupType('otlp.ExportTraces');
const exportMetrics = schema.lookupType('otlp.ExportMetrics');
const exportLogs = schema.lookupType('otlp.ExportLogs');
const exportAnswer = schema.lookupType('otlp.ExportAnswer');

/** Absent scalars come with their defaults, absent lists are empty, 64-bit numbers are text. */
const read = <Message>(type: protobuf.Type, bytes: Uint8Array): Message =>
  type.toObject(type.decode(bytes), { defaults: true, arrays: true, longs: String }) as Message;

export function decodeTraces(bytes: Uint8Array): ReceivedSpan[] {
  return read<WireExportTraces>(exportTraces, bytes).resource_spans.flatMap((group) =>
    group.scope_spans.flatMap((scoped) => scoped.spans.map((span) => spanOf(span, originOf(group, scoped)))),
  );
}

export function decodeMetrics(bytes: Uint8Array): ReceivedMetric[] {
  return read<WireExportMetrics>(exportMetrics, bytes).resource_metrics.flatMap((group) =>
    group.scope_metrics.flatMap((scoped) => scoped.metrics.map((metric) => metricOf(metric, originOf(group, scoped)))),
  );
}

export function decodeLogs(bytes: Uint8Array): ReceivedLog[] {
  return read<WireExportLogs>(exportLogs, bytes).resource_logs.flatMap((group) =>
    group.scope_logs.flatMap((scoped) => scoped.log_records.map((record) => logOf(record, originOf(group, scoped)))),
  );
}

/** The answer to an export of which not all could be taken; with `rejected` 0, a warning. */
export function encodePartialSuccess(rejected: number, message: string): Uint8Array {
  return exportAnswer
    .encode(exportAnswer.fromObject({ partial_success: { rejected, error_message: message } }))
    .finish();
}

function originOf({ resource }: WireOrigin['group'], { scope }: WireOrigin['scoped']): Origin {
  return {
    resource: attributesOf(resource?.attributes ?? []),
    scope: { name: scope?.name ?? '', version: scope?.version ?? '' },
  };
}

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const statuses = ['unset', 'ok', 'error'] as const;
const temporalities = ['unspecified', 'delta', 'cumulative'] as const;

function spanOf(span: WireSpan, origin: Origin): ReceivedSpan {
  return {
    ...origin,
    traceId: hex(span.trace_id),
    spanId: hex(span.span_id),
    parentSpanId: idOf(span.parent_span_id),
    name: span.name,
    kind: kinds[span.kind] ?? 'unspecified',
    startNs: BigInt(span.start_time_unix_nano),
    endNs: BigInt(span.end_time_unix_nano),
    attributes: attributesOf(span.attributes),
    events: span.events.map(({ name, time_unix_nano, attributes }) => ({
      name,
      atNs: BigInt(time_unix_nano),
      attributes: attributesOf(attributes),
    })),
    links: span.links.map(({ trace_id, span_id, attributes }) => ({
      traceId: hex(trace_id),
      spanId: hex(span_id),
      attributes: attributesOf(attributes),
    })),
    status: { code: statuses[span.status?.code ?? 0] ?? 'unset', message: span.status?.message ?? '' },
    cutOff: span.dropped_attributes_count + span.dropped_events_count + span.dropped_links_count,
  };
}

function metricOf(metric: WireMetric, origin: Origin): ReceivedMetric {
  const { name, description, unit, gauge, sum, histogram } = metric;
  const known = { ...origin, name, description, unit };
  if (gauge) return { ...known, kind: 'gauge', points: gauge.data_points.map(numberOf) };
  if (sum) {
    const temporality = temporalities[sum.aggregation_temporality] ?? 'unspecified';
    return { ...known, kind: 'sum', points: sum.data_points.map(numberOf), temporality, monotonic: sum.is_monotonic };
  }
  if (histogram) {
    const temporality = temporalities[histogram.aggregation_temporality] ?? 'unspecified';
    return { ...known, kind: 'histogram', points: histogram.data_points.map(histogramOf), temporality };
  }
  return { ...known, kind: 'unknown', points: [] };
}

function numberOf(point: WireNumberPoint): NumberPoint {
  return { ...pointOf(point), value: numeric(point) };
}

function histogramOf(point: WireHistogramPoint): HistogramPoint {
  const { count, sum = null, min = null, max = null, explicit_bounds: bounds, bucket_counts } = point;
  return { ...pointOf(point), count: Number(count), sum, min, max, bounds, buckets: bucket_counts.map(Number) };
}

function pointOf(point: WireNumberPoint | WireHistogramPoint) {
  return {
    attributes: attributesOf(point.attributes),
    startNs: BigInt(point.start_time_unix_nano),
    atNs: BigInt(point.time_unix_nano),
    exemplars: point.exemplars.map(exemplarOf),
  };
}

function exemplarOf(exemplar: WireExemplar): Exemplar {
  return {
    atNs: BigInt(exemplar.time_unix_nano),
    value: numeric(exemplar),
    traceId: idOf(exemplar.trace_id),
    spanId: idOf(exemplar.span_id),
  };
}

function logOf(record: WireLogRecord, origin: Origin): ReceivedLog {
  return {
    ...origin,
    atNs: BigInt(record.time_unix_nano),
    observedNs: BigInt(record.observed_time_unix_nano),
    severity: record.severity_number,
    severityText: record.severity_text,
    body: record.body ? plainOf(record.body) : null,
    attributes: attributesOf(record.attributes),
    eventName: record.event_name,
    traceId: idOf(record.trace_id),
    spanId: idOf(record.span_id),
  };
}

const numeric = ({ as_double, as_int }: { as_double?: number; as_int?: string }) => as_double ?? Number(as_int ?? 0);

function attributesOf(pairs: readonly WireKeyValue[]): Attributes {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value ? plainOf(value) : null]));
}

function plainOf(any: WireAny): Value {
  if (any.string_value !== undefined) return any.string_value;
  if (any.bool_value !== undefined) return any.bool_value;
  if (any.int_value !== undefined) return Number(any.int_value);
  if (any.double_value !== undefined) return any.double_value;
  if (any.array_value) return any.array_value.values.map(plainOf);
  if (any.kvlist_value) return attributesOf(any.kvlist_value.values);
  return any.bytes_value ?? null;
}

const hex = (id: Uint8Array): string => Buffer.from(id).toString('hex');

const idOf = (id: Uint8Array): string | null => (id.length === 0 ? null : hex(id));
