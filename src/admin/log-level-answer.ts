// The level of the log over HTTP: GET tells it, POST sets it.
//
//   {"level": "debug", "for_ms": 600000, "by": "ann@host"}   `for_ms` may be absent or null: until a reload

import type { IncomingMessage } from 'node:http';
import { oneLine } from '../../machines/fabric/failure.ts';
import { logLevels } from '../log.ts';
import { type LogLevels, type LogLevelView, levelForMsMax } from '../log-level.ts';

const bodyBytesMax = 1_024;

export type LevelAnswer =
  | { readonly status: 200; readonly body: LogLevelView }
  | {
      readonly status: 400 | 413;
      readonly body: { readonly error: { readonly code: string; readonly message: string } };
    };

/** Reads the body of a POST and does what it says. A request that breaks off throws. */
export async function setLogLevel(levels: LogLevels, request: IncomingMessage): Promise<LevelAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return refused(413, 'TOO_LARGE', `at most ${bodyBytesMax} bytes`);
    chunks.push(chunk);
  }
  const asked = parse(Buffer.concat(chunks).toString('utf8'));
  if (!asked) return refused(400, 'BAD_REQUEST', 'a JSON object is wanted');
  const { level: word, for_ms: forMs = null, by } = asked;
  const level = logLevels.find((one) => one === word);
  if (!level) return refused(400, 'BAD_REQUEST', `level must be one of ${logLevels.join(', ')}`);
  if (forMs !== null && !isTime(forMs)) return refused(400, 'BAD_REQUEST', `for_ms must be 1 to ${levelForMsMax}`);
  return { status: 200, body: levels.set(level, forMs, (typeof by === 'string' && oneLine(by, 100)) || 'somebody') };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= levelForMsMax;
}

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const refused = (status: 400 | 413, code: string, message: string): LevelAnswer => ({
  status,
  body: { error: { code, message } },
});
