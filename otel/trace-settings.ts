// The standard settings of tracing (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/), as
// far as the parts of the SDK that are used here do not read them themselves.

import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  type SpanLimits,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { type Environment, milliseconds } from './asked.ts';

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

/** @param warn told of a sampler that is not known here, and what is used in its place */
export function samplerOf(env: Environment, warn: (line: string) => void): Sampler {
  const name = env.OTEL_TRACES_SAMPLER?.trim().toLowerCase() || 'parentbased_always_on';
  const parentBased = name.startsWith('parentbased_');
  const root = rootSampler(name.replace('parentbased_', ''), env, warn);
  if (root) return parentBased ? new ParentBasedSampler({ root }) : root;
  warn(`OTEL_TRACES_SAMPLER: there is no sampler ${JSON.stringify(name)}; everything is sampled`);
  return new ParentBasedSampler({ root: new AlwaysOnSampler() });
}

function rootSampler(name: string, env: Environment, warn: (line: string) => void): Sampler | null {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio': {
      const ratio = Number(env.OTEL_TRACES_SAMPLER_ARG?.trim() || 1);
      if (ratio >= 0 && ratio <= 1) return new TraceIdRatioBasedSampler(ratio);
      warn('OTEL_TRACES_SAMPLER_ARG: a ratio from 0 to 1 is expected; everything is sampled');
      return new AlwaysOnSampler();
    }
    default:
      return null;
  }
}

export function spanLimits(env: Environment): SpanLimits {
  const limit = (name: string): number | undefined => {
    const text = env[`OTEL_SPAN_${name}`] ?? env[`OTEL_${name}`];
    return text === undefined || text.trim() === '' ? undefined : whole(text, 128);
  };
  const length = limit('ATTRIBUTE_VALUE_LENGTH_LIMIT');
  const count = limit('ATTRIBUTE_COUNT_LIMIT');
  const events = limit('EVENT_COUNT_LIMIT');
  const links = limit('LINK_COUNT_LIMIT');
  return {
    ...(length !== undefined && { attributeValueLengthLimit: length }),
    ...(count !== undefined && { attributeCountLimit: count }),
    ...(events !== undefined && { eventCountLimit: events }),
    ...(links !== undefined && { linkCountLimit: links }),
  };
}

function whole(text: string | undefined, otherwise: number): number {
  const value = Number(text?.trim() || Number.NaN);
  return Number.isSafeInteger(value) && value > 0 ? value : otherwise;
}
