// Answers a scrape: the metrics as text, for the admin socket and for the listener of their own.
//
//   H1. Only GET and HEAD. Whatever else is asked changes nothing and learns nothing.
//   H2. A reader that is slow is cut off: its answer is kept in our memory for as long.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';

/** What is scraped, as text; null: nothing is measured, as somebody said so. */
export type Scrape = (() => Promise<string>) | null;

export interface ScrapeDeps {
  readonly scrape: Scrape;
  readonly contentType: string;
  readonly clock: Clock;
}

export const metricsPaths: readonly string[] = ['/metrics', '/v1/metrics'];
/** To the last byte: above what Prometheus waits for by default (10 s). */
const answerMsMax = 20_000;

/** The path is one of `metricsPaths`. Never rejects. */
export async function answerScrape(
  { scrape, contentType, clock }: ScrapeDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    refuse(response, 405, 'only GET and HEAD', { allow: 'GET, HEAD' });
    return;
  }
  if (!scrape) {
    refuse(response, 404, 'nothing is measured: OTEL_SDK_DISABLED is set');
    return;
  }
  const stopTimer = clock.after(answerMsMax, () => response.destroy());
  response.on('close', stopTimer);
  try {
    const text = Buffer.from(await scrape());
    response.writeHead(200, {
      'content-type': contentType,
      'content-length': text.length,
      'cache-control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  } catch {
    refuse(response, 503, 'the metrics cannot be read now');
  }
}

/** In one line of text. */
export function refuse(
  response: ServerResponse,
  status: number,
  why: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${why}\n`);
}
