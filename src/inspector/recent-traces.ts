// What the inspector asks of whoever keeps the spans of the last runs.

import type { SpanDocument } from './documents.ts';

export interface RecentTraces {
  /** In order of their start; null where it is not kept (any more). */
  trace(traceId: string): readonly SpanDocument[] | null;
}

/** The trace's id in a W3C `traceparent`; null where it is none. */
export function traceIdOf(traceparent: string | null | undefined): string | null {
  const [, traceId] = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent ?? '') ?? [];
  return traceId === undefined || /^0+$/.test(traceId) ? null : traceId;
}

/** @param template an http(s) URL with `{trace_id}` in it, or the base of a Jaeger; null where none is set */
export function jaegerUrl(template: string | null, traceId: string): string | null {
  if (template === null) return null;
  if (template.includes('{trace_id}')) return template.replaceAll('{trace_id}', traceId);
  return `${template.replace(/\/+$/, '')}/trace/${traceId}`;
}
