// A command as the beginning of what it asks for: where traces are exported it is a span of its own, which the daemon's run
// links to; where they are not, whoever called it may have one (`TRACEPARENT`), and that is passed on.

import { type Context, context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { exportAsked } from '../../otel/asked.ts';
import { spans } from '../../otel/names.ts';
import { readTraceparent, writeTraceparent } from '../../otel/traceparent.ts';
import { noTracing, type Tracing } from '../../otel/tracing.ts';
import { readVersion } from '../version.ts';
import { CliFailure } from './cli-failure.ts';
import { type Exit, exitCodes } from './exit-codes.ts';
import type { World } from './world.ts';

export interface Asking {
  /** W3C trace context of whoever asks; null where nobody traces. */
  readonly traceparent: string | null;
  /** For what is done here. */
  readonly tracing: Tracing;
}

/** Does the work of a verb; what it came to is told by its span. */
export async function traced(
  world: Pick<World, 'env' | 'clock'>,
  verb: string,
  warn: (line: string) => void,
  work: (asking: Asking) => Promise<Exit>,
): Promise<Exit> {
  const { env, clock } = world;
  const caller = readTraceparent(env.TRACEPARENT);
  if (!exportAsked(env, 'TRACES')) {
    return work({ traceparent: caller && writeTraceparent(caller), tracing: noTracing });
  }
  const [{ openTraces }, { resourceOf }, { randomUUID }] = await Promise.all([
    import('../../otel/start.ts'),
    import('../../otel/resource.ts'),
    import('node:crypto'),
  ]);
  const version = readVersion();
  const resource = resourceOf({ env, version, instance: randomUUID() });
  const traces = await openTraces({ env, resource, version, keep: false, nowMs: clock.nowMs, warn });
  const above: Context = caller ? trace.setSpanContext(ROOT_CONTEXT, caller) : ROOT_CONTEXT;
  const span = trace
    .getTracer('fabric-syncd', version)
    .startSpan(
      spans.command.name.replace('{fabric.cli.verb}', verb),
      { kind: SpanKind.CLIENT, attributes: { 'fabric.cli.verb': verb } },
      above,
    );
  let exit: Exit = 'failed';
  try {
    const tracing = traces?.tracing ?? noTracing;
    // Not within the span: what is run here is a run, and links to it.
    exit = await context.with(ROOT_CONTEXT, () => work({ traceparent: writeTraceparent(span.spanContext()), tracing }));
    return exit;
  } catch (thrown) {
    if (thrown instanceof CliFailure) exit = thrown.exit;
    throw thrown;
  } finally {
    span.setAttribute('process.exit.code', exitCodes[exit].code);
    span.end();
    await traces?.stop();
  }
}
