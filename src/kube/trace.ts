// What a request's span tells, by https://opentelemetry.io/docs/specs/semconv/http/http-spans/.
//
//   KT1. No header is told, so no token; and of the query no `continue`: what it holds is the server's affair.

import type { Span } from '@opentelemetry/api';
import { failSpan, openSpan } from '../../otel/in-span.ts';
import { tell } from '../../otel/tell.ts';
import type { ServerUrl } from './address.ts';

/** @param path with its query */
export function openRequest(server: ServerUrl, path: string, resends: number): Span | null {
  return openSpan(
    'http',
    () => attributesOf(server, path, resends),
    () => `GET ${path.replace(/\?.*$/s, '').replace(/\/namespaces\/[^/]+/, '/namespaces/{namespace}')}`,
  );
}

function attributesOf(server: ServerUrl, path: string, resends: number) {
  return {
    'http.request.method': 'GET',
    'url.full': `${server.href}${withoutToken(path)}`,
    'server.address': server.hostname,
    'server.port': server.port,
    ...(resends > 0 && { 'http.request.resend_count': resends }),
  } as const;
}

/** @param failure the code of what went wrong; null where an answer came whole, or nobody wants it any more */
export function endRequest(span: Span, status: number | null, failure: string | null): void {
  if (status !== null) tell(span, { 'http.response.status_code': status });
  if (failure !== null) failSpan(span, failure);
  else if (status !== null && status >= 400) failSpan(span, String(status));
  span.end();
}

function withoutToken(path: string): string {
  return path.replace(/([?&]continue=)[^&]*/, '$1REDACTED');
}
