// Secrets that can be told wherever they are seen: what leaves a daemon is searched for them, as deep as it goes.
//
//   C1. Every secret of a simulated place begins with one word that nothing else has in it. So one look finds any of them,
//       plain, in hex, and in Base64 wherever it begins there.
//   C2. What an error carries is what it says, what hangs on it, and all that for its causes.

import type { Attributes, Link, Span, SpanContext, SpanOptions, Tracer } from '@opentelemetry/api';
import { sealCredential } from '../../src/kube/credentials.ts';
import { readKey, type SealingKey } from '../../src/kube/sealing.ts';
import type { StoredCredential } from '../../src/ports/store.ts';
import { Chance } from './chance.ts';

const word = 'c4nary';
const song = new RegExp([word, Buffer.from(word).toString('hex'), ...[0, 1, 2].map(inBase64After)].join('|'));

/** The letters of it that are the same whatever stands around it, where it begins after so many bytes. */
function inBase64After(bytes: number): string {
  const text = Buffer.from(`${'x'.repeat(bytes)}${word}`)
    .toString('base64')
    .replace(/=+$/, '');
  const whole = Math.floor(((bytes + word.length) * 4) / 3);
  return text.slice(Math.ceil((bytes * 4) / 3), whole);
}

/** A token, a password: of letters and digits. */
export function canary(seed: number, label: string): string {
  const chance = new Chance(seed, `canary ${label}`);
  return `${word}${Array.from({ length: 4 }, () =>
    chance
      .below(2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('')}`;
}

/** The key that seals the tokens; it is a secret too. */
export function canaryKey(seed: number): SealingKey {
  return readKey(Buffer.from(canary(seed, 'key').slice(0, 32)).toString('base64'));
}

export function sealedToken(key: SealingKey, fabricId: string, token: string): StoredCredential {
  return { kind: 'sealed', sealed: sealCredential(key, fabricId, { kind: 'token', token }) };
}

/** Deeper than anything that leaves a daemon. */
const depthMax = 12;

/** @returns the way to a secret (`cause.message`), or null where there is none */
export function secretIn(value: unknown, depth = 0): string | null {
  if (typeof value === 'string') return song.test(value) ? 'it' : null;
  if (typeof value !== 'object' || value === null) return null;
  if (depth > depthMax) return 'deeper than is looked';
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return song.test(bytes.toString('latin1')) ? 'bytes' : null;
  }
  if (Array.isArray(value)) {
    for (const [at, one] of value.entries()) {
      const found = secretIn(one, depth + 1);
      if (found) return `${at}.${found}`;
    }
    return null;
  }
  if (value instanceof Map || value instanceof Set) return secretIn([...value], depth + 1);
  // Also what it stands upon; and of an error what is not listed.
  for (const name in value) {
    const found = secretAt(value, name, depth);
    if (found) return found;
  }
  if (!(value instanceof Error)) return null;
  for (const name of [...Object.getOwnPropertyNames(value), 'name']) {
    const found = secretAt(value, name, depth);
    if (found) return found;
  }
  return null;
}

function secretAt(value: object, name: string, depth: number): string | null {
  if (song.test(name)) return `the name ${name.length} letters long`;
  const found = secretIn((value as Record<string, unknown>)[name], depth + 1);
  return found && `${name}.${found}`;
}

/** Makes spans that are not kept: what they are told is looked at, and forgotten. */
export function listeningTracer(hear: (what: unknown, where: string) => void): Tracer {
  let spans = 0;
  const startSpan = (name: string, options: SpanOptions = {}): Span => {
    hear(name, 'a span');
    hear(options.attributes, 'a span');
    hear(options.links, 'a span');
    const id = (++spans).toString(16).padStart(16, '0');
    return spanOf({ traceId: `${id}${id}`, spanId: id, traceFlags: 1 }, hear);
  };
  return {
    startSpan,
    startActiveSpan: () => {
      throw new Error('nobody makes spans in this way');
    },
  };
}

function spanOf(context: SpanContext, hear: (what: unknown, where: string) => void): Span {
  const told = (...what: unknown[]) => {
    hear(what, 'a span');
    return span;
  };
  const span: Span = {
    spanContext: () => context,
    setAttribute: told,
    setAttributes: (attributes: Attributes) => told(attributes),
    addEvent: (name, attributes) => told(name, attributes),
    addLink: (link: Link) => told(link.attributes),
    addLinks: (links: Link[]) => told(links.map(({ attributes }) => attributes)),
    setStatus: told,
    updateName: told,
    end: () => {},
    isRecording: () => true,
    recordException: told,
  };
  return span;
}
