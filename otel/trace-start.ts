// Starts the tracing: the provider, its processors, and the context that follows asynchronous work. Loaded only where traces
// are exported or kept for the inspector.
//
//   TS1. What tracing can do wrong it does by itself: a collector that is away, slow or refuses costs spans, which are
//        counted, and a log line; never a run, and no memory beyond the queue.

import {
  context,
  DiagLogLevel,
  diag,
  logs,
  type MeterProvider,
  propagation,
  ROOT_CONTEXT,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { Resource } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import { type Environment, exportAsked, protocolTrouble } from './asked.ts';
import { traceWith } from './in-span.ts';
import { ofSdk } from './names.ts';
import { type SpanCounts, SpanQueue } from './span-queue.ts';
import { tellWithin } from './tell.ts';
import { queueSettings } from './trace-settings.ts';

export interface TracingOptions {
  readonly env: Environment;
  readonly resource: Resource;
  readonly version: string;
  /** Hears every span too, beside the exporter. */
  readonly also?: readonly SpanProcessor[];
  /** In place of OTLP. */
  readonly exporter?: SpanExporter;
  /** For what the queue tells of itself. */
  readonly meterProvider?: MeterProvider;
  readonly shutdownMs: number;
  /** One line for the log. */
  readonly warn: (line: string) => void;
}

export interface RunningTracing {
  readonly tracer: Tracer;
  /** Null where nothing is exported. */
  counts(): SpanCounts | null;
  flush(): Promise<void>;
  /** Delivers what is queued, within the deadline. Safe to repeat. */
  stop(): Promise<void>;
}

export function startTracing(options: TracingOptions): RunningTracing {
  const { env, resource, version, also = [], warn } = options;
  const exporter = options.exporter ?? (exportAsked(env, 'TRACES') ? otlpExporter(env, warn) : null);
  const queue =
    exporter &&
    new SpanQueue({ ...queueSettings(env), exporter, shutdownMs: options.shutdownMs, onTrouble: teller(warn) });
  const processors = queue ? [...also, queue] : [...also];
  // The sampler, the limits of spans and the propagators are read from `OTEL_*` by the SDK. Metrics and log lines are
  // started elsewhere: they are there without it.
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    spanProcessors: processors,
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
  });
  tellWithin(env);
  starting(sdk, warn);
  const tracer = trace.getTracer('fabric-syncd', version);
  traceWith(tracer);
  const stopObserving = queue && options.meterProvider ? observe(queue, options.meterProvider, env) : () => {};
  let stopping: Promise<void> | null = null;
  const stop = async () => {
    traceWith(null);
    trace.disable();
    logs.disable();
    context.disable();
    propagation.disable();
    try {
      await sdk.shutdown();
    } finally {
      stopObserving();
    }
  };
  return {
    tracer,
    counts: () => queue?.counts ?? null,
    async flush() {
      await Promise.all(processors.map((processor) => processor.forceFlush()));
    },
    stop() {
      stopping ??= context.with(ROOT_CONTEXT, stop);
      return stopping;
    },
  };
}

/** What the SDK finds wrong with its settings belongs into our log: its own way would be plain lines on standard output. */
function starting(sdk: NodeSDK, warn: (line: string) => void): void {
  const quiet = () => {};
  const logger = { error: warn, warn, info: quiet, debug: quiet, verbose: quiet };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  try {
    sdk.start();
  } finally {
    diag.disable();
  }
}

/** The exporter reads all other `OTEL_EXPORTER_OTLP_*` settings itself. */
function otlpExporter(env: Environment, warn: (line: string) => void): SpanExporter | null {
  const trouble = protocolTrouble(env, 'TRACES');
  if (trouble !== null) {
    warn(`traces are not exported: ${trouble}`);
    return null;
  }
  try {
    return new OTLPTraceExporter({ url: tracesUrl(env) });
  } catch (thrown) {
    warn(`traces are not exported: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return null;
  }
}

function tracesUrl(env: Environment): string {
  const own = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?.trim();
  if (own) return own;
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim() || 'http://localhost:4318';
  return `${base.replace(/\/+$/, '')}/v1/traces`;
}

/** At most one line of trouble a minute, and one when it is over. */
function teller(warn: (line: string) => void): (trouble: string | null) => void {
  let silent = false;
  let told = false;
  return (trouble) => {
    if (trouble === null) {
      if (told && !silent) {
        told = false;
        warn('traces are delivered again');
      }
      return;
    }
    if (silent) return;
    silent = true;
    told = true;
    warn(`traces are not delivered: ${trouble}`);
    setTimeout(() => {
      silent = false;
    }, 60_000).unref();
  };
}

/** By the conventions' names for what an SDK tells of itself. */
function observe(queue: SpanQueue, provider: MeterProvider, env: Environment): () => void {
  const meter = provider.getMeter('fabric-syncd');
  const component = {
    'otel.component.type': 'batching_span_processor',
    'otel.component.name': 'batching_span_processor/0',
  };
  const processed = meter.createObservableCounter('otel.sdk.processor.span.processed', {
    unit: '{span}',
    description: ofSdk['otel.sdk.processor.span.processed'],
  });
  const size = meter.createObservableUpDownCounter('otel.sdk.processor.span.queue.size', {
    unit: '{span}',
    description: ofSdk['otel.sdk.processor.span.queue.size'],
  });
  const capacity = meter.createObservableUpDownCounter('otel.sdk.processor.span.queue.capacity', {
    unit: '{span}',
    description: ofSdk['otel.sdk.processor.span.queue.capacity'],
  });
  const look: Parameters<typeof meter.addBatchObservableCallback>[0] = (seen) => {
    const { exported, failed, dropped, queued } = queue.counts;
    seen.observe(processed, exported, component);
    seen.observe(processed, failed, { ...component, 'error.type': 'export_failed' });
    seen.observe(processed, dropped, { ...component, 'error.type': 'queue_full' });
    seen.observe(size, queued, component);
    seen.observe(capacity, queueSettings(env).queueMax, component);
  };
  const instruments = [processed, size, capacity];
  meter.addBatchObservableCallback(look, instruments);
  return () => meter.removeBatchObservableCallback(look, instruments);
}
