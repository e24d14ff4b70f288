// The inspector's documents and its stream, from the daemon on this host by its admin socket (see documents.ts).
//
//   F1. Every question has a deadline; the stream has none, but the daemon's heartbeats: silence means that it is gone.
//   F2. A message that cannot be read is skipped: a newer daemon may say more than this program knows.

import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import type { Clock } from '../../clock.ts';
import type { ErrorDocument, StreamMessages } from '../../inspector/documents.ts';

export type StreamEvent = {
  [Name in keyof StreamMessages]: { readonly event: Name; readonly data: StreamMessages[Name] };
}[keyof StreamMessages];

/** The daemon answered, and what it said is no document: its own word on why. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;
  readonly hint: string;

  constructor({ code, message, hint }: ErrorDocument['error']) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** Longer than the daemon takes for anything that it answers (src/inspector/patience.ts). */
export const answerMsMax = 5_000;
const answerBytesMax = 64 * 1024 * 1024;
/** Three heartbeats of the server. */
const silenceMsMax = 45_000;

const known: ReadonlySet<string> = new Set<keyof StreamMessages>([
  'snapshot',
  'fabric',
  'gone',
  'parts',
  'transition',
  'progress',
  'run',
]);

/** @throws Refused, or the connection's own error */
export async function readDocument<Document>(socketPath: string, path: string, signal: AbortSignal): Promise<Document> {
  const response = await get(socketPath, path, AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]));
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new Error(`the daemon's answer to ${path} is too large`);
    chunks.push(chunk);
  }
  const document = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Document | ErrorDocument;
  if (response.statusCode === 200) return document as Document;
  throw new Refused((document as ErrorDocument).error);
}

/**
 * The stream, beginning with a snapshot, until the daemon ends it or falls silent.
 * @param fabric only this one, by name or number, and then with its progress
 * @throws Refused, or the connection's own error; where the signal aborts, its reason
 */
export async function* streamEvents(
  socketPath: string,
  { fabric, clock }: { readonly fabric: string | null; readonly clock: Clock },
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  const silent = new AbortController();
  let stopWaiting = () => {};
  const wait = (ms: number) => {
    stopWaiting();
    stopWaiting = clock.after(ms, () => silent.abort(new Error('the daemon has fallen silent')));
  };
  const query = fabric === null ? '' : `?fabric=${encodeURIComponent(fabric)}`;
  try {
    wait(answerMsMax);
    const response = await get(socketPath, `/api/events${query}`, AbortSignal.any([signal, silent.signal]));
    if (response.statusCode !== 200) throw await refusalOf(response);
    // Who stops listening cuts it off, and nobody is there any more to hear of that.
    const lines = createInterface({ input: response });
    lines.on('error', () => {});
    let event = '';
    let data = '';
    for await (const line of lines) {
      wait(silenceMsMax);
      if (line.startsWith('event: ')) event = line.slice('event: '.length);
      else if (line.startsWith('data: ')) data += line.slice('data: '.length);
      else if (line === '') {
        if (known.has(event) && data !== '') yield { event, data: JSON.parse(data) } as StreamEvent;
        event = '';
        data = '';
      }
    }
  } finally {
    stopWaiting();
    silent.abort();
  }
  signal.throwIfAborted();
}

async function refusalOf(response: IncomingMessage): Promise<Error> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  try {
    return new Refused((JSON.parse(Buffer.concat(chunks).toString('utf8')) as ErrorDocument).error);
  } catch {
    return new Error(`the daemon answered ${response.statusCode}`);
  }
}

/** The signal ends the question and the answer. */
async function get(socketPath: string, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = { host: 'localhost' };
  request({ socketPath, path, headers, signal, agent: false }, resolve).once('error', reject).end();
  return promise;
}
