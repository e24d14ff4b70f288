// Puts attributes on spans.
//
//   TA1. The SDK takes attributes of any shape: it looks at each with a WeakSet of its own, and twice where it comes with
//        the span's start. That is a third of what a span allocates. Ours are strings, numbers and booleans by their type
//        (`Told`), so they are put where the SDK would put them.
//   TA2. Where somebody limits attributes, it is the SDK that puts them, as it knows how to cut them.

import type { Attributes, Context, Span, SpanOptions, Tracer } from '@opentelemetry/api';
import type { Environment } from './asked.ts';
import type { AttributeName } from './names.ts';

/** Attributes under names of the contract. */
export type Told = Readonly<Partial<Record<AttributeName, string | number | boolean>>>;

const limits = [
  'OTEL_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT',
  'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
] as const;

let isLimited = true;

/** How it is done from now on: one way for all spans of a process, as there is one SDK. */
export function tellWithin(env: Environment): void {
  isLimited = limits.some((name) => env[name]?.trim());
}

/** Puts them on a span that has not ended. */
export function tell(span: Span, told: Told): void {
  // One that is not recorded has none.
  const { attributes } = span as Span & { readonly attributes?: Attributes };
  if (isLimited || !attributes || !span.isRecording()) span.setAttributes(told as Attributes);
  else Object.assign(attributes, told);
}

/** The same as `startSpan` with `attributes`. */
export function startTold(
  tracer: Tracer,
  name: string,
  told: Told,
  options: Omit<SpanOptions, 'attributes'>,
  within: Context,
): Span {
  if (isLimited) return tracer.startSpan(name, { ...options, attributes: told as Attributes }, within);
  const span = tracer.startSpan(name, options, within);
  tell(span, told);
  return span;
}
