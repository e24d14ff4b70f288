// A timer as it lies in Redis, beside the time it shows at. JSON, so that a person can read it there.

import type { DueKind } from '../../machines/fabric/plan.ts';
import type { Timer } from '../ports/timers.ts';

const kinds: readonly unknown[] = ['sync', 'retry', 'probe'] satisfies DueKind[];

/** No fabric is due before 1970 or after the year 9999: what says so was not written by us, and has no date to speak of. */
const dueMsMax = Date.UTC(9999, 11, 31);

export function writePayload({ kind, dueAtMs, traceparent }: Timer): string {
  return JSON.stringify({ kind, due: dueAtMs, ...(traceparent !== null && { traceparent }) });
}

/** @returns null where it is not what `writePayload` writes: others may write to the same Redis */
export function readPayload(fabricId: string, text: string): Timer | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const { kind, due, traceparent = null } = parsed as Record<string, unknown>;
  if (!kinds.includes(kind) || !Number.isSafeInteger(due)) return null;
  if ((due as number) < 0 || (due as number) > dueMsMax) return null;
  if (traceparent !== null && typeof traceparent !== 'string') return null;
  return { fabricId, kind: kind as DueKind, dueAtMs: due as number, traceparent };
}
