// GET requests to one fabric, within their deadlines.
//
//   G1. A request ends within `requestTimeoutMs`, whatever the other side does, drip its body for instance.
//   G2. A 401 asks for the credential anew, once a request.
//   G3. The caller's abort comes out as the signal's own reason. Anything else that goes wrong is a FabricFailure.
//   G4. No redirect is followed, no body is asked for compressed: a fabric is near, a page is small, and what is
//       received is then what is counted and bounded.

import { setImmediate as turn } from 'node:timers/promises';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { systemClock } from '../clock.ts';
import type { Credential, FabricAddress } from '../ports/fabric-api.ts';
import { placeOf, readServerUrl } from './address.ts';
import { type Answer, statusFailure } from './answers.ts';
import { isTooDense, readBody, tooDense, tooLarge } from './body.ts';
import { type Phase, reachFailure } from './errors.ts';
import type { KubeLimits } from './limits.ts';
import { closedFailure, type Opened, openSession } from './session.ts';
import { endRequest, openRequest } from './trace.ts';

/** One HTTP exchange, for traces and counts. */
export interface RequestInfo {
  readonly method: 'GET';
  /** Without the query. */
  readonly urlPath: string;
  /** Null where no answer came. */
  readonly status: number | null;
  /** Of the body, as far as it was read. */
  readonly bytes: number;
  readonly durationMs: number;
}

export type OnRequest = (info: RequestInfo) => void;

export interface Transport {
  /** The fabric and its address, for messages. */
  readonly place: string;
  /** @param path under the server URL, encoded, with its query */
  get(path: string, signal: AbortSignal): Promise<Answer>;
  /** The failure that an answer means. */
  failure(path: string, answer: Answer): FabricFailure;
  /** A text of the server without the token, should it have echoed it. Scrub first, shorten afterwards. */
  scrub(text: string): string;
  /** Closes the connections until the next request. @returns false where a request is in hand: nothing happened */
  rest(): boolean;
  close(): Promise<void>;
}

/** The text of an error is worth this much and no more. */
const errorBytesMax = 64 * 1024;

/** @throws FabricFailure `SETTINGS_INVALID` where the address cannot be used */
export function openTransport(
  address: FabricAddress,
  askCredential: () => Promise<Credential>,
  limits: KubeLimits,
  onRequest?: OnRequest,
): Transport {
  const server = readServerUrl(address.server);
  const place = placeOf(address.fabricName, server);
  const session = openSession({ place, server, address, limits, askCredential });
  let inHand = 0;

  const exchange = async (
    path: string,
    using: Opened,
    signal: AbortSignal,
    progress: Progress,
    resends = 0,
  ): Promise<Answer> => {
    const startedMs = systemClock.monotonicMs();
    const span = openRequest(server, path, resends);
    let status: number | null = null;
    let failure: string | null = null;
    progress.phase = 'asking';
    progress.bytes = 0;
    try {
      const { credential, connections } = using;
      const response = await connections.agent.request({
        origin: server.origin,
        path: `${server.prefix}${path}`,
        method: 'GET',
        headers: {
          accept: 'application/json',
          'accept-encoding': 'identity',
          'user-agent': 'fabric-syncd',
          ...(credential.kind === 'token' && { authorization: `Bearer ${credential.token}` }),
        },
        signal,
      });
      status = response.statusCode;
      progress.phase = 'reading';
      const { headers } = response;
      const bytesMax = status === 200 ? limits.bodyBytesMax : errorBytesMax;
      if (status === 200 && Number(headers['content-length'] ?? 0) > bytesMax) {
        // An error handler first: destroying a body makes it emit one.
        response.body.on('error', () => {}).destroy();
        throw tooLarge(place, bytesMax);
      }
      const body = await readBody(place, response.body, bytesMax, status === 200 ? 'fail' : 'cut', (bytes) => {
        progress.bytes += bytes;
      });
      if (status === 200 && isTooDense(body, bytesMax)) throw tooDense(place, bytesMax);
      // undici frees a connection one turn of the loop after its answer ended. Asking again before that would open another
      // one: a list of many pages would take two handshakes instead of one.
      await turn();
      return {
        status,
        contentType: textOf(headers['content-type']) ?? '',
        retryAfter: textOf(headers['retry-after']),
        location: textOf(headers.location),
        body,
      };
    } catch (thrown) {
      // Cut off by whoever asked: nothing went wrong here.
      if (progress.late) failure = 'TIMED_OUT';
      else if (!signal.aborted) failure = reachFailure(place, thrown, progress.phase).code;
      throw thrown;
    } finally {
      if (span) endRequest(span, status, failure);
      onRequest?.({
        method: 'GET',
        urlPath: path.replace(/\?.*$/s, ''),
        status,
        bytes: progress.bytes,
        durationMs: systemClock.monotonicMs() - startedMs,
      });
    }
  };

  return {
    place,
    scrub: session.scrub,
    async get(path, signal) {
      signal.throwIfAborted();
      if (session.closed) throw closedFailure(place);
      inHand += 1;
      const progress: Progress = { phase: 'opening', bytes: 0, late: false };
      const stop = new AbortController();
      const timer = setTimeout(() => {
        progress.late = true;
        stop.abort(new Error('the deadline of the request has passed'));
      }, limits.requestTimeoutMs);
      const onAbort = () => stop.abort(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        const asked = session.opened();
        const answer = await exchange(path, await unless(stop.signal, asked), stop.signal, progress);
        if (answer.status !== 401) return answer;
        progress.phase = 'opening';
        return await exchange(path, await unless(stop.signal, session.renewed(asked)), stop.signal, progress, 1);
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        if (progress.late) throw tooLate(place, path, limits, progress);
        if (session.closed) throw closedFailure(place);
        throw reachFailure(place, thrown, progress.phase === 'reading' ? 'reading' : 'asking');
      } finally {
        inHand -= 1;
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      }
    },
    failure(path, answer) {
      return statusFailure(place, path.replace(/\?.*$/s, ''), answer, session.scrub, systemClock.nowMs());
    },
    rest() {
      if (inHand > 0) return false;
      session.rest();
      return true;
    },
    close: () => session.close(),
  };
}

interface Progress {
  phase: 'opening' | Phase;
  bytes: number;
  /** The deadline of the request has passed. */
  late: boolean;
}

function tooLate(place: string, path: string, limits: KubeLimits, { phase, bytes }: Progress): FabricFailure {
  const where = path.replace(/\?.*$/s, '');
  const words = {
    opening: 'the credential was not read',
    asking: 'did not answer',
    reading: `sent ${bytes} bytes and did not finish`,
  }[phase];
  return new FabricFailure('TIMED_OUT', `${place}: ${words} within ${limits.requestTimeoutMs} ms (${where})`, {
    facts: { path: where, bytes, timeoutMs: limits.requestTimeoutMs },
  });
}

/** The promise, or the signal's reason if that comes first. The promise itself goes on. */
async function unless<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value> {
  // Whoever comes too late to hear of its failure must not leave it unheard.
  promise.catch(() => {});
  signal.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    aborted.catch(() => {});
  }
}

function textOf(header: string | string[] | undefined): string | null {
  return (Array.isArray(header) ? header[0] : header) ?? null;
}
