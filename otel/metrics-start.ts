// Starts the measuring: one provider, one reader, and two who ask it: whoever scrapes, and the exporter by OTLP.
//
//   G1. One reader for both. With two, what one collects is kept for the other until it asks, for ever if it never does.
//   G2. Temporality is cumulative, as Prometheus needs it. Gauges are read anew each time, else a fabric that was removed
//       would be told for ever.
//   G3. A collector that does not answer costs one export at a time, bounded by its timeout; the next one has all.

import { type MeterProvider as AnyMeterProvider, createNoopMeter, type Meter, metrics } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type IMetricReader,
  InstrumentType,
  MeterProvider,
  MetricReader,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { type Environment, isDisabled, milliseconds } from './asked.ts';
import { Metrics } from './metrics.ts';
import { ofSdk } from './names.ts';
import { openExporter } from './open-exporter.ts';
import { observeProcess } from './process-metrics.ts';
import { prometheusText } from './prometheus.ts';

export interface Measuring {
  /** Also for what the SDK's processors and exporters tell of themselves. */
  readonly provider: AnyMeterProvider;
  readonly metrics: Metrics;
  /** Whether they go out by OTLP. */
  readonly exported: boolean;
  /** Prometheus text; null where `OTEL_SDK_DISABLED` says that nothing is measured. Scrapes at once share one look. */
  readonly scrape: (() => Promise<string>) | null;
  /** Exports what is left, within `stopMsMax`. */
  stop(): Promise<void>;
}

/** The conventions' defaults. */
const exportMs = { every: 60_000, timeout: 30_000 };
const stopMsMax = 3_000;
/** Attribute sets of one instrument; above what `Metrics` names, so that it decides and not the SDK. */
const cardinalityMax = 20_000;

export interface MeasuringOptions {
  readonly env: Environment;
  readonly resource: Resource;
  readonly version: string;
  /** Calls back once after so many milliseconds. @returns takes that back */
  readonly after: (ms: number, act: () => void) => () => void;
  /** One line for the log. */
  readonly warn: (line: string) => void;
}

export function startMeasuring({ env, resource, version, after, warn }: MeasuringOptions): Measuring {
  if (isDisabled(env)) return measureNothing();
  const preference = env.OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE?.trim().toLowerCase() || 'cumulative';
  const exporter = openExporter({ env, signal: 'METRICS', warn }, () => new OTLPMetricExporter());
  if (exporter && preference !== 'cumulative') warn(`metrics are cumulative, not "${preference}" as was asked for`);
  const reader = exporter ? pushing(exporter, env) : new PullReader();
  const provider = new MeterProvider({ resource, readers: [reader as IMetricReader] });
  metrics.setGlobalMeterProvider(provider);
  const meter = provider.getMeter('fabric-syncd', version);
  if (exporter) countPoints(exporter, meter);
  const measured = new Metrics(meter);
  const stopProcess = observeProcess(meter, after);
  let look: Promise<string> | null = null;
  return {
    provider,
    metrics: measured,
    exported: exporter !== null,
    scrape: () => {
      look ??= reader
        .collect()
        .then(({ resourceMetrics }) => prometheusText(resourceMetrics))
        .finally(() => {
          look = null;
        });
      return look;
    },
    async stop() {
      metrics.disable();
      // What a collector did not take by then, it never gets.
      await provider.shutdown({ timeoutMillis: stopMsMax }).catch(() => {});
      stopProcess();
    },
  };
}

/** By the conventions' names for what an SDK tells of itself. What one export could not deliver, the next one has again (G3). */
function countPoints(exporter: PushMetricExporter, meter: Meter): void {
  const name = 'otel.sdk.exporter.metric_data_point.exported';
  const points = meter.createCounter(name, { unit: '{data_point}', description: ofSdk[name] });
  const taken = {
    'otel.component.type': 'otlp_http_metric_exporter',
    'otel.component.name': 'otlp_http_metric_exporter/0',
  };
  const refused = { ...taken, 'error.type': 'export_failed' };
  for (const each of [taken, refused]) points.add(0, each);
  const deliver = exporter.export.bind(exporter);
  exporter.export = (batch, done) =>
    deliver(batch, (result) => {
      const counts = batch.scopeMetrics.flatMap(({ metrics }) => metrics.map(({ dataPoints }) => dataPoints.length));
      const count = counts.reduce((sum, one) => sum + one, 0);
      points.add(count, result.code === ExportResultCode.SUCCESS ? taken : refused);
      done(result);
    });
}

function measureNothing(): Measuring {
  const provider: AnyMeterProvider = { getMeter: () => createNoopMeter() };
  return {
    provider,
    metrics: new Metrics(provider.getMeter('')),
    exported: false,
    scrape: null,
    stop: async () => {},
  };
}

/** G2. */
function temporality(instrument: InstrumentType): AggregationTemporality {
  return instrument === InstrumentType.OBSERVABLE_GAUGE
    ? AggregationTemporality.DELTA
    : AggregationTemporality.CUMULATIVE;
}

/** Waits to be asked. */
class PullReader extends MetricReader {
  constructor() {
    super({ aggregationTemporalitySelector: temporality, cardinalitySelector: () => cardinalityMax });
  }

  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

function pushing(exporter: PushMetricExporter, env: Environment): PeriodicExportingMetricReader {
  const every = milliseconds(env.OTEL_METRIC_EXPORT_INTERVAL, exportMs.every);
  const timeout = milliseconds(env.OTEL_METRIC_EXPORT_TIMEOUT, exportMs.timeout);
  exporter.selectAggregationTemporality = temporality;
  return new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: every,
    exportTimeoutMillis: Math.min(every, timeout),
    cardinalityLimits: { default: cardinalityMax },
  });
}
