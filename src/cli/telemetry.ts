// What a daemon tells of itself beside its log on standard output: metrics, traces, and the log by OTLP. Opened together
// and ended together; what is open when another cannot be opened is ended too, with what it holds delivered.

import { randomUUID } from 'node:crypto';
import type { Measuring } from '../../otel/metrics-start.ts';
import type { OpenTraces } from '../../otel/start.ts';
import type { Config } from '../config.ts';
import type { RootLog } from '../log.ts';
import type { World } from './world.ts';

export interface Telemetry {
  readonly measuring: Measuring;
  /** Null where nothing is traced. */
  readonly traces: OpenTraces | null;
  /** Delivers what is left, within a few seconds. */
  stop(): Promise<void>;
}

export async function openTelemetry(
  { env, clock }: Pick<World, 'env' | 'clock'>,
  { config, log, version }: { readonly config: Config; readonly log: RootLog; readonly version: string },
): Promise<Telemetry> {
  // Loaded here, so that `--help` need not wait for drivers.
  const [{ startMeasuring }, { startLogExport }, { openTraces }, { resourceOf }] = await Promise.all([
    import('../../otel/metrics-start.ts'),
    import('../../otel/log-start.ts'),
    import('../../otel/start.ts'),
    import('../../otel/resource.ts'),
  ]);
  const warn = (line: string) => log.warn({}, line);
  const resource = resourceOf({ env, version, instance: randomUUID() });
  const open: (() => Promise<void>)[] = [];
  // Side by side: each may take seconds where its collector does not answer.
  const stop = async () => {
    const ended = await Promise.allSettled(open.splice(0).map((end) => end()));
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  };
  try {
    const measuring = startMeasuring({ env, resource, version, after: clock.after, warn });
    open.push(() => measuring.stop());
    const meterProvider = measuring.provider;
    const logExport = startLogExport({ env, resource, version, meterProvider, warn });
    if (logExport) {
      log.alsoTo((line) => logExport.send(line));
      open.push(() => logExport.stop());
    }
    const keep = config.inspector !== null;
    const traces = await openTraces({ env, resource, version, keep, meterProvider, nowMs: clock.nowMs, warn });
    if (traces) open.push(() => traces.stop());
    return { measuring, traces, stop };
  } catch (cause) {
    await stop().catch((more: unknown) => log.warn({ err: more }, 'a part of the telemetry did not end cleanly'));
    throw cause;
  }
}
