// GET requests to one fabric: connections, deadlines, the credential.
//
//   G1. A request ends within `requestTimeoutMs`, whatever the other side does, drip its body for instance.
//   G2. A 401 asks for the credential anew, once a request; requests that meet it together share the asking.
//   G3. The caller's abort comes out as the signal's own reason. Anything else that goes wrong is a FabricFailure.
//   G4. No redirect is followed, no body is asked for compressed: a fabric is near, a page is small, and what is
//       received is then what is counted and bounded.

import { setImmediate as turn } from 'node:timers/promises';
import { Agent } from 'undici';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { systemClock } from '../clock.ts';
import type { Credential, FabricAddress } from '../ports/fabric-api.ts';
import { placeOf, readServerUrl } from './address.ts';
import { type Answer, saidBy, statusFailure } from './answers.ts';
import { readBody, tooLarge } from './body.ts';
import { type Connector, openConnector } from './connector.ts';
import { type Phase, reachFailure } from './errors.ts';
import { type KubeLimits, kubeLimitsDefault } from './limits.ts';
import { secureContextFor } from './tls.ts';
import { assertToken } from './token.ts';

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
  /** What the server said, without the token, should it have echoed it. */
  said(answer: Answer): string;
  close(): Promise<void>;
}

/** The text of an error is worth this much and no more. */
const errorBytesMax = 64 * 1024;

/** What a credential is sent over. */
interface Connections {
  readonly agent: Agent;
  readonly connector: Connector;
}

interface Opened {
  readonly credential: Credential;
  readonly connections: Connections;
}

/** @throws FabricFailure `SETTINGS_INVALID` where the address can not be used */
export function openTransport(
  address: FabricAddress,
  askCredential: () => Promise<Credential>,
  limits: KubeLimits,
  onRequest?: OnRequest,
): Transport {
  const server = readServerUrl(address.server);
  const place = placeOf(address.fabricName, server);
  const all = new Set<Connections>();
  const secrets = new Set<string>();
  let current: Promise<Opened> | null = null;
  let closed = false;

  const connectionsFor = (credential: Credential): Connections => {
    const connector = openConnector({
      place,
      server,
      tlsServerName: address.tlsServerName,
      secureContext: secureContextFor(address, credential),
      timeoutMs: limits.connectTimeoutMs,
    });
    const agent = new Agent({
      connect: connector.connect,
      connections: limits.connectionsMax ?? kubeLimitsDefault.connectionsMax,
      allowH2: false,
      pipelining: 1,
      // The deadline of the whole request covers the wait for headers.
      headersTimeout: 0,
      bodyTimeout: limits.idleTimeoutMs,
      // kube-apiserver keeps an idle connection for 90 s; ours must be the side that lets go first.
      keepAliveTimeout: 30_000,
    });
    const connections = { agent, connector };
    all.add(connections);
    return connections;
  };

  const open = async (refused: Opened | null): Promise<Opened> => {
    const credential = await askCredential().catch((thrown) => {
      throw FabricFailure.from(thrown);
    });
    if (credential.kind === 'token') {
      assertToken(credential.token, `the token of ${address.fabricName}`);
      secrets.add(credential.token);
    }
    if (closed) throw closedFailure(place);
    // A token travels in a header, so its connections stay. A certificate belongs to them.
    const keep = credential.kind === 'token' && refused?.credential.kind === 'token';
    return { credential, connections: keep ? refused.connections : connectionsFor(credential) };
  };

  /** The credential in use, or a new asking that all who come meanwhile share. */
  const opened = (refused: Opened | null): Promise<Opened> => {
    if (current !== null) return current;
    const opening = open(refused);
    // One that could not be read is asked for again by the next request.
    opening.catch(() => {
      if (current === opening) current = null;
    });
    current = opening;
    return opening;
  };

  const exchange = async (path: string, using: Opened, signal: AbortSignal, progress: Progress): Promise<Answer> => {
    const startedMs = systemClock.monotonicMs();
    let status: number | null = null;
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
    } finally {
      onRequest?.({
        method: 'GET',
        urlPath: path.replace(/\?.*$/s, ''),
        status,
        bytes: progress.bytes,
        durationMs: systemClock.monotonicMs() - startedMs,
      });
    }
  };

  const said = (answer: Answer): string => {
    let text = saidBy(answer);
    for (const secret of secrets) text = text.replaceAll(secret, '•••');
    return text;
  };

  return {
    place,
    said,
    async get(path, signal) {
      signal.throwIfAborted();
      if (closed) throw closedFailure(place);
      const progress: Progress = { phase: 'opening', bytes: 0 };
      const stop = new AbortController();
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        stop.abort(new Error('the deadline of the request has passed'));
      }, limits.requestTimeoutMs);
      const onAbort = () => stop.abort(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        const asked = opened(null);
        const first = await unless(stop.signal, asked);
        const answer = await exchange(path, first, stop.signal, progress);
        if (answer.status !== 401) return answer;
        if (current === asked) current = null;
        progress.phase = 'opening';
        const second = await unless(stop.signal, opened(first));
        return await exchange(path, second, stop.signal, progress);
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        if (late) throw tooLate(place, path, limits, progress);
        if (closed) throw closedFailure(place);
        throw reachFailure(place, thrown, progress.phase === 'reading' ? 'reading' : 'asking');
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      }
    },
    failure(path, answer) {
      return statusFailure(place, path.replace(/\?.*$/s, ''), answer, said(answer), systemClock.nowMs());
    },
    async close() {
      closed = true;
      const open = [...all];
      all.clear();
      for (const { connector } of open) connector.closeAll();
      await Promise.all(open.map(({ agent }) => agent.destroy()));
    },
  };
}

interface Progress {
  phase: 'opening' | Phase;
  bytes: number;
}

function closedFailure(place: string): FabricFailure {
  return new FabricFailure('CANCELLED', `${place}: the connections were closed`);
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

/** The promise, or the signal's reason if that comes first. The promise itself goes on, and nobody minds its end. */
async function unless<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value> {
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
