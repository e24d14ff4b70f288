// A daemon without servers whose traces are kept: what `memory-daemon.ts` makes, with the real SDK and an exporter in memory.

import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { onTestFinished } from 'vitest';
import { resourceOf } from '../../otel/resource.ts';
import { Traces } from '../../otel/spans.ts';
import { TraceBuffer } from '../../otel/trace-buffer.ts';
import { type RunningTracing, startTracing } from '../../otel/trace-start.ts';
import { type MemoryDaemon, type MemoryPlace, memoryDaemon, memoryPlace } from './memory-daemon.ts';

export interface Told {
  readonly sdk: RunningTracing;
  readonly buffer: TraceBuffer;
  /** Every span that was exported so far, in the order in which they ended. */
  spans(): Promise<readonly ReadableSpan[]>;
}

/** The SDK, started for this test alone: it is global to the process. */
export function tellTraces(env: Record<string, string> = {}): Told {
  const exporter = new InMemorySpanExporter();
  const buffer = new TraceBuffer();
  const sdk = startTracing({
    env,
    resource: resourceOf({ env, version: '1.2.3', instance: 'test' }),
    version: '1.2.3',
    also: [buffer],
    exporter,
    shutdownMs: 1_000,
    warn: () => {},
  });
  onTestFinished(() => sdk.stop());
  return {
    sdk,
    buffer,
    async spans() {
      await sdk.flush();
      return exporter.getFinishedSpans();
    },
  };
}

export interface TracedPlace extends MemoryPlace, Told {
  readonly traces: Traces;
  readonly daemon: MemoryDaemon;
}

/** @param env settings of the daemon and of the SDK */
export function tracedDaemon({
  env = {},
  place = memoryPlace(),
  name = 'one',
  told = tellTraces(env),
}: {
  env?: Record<string, string>;
  place?: MemoryPlace;
  name?: string;
  told?: Told;
} = {}): TracedPlace {
  const traces = new Traces({ tracer: told.sdk.tracer, nowMs: place.clock.nowMs });
  const daemon = memoryDaemon(place, name, { env, tracing: traces });
  return { ...place, ...told, traces, daemon };
}

/** Names of spans as a tree, children in the order in which they began. */
export function treeOf(spans: readonly ReadableSpan[], traceId: string): readonly string[] {
  const mine = spans.filter((span) => span.spanContext().traceId === traceId);
  const began = (one: ReadableSpan) => one.startTime[0] * 1e9 + one.startTime[1];
  const below = (parent: string | undefined, depth: number): string[] =>
    mine
      .filter((span) => span.parentSpanContext?.spanId === parent)
      .toSorted((one, other) => began(one) - began(other))
      .flatMap((span) => [`${'  '.repeat(depth)}${span.name}`, ...below(span.spanContext().spanId, depth + 1)]);
  return below(undefined, 0);
}
