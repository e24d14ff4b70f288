// W3C Trace Context, https://www.w3.org/TR/trace-context/: what a timer, a row and a command pass on, as one line.

import type { SpanContext } from '@opentelemetry/api';

const line = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const sampled = 1;

export function writeTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags & sampled ? '01' : '00'}`;
}

/** @returns null where it is none: it may come from another program, or from a person */
export function readTraceparent(text: string | null | undefined): SpanContext | null {
  const found = line.exec(text?.trim() ?? '');
  if (!found) return null;
  const [, version = '', traceId = '', spanId = '', flags = '', more] = found;
  // A later version may say more; this one may not, and `ff` is no version.
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & sampled, isRemote: true };
}
