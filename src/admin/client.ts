// Asks a daemon on this host, by its admin socket (see server.ts).
//
//   C1. Every wait has a deadline, every answer a size limit: what listens there may hang, or may not be a daemon.
//   C2. "Nobody answers" is an answer: null, never an exception.

import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import type { Tiding } from './tidings.ts';

const answerMsMax = 2_000;
const answerBytesMax = 64 * 1024 * 1024;

/** `GET path` as JSON; null where nobody answers, or not with JSON. */
export async function askDaemon(socketPath: string, path: string, signal: AbortSignal): Promise<unknown> {
  return readJson(await exchange({ socketPath, path }, signal));
}

/** `GET path` as text; null where nobody answers. */
export async function askForText(socketPath: string, path: string, signal: AbortSignal): Promise<string | null> {
  return exchange({ socketPath, path }, signal);
}

/** `POST path` with a JSON body; the answer as JSON; null where nobody answers, or it was refused. */
export async function tellDaemon(
  socketPath: string,
  path: string,
  body: object,
  signal: AbortSignal,
): Promise<unknown> {
  return readJson(await exchange({ socketPath, path, body: JSON.stringify(body) }, signal));
}

async function exchange(asked: Asked, signal: AbortSignal): Promise<string | null> {
  try {
    const response = await send(asked, AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]));
    if (response.statusCode !== 200) {
      response.destroy();
      return null;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > answerBytesMax) return null;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

function readJson(text: string | null): unknown {
  try {
    return text === null ? null : (JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}

/**
 * Hears what happens until the signal aborts or the daemon ends. Resolves when it listens, or when nobody answers: what
 * happens after that is heard.
 * @returns resolves when the stream is over; never rejects
 */
export async function hearDaemon(
  socketPath: string,
  hear: (tiding: Tiding) => void,
  signal: AbortSignal,
): Promise<{ readonly over: Promise<void> }> {
  // The deadline is for the beginning alone: a stream may be silent for as long as nothing happens.
  const late = new AbortController();
  const deadline = AbortSignal.timeout(answerMsMax);
  const giveUp = () => late.abort();
  deadline.addEventListener('abort', giveUp, { once: true });
  try {
    const response = await send({ socketPath, path: '/v1/events' }, AbortSignal.any([signal, late.signal]));
    if (response.statusCode === 200) return { over: tellEach(response, hear) };
    response.destroy();
  } catch {
    // Nobody answers. The stream is for people who watch; what counts is in the rows.
  } finally {
    deadline.removeEventListener('abort', giveUp);
  }
  return { over: Promise.resolve() };
}

async function tellEach(response: IncomingMessage, hear: (tiding: Tiding) => void): Promise<void> {
  try {
    for await (const line of createInterface({ input: response })) hear(JSON.parse(line) as Tiding);
  } catch {
    // Cut off, by us or by the daemon's end.
  }
}

interface Asked {
  readonly socketPath: string;
  readonly path: string;
  /** Makes it a POST. */
  readonly body?: string;
}

async function send({ socketPath, path, body }: Asked, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const method = body === undefined ? 'GET' : 'POST';
  request({ socketPath, path, method, signal, agent: false }, resolve).once('error', reject).end(body);
  return promise;
}
