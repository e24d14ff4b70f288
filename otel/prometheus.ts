// The metrics as Prometheus reads them, by the official serializer.
//
//   The serializer leaves units out of names. The specification has them in (`_seconds`, `_bytes`, `_ratio`), and so do
//   a collector and Prometheus's own OTLP intake: they are put in here, so that one dashboard serves whichever way the
//   metrics came.

import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { DataPointType, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics';

export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** The units that are used here. What is counted (`{run}`) leaves no mark. */
const words: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/** One scope, one process: neither the scope nor the resource is repeated on each line; `target_info` tells the resource. */
const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);

/** Text of the exposition format 0.0.4. */
export function prometheusText({ resource, scopeMetrics }: ResourceMetrics): string {
  const named = scopeMetrics.map(({ scope, metrics }) => ({ scope, metrics: metrics.map(withUnit) }));
  return `${serializer.serialize({ resource, scopeMetrics: named }).trimEnd()}\n`;
}

function withUnit(metric: MetricData): MetricData {
  const { descriptor } = metric;
  const word =
    descriptor.unit === '1' && metric.dataPointType === DataPointType.GAUGE ? 'ratio' : words[descriptor.unit];
  // The unit stands in the name; a comment of its own is for OpenMetrics.
  const name = word === undefined || descriptor.name.endsWith(word) ? descriptor.name : `${descriptor.name}.${word}`;
  return { ...metric, descriptor: { ...descriptor, name, unit: '' } };
}
