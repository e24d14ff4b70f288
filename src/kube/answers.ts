// What a status other than 200 means.

import { FabricFailure, type FailureCode, oneLine } from '../../machines/fabric/failure.ts';
import { asObject, asText, looksLikeHtml } from './body.ts';

/** An answer as the transport hands it on: the body is whole for 200, else at most its beginning. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | null;
  readonly location: string | null;
  readonly body: Buffer;
}

export type Scrub = (text: string) => string;

/**
 * @param scrub takes secrets out of what the server said
 * @param nowMs epoch milliseconds, for a `Retry-After` that is a date
 */
export function statusFailure(place: string, path: string, answer: Answer, scrub: Scrub, nowMs: number): FabricFailure {
  const said = saidBy(answer, scrub);
  const { status } = answer;
  const failed = (code: FailureCode, words: string) => {
    const retryAfterMs =
      code === 'THROTTLED' || code === 'SERVER_ERROR' ? readRetryAfter(answer.retryAfter, nowMs) : null;
    return new FabricFailure(code, `${place}: ${words}${said === '' ? '' : `: ${said}`}`, {
      facts: { status, path },
      ...(retryAfterMs !== null && { retryAfterMs }),
    });
  };
  if (status >= 300 && status < 400) {
    const target = answer.location === null ? 'elsewhere' : `to ${originOf(scrub(answer.location))}`;
    return failed('REDIRECTED', `answered ${status} and sends us ${target}`);
  }
  if (status === 401) return failed('UNAUTHORIZED', 'the credential was refused (401)');
  if (status === 429) return failed('THROTTLED', 'asks for patience (429)');
  if (status >= 500 && status < 600) return failed('SERVER_ERROR', `answered ${status} to ${path}`);
  if (looksLikeHtml(answer.body, answer.contentType)) {
    return failed('NOT_KUBERNETES', `answered ${status} and a web page to ${path}`);
  }
  if (status === 403) return failed('FORBIDDEN', `has no right to ${path} (403)`);
  if (status !== 404 && isStatusObject(answer)) return failed('SERVER_ERROR', `answered ${status} to ${path}`);
  return failed('NOT_KUBERNETES', `answered ${status} to ${path}`);
}

/** What the server said of its error: the `message` of a Kubernetes Status, or the beginning of a plain text. */
export function saidBy(answer: Answer, scrub: Scrub): string {
  if (looksLikeHtml(answer.body, answer.contentType)) return '';
  const message = asText(statusObject(answer)?.message);
  if (message !== null) return oneLine(scrub(message), 300);
  return /^text\/plain/i.test(answer.contentType) ? oneLine(scrub(answer.body.toString('utf8')), 200) : '';
}

function isStatusObject(answer: Answer): boolean {
  return statusObject(answer)?.kind === 'Status';
}

function statusObject(answer: Answer) {
  try {
    return asObject(JSON.parse(answer.body.toString('utf8')));
  } catch {
    return null;
  }
}

/** `Retry-After` in milliseconds: whole seconds or an HTTP date (RFC 9110, 10.2.3); null where it is neither. */
export function readRetryAfter(header: string | null, nowMs: number): number | null {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}

/** Where a redirect leads, without its path and query: they may hold anything. */
function originOf(location: string): string {
  if (!URL.canParse(location)) return 'another path of its own';
  const { protocol, host } = new URL(location);
  return oneLine(`${protocol}//${host}`, 200);
}
