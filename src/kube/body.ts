// Bodies: read within a bound, and understood as JSON.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import { plainCause } from './errors.ts';

/** JSON objects as parsed: nothing is known of them, and a key may be `__proto__`, so they are never spread or merged. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * Collects a body. What ends the waiting is the caller's: a stream that is destroyed throws here.
 *
 * @param whenTooLarge `fail` throws `BODY_TOO_LARGE`; `cut` returns the beginning (for the texts of errors)
 */
export async function readBody(
  place: string,
  stream: AsyncIterable<Uint8Array>,
  bytesMax: number,
  whenTooLarge: 'fail' | 'cut',
  count: (bytes: number) => void,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early destroys the stream, and with it the connection.
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.byteLength;
    count(chunk.byteLength);
    if (size <= bytesMax) continue;
    if (whenTooLarge === 'fail') throw tooLarge(place, bytesMax);
    break;
  }
  const whole = chunks.length === 1 && chunks[0] instanceof Buffer ? chunks[0] : Buffer.concat(chunks, size);
  return size > bytesMax ? whole.subarray(0, bytesMax) : whole;
}

export function tooDense(place: string, bytesMax: number): FabricFailure {
  const most = Math.floor(bytesMax / 16);
  return new FabricFailure('BODY_TOO_LARGE', `${place}: one answer has more than ${most} objects and lists in it`, {
    facts: { most },
  });
}

export function tooLarge(place: string, bytesMax: number): FabricFailure {
  return new FabricFailure('BODY_TOO_LARGE', `${place}: one answer is larger than ${bytesMax} bytes`, {
    facts: { bytesMax },
  });
}

/**
 * Whether a body would take many times its size in memory, once parsed: `{},{},{}` and the like. Metadata, the densest that
 * Kubernetes sends, has an object for each 20 bytes, and no answer consists of that alone.
 *
 * @param bytesMax of any answer: one object or list may come for each 16 bytes of it
 */
export function isTooDense(body: Buffer, bytesMax: number): boolean {
  const most = bytesMax / 16;
  // Most answers are not large enough to hold so many.
  if (body.byteLength <= most) return false;
  let count = 0;
  for (const byte of body) if (byte === 0x7b || byte === 0x5b) count += 1;
  return count > most;
}

/**
 * A body that must be a JSON object.
 *
 * Integers beyond 2^53 lose their last digits, as in every JavaScript program. None of the kinds that are stored has
 * such a field: `format: int64` is found in Agents, GatewayAgents, Fabricators and FabricControllers only. Reading
 * numbers exactly (`context.source` of a reviver) was measured at five times the time of parsing.
 *
 * @throws FabricFailure `NOT_KUBERNETES` for HTML and for JSON that is no object, `BODY_BROKEN` for anything else
 */
export function readJson(place: string, body: Buffer, contentType: string): Json {
  if (looksLikeHtml(body, contentType)) {
    throw new FabricFailure('NOT_KUBERNETES', `${place}: answered with a web page instead of JSON`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    // V8's message quotes the body, which may be anything: only the kind of error goes on.
    const { name } = plainCause(cause);
    const what = name === 'SyntaxError' ? 'is not JSON, or ends early' : 'is not UTF-8';
    throw new FabricFailure('BODY_BROKEN', `${place}: the answer of ${body.byteLength} bytes ${what}`, {
      facts: { bytes: body.byteLength },
    });
  }
  const object = asObject(parsed);
  if (object === null) {
    throw new FabricFailure('NOT_KUBERNETES', `${place}: answered with JSON that is no object`);
  }
  return object;
}

export function looksLikeHtml(body: Buffer, contentType: string): boolean {
  if (/^\s*(text\/html|application\/xhtml)/i.test(contentType)) return true;
  return body.subarray(0, 512).toString('latin1').trimStart().startsWith('<');
}

export function asObject(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

export function asArray(value: unknown): readonly unknown[] | null {
  return Array.isArray(value) ? value : null;
}

/** A text, or null where it is absent, empty or something else. */
export function asText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
