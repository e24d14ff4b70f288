// Decides whether anything is traced, and loads what that takes only then.

import type { MeterProvider } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { type Environment, exportAsked, exporterTrouble, isDisabled } from './asked.ts';
import type { SpanCounts } from './span-queue.ts';
import type { TraceBuffer } from './trace-buffer.ts';
import type { Tracing } from './tracing.ts';

export interface TracesOptions {
  readonly env: Environment;
  readonly resource: Resource;
  readonly version: string;
  /** Keeps the last traces for whoever looks, exported or not. */
  readonly keep: boolean;
  /** For what the exporter tells of itself. */
  readonly meterProvider?: MeterProvider;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  /** One line for the log. */
  readonly warn: (line: string) => void;
}

export interface OpenTraces {
  readonly tracing: Tracing;
  /** Null where they are not kept. */
  readonly buffer: TraceBuffer | null;
  /** What became of the spans; null where nothing is exported. */
  counts(): SpanCounts | null;
  /** Ends what is open and delivers what is queued, within a few seconds. Safe to repeat, and the last thing to stop. */
  stop(): Promise<void>;
}

/** How long a collector that does not answer may hold up the end of the process. */
const shutdownMs = 3_000;

/** @returns null where nothing is traced: then nothing of OpenTelemetry's SDK for traces was loaded */
export async function openTraces(options: TracesOptions): Promise<OpenTraces | null> {
  const { env, keep, nowMs } = options;
  const unknown = exporterTrouble(env, 'TRACES');
  if (unknown !== null) options.warn(unknown);
  if (isDisabled(env) || (!keep && !exportAsked(env, 'TRACES'))) return null;
  const [{ startTracing }, { Traces }, buffer] = await Promise.all([
    import('./trace-start.ts'),
    import('./spans.ts'),
    keep ? import('./trace-buffer.ts').then((loaded) => new loaded.TraceBuffer()) : null,
  ]);
  const running = startTracing({ ...options, also: buffer ? [buffer] : [], shutdownMs });
  const tracing = new Traces({ tracer: running.tracer, nowMs });
  return {
    tracing,
    buffer,
    counts: () => running.counts(),
    async stop() {
      tracing.end();
      await running.stop();
    },
  };
}
