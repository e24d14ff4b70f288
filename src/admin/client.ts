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
  try {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]);
    const response = await get(socketPath, path, deadline);
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
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    signal.throwIfAborted();
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
    const response = await get(socketPath, '/v1/events', AbortSignal.any([signal, late.signal]));
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

async function get(socketPath: string, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request({ socketPath, path, signal, agent: false }, resolve).once('error', reject).end();
  return promise;
}
