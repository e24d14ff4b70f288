// The standard settings of tracing (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/), as
// far as the parts of the SDK that are used here do not read them themselves.

import { type Environment, milliseconds, whole } from './asked.ts';

export interface QueueSettings {
  readonly queueMax: number;
  readonly batchMax: number;
  readonly delayMs: number;
  readonly exportMs: number;
}

/**
 * A cycle has some fifty spans, a thousand fabrics that begin together fifty thousand, over the half minute that they are
 * spread over. This holds ten seconds of that, in some 30 MB, should the collector stand still.
 */
const queueMaxDefault = 16_384;

export function queueSettings(env: Environment): QueueSettings {
  const queueMax = whole(env.OTEL_BSP_MAX_QUEUE_SIZE, queueMaxDefault);
  return {
    queueMax,
    batchMax: Math.min(queueMax, whole(env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE, 512)),
    delayMs: milliseconds(env.OTEL_BSP_SCHEDULE_DELAY, 5_000),
    exportMs: milliseconds(env.OTEL_BSP_EXPORT_TIMEOUT, 30_000),
  };
}
