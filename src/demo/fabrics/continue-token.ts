// The continue token of a LIST: opaque to clients, and in the same form as a real API server's.

import { Buffer } from 'node:buffer';
import { isJsonObject, type Json } from './json.ts';

export interface ContinueToken {
  /** Which state of the cluster the list shows; `inconsistent`: whatever is there now. */
  readonly revision: number | 'inconsistent';
  /** The list goes on after this key. */
  readonly afterKey: string;
}

export function writeToken(token: ContinueToken): string {
  const revision = token.revision === 'inconsistent' ? -1 : token.revision;
  const fields = { v: 'meta.k8s.io/v1', rv: revision, start: `${token.afterKey}\u0000` };
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

export function readToken(text: string): ContinueToken | 'broken' {
  let fields: Json;
  try {
    fields = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return 'broken';
  }
  if (!isJsonObject(fields) || fields.v !== 'meta.k8s.io/v1') return 'broken';
  const { rv, start } = fields;
  if (typeof rv !== 'number' || typeof start !== 'string' || !start.endsWith('\u0000')) return 'broken';
  return { revision: rv === -1 ? 'inconsistent' : rv, afterKey: start.slice(0, -1) };
}
