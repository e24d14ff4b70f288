// The metrics as Prometheus reads them, by the official serializer.
//
//   The serializer leaves units out of names. The specification has them in (`_seconds`, `_bytes`, `_ratio`), and so do
//   a collector and Prometheus's own OTLP intake: they are put in here, so that one dashboard serves whichever way the
//   metrics came.

import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { DataPointType, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { MetricContract } from './contract.ts';

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

/** What a metric of the contract is called there. */
export function prometheusName({ name, kind, unit }: MetricContract): string {
  const isGauge = kind === 'observed gauge';
  const named = nameWithUnit(name, unit, isGauge).replaceAll('.', '_');
  return kind.endsWith('counter') ? `${named}_total` : named;
}

function withUnit(metric: MetricData): MetricData {
  const { descriptor } = metric;
  // The unit stands in the name; a comment of its own is for OpenMetrics.
  const name = nameWithUnit(descriptor.name, descriptor.unit, metric.dataPointType === DataPointType.GAUGE);
  return { ...metric, descriptor: { ...descriptor, name, unit: '' } };
}

function nameWithUnit(name: string, unit: string, isGauge: boolean): string {
  const word = unit === '1' && isGauge ? 'ratio' : words[unit];
  return word === undefined || name.endsWith(word) ? name : `${name}.${word}`;
}
