// What is kept of an object, and what it looks like again when it is shown.
//
//   C1. Canonical: the same content gives the same text, whatever order the server wrote its keys in.
//   C2. What has a column of its own, or says only who wrote when, is not content: a new resourceVersion, managedFields
//       or apiVersion alone change no hash.
//   C3. `rebuild` is the inverse: it gives what was served, less managedFields and the last-applied annotation.
//   C4. Total: hostile content (too deep, not storable) is an answer here, never an exception.

import { hash } from 'node:crypto';
import type { KubeObject } from '../ports/fabric-api.ts';

export interface CleanLimits {
  /** The cleaned object as JSON text, in bytes of UTF-8. */
  readonly objectBytesMax: number;
  /** Objects and lists inside each other. */
  readonly depthMax: number;
}

export const cleanLimitsDefault: CleanLimits = {
  // What etcd takes at most in one object.
  objectBytesMax: 1.5 * 1024 * 1024,
  // The deepest schema of the product has 12; PostgreSQL and JSON.stringify give up at some thousands.
  depthMax: 200,
};

export type Cleaned =
  | { readonly kind: 'cleaned'; readonly json: string; readonly hash: string }
  /** It cannot be stored; the reason is for people. */
  | { readonly kind: 'refused'; readonly reason: string };

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const columnsOfObject: ReadonlySet<string> = new Set(['apiVersion', 'kind']);
const columnsOfMetadata: ReadonlySet<string> = new Set([
  'managedFields',
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'selfLink',
]);

/** @returns the content as canonical JSON, and its SHA-256 in base64 */
export function clean(object: KubeObject, limits: CleanLimits = cleanLimitsDefault): Cleaned {
  const order = new Ordering(limits.depthMax);
  const content = order.of(contentOf(object), 1);
  if (order.refusal !== null) return { kind: 'refused', reason: order.refusal };
  const json = JSON.stringify(content);
  const refusal = tooLarge(json, limits.objectBytesMax) ?? notStorable(json, content);
  if (refusal !== null) return { kind: 'refused', reason: refusal };
  return { kind: 'cleaned', json, hash: hash('sha256', json, 'base64') };
}

/** What `rebuild` needs of a stored row. What is null was not served or is not known for that time, and is left out. */
export interface StoredRow {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | null;
  readonly resourceVersion: string | null;
  readonly generation: number | null;
  /** RFC 3339. */
  readonly creationTimestamp: string | null;
  readonly object: KubeObject;
}

/** The object as it was served, less what `clean` drops for good (C3); keys in the order that kubectl prints. */
export function rebuild(row: StoredRow): KubeObject {
  const { metadata, ...content } = row.object;
  const columns = {
    creationTimestamp: row.creationTimestamp,
    generation: row.generation,
    name: row.name,
    namespace: row.namespace === '' ? null : row.namespace,
    resourceVersion: row.resourceVersion,
    uid: row.uid,
  };
  const known = Object.entries(columns).filter(([, value]) => value !== null);
  return {
    apiVersion: row.group === '' ? row.version : `${row.group}/${row.version}`,
    kind: row.kind,
    metadata: Object.fromEntries([...Object.entries(asRecord(metadata) ?? {}), ...known].sort(byKey)),
    ...content,
  };
}

/** A copy without what C2 names; deeper values are shared with the object. */
function contentOf(object: KubeObject): Record<string, unknown> {
  const content = without(object, columnsOfObject);
  const metadata = asRecord(object.metadata);
  if (metadata) {
    const kept = without(metadata, columnsOfMetadata);
    const annotations = asRecord(metadata.annotations);
    if (annotations && Object.hasOwn(annotations, lastApplied)) {
      const others = without(annotations, new Set([lastApplied]));
      // The map is there for the dropped one alone: kubectl made it, nobody wrote it.
      if (isEmpty(others)) delete kept.annotations;
      else kept.annotations = others;
    }
    if (isEmpty(kept)) delete content.metadata;
    else content.metadata = kept;
  }
  return content;
}

/** Brings keys into order, and finds on the way what cannot be kept. */
class Ordering {
  refusal: string | null = null;
  readonly #depthMax: number;

  constructor(depthMax: number) {
    this.#depthMax = depthMax;
  }

  /**
   * The value with all keys in order. Go writes maps in order, so what a real server sends needs no copy, and then it is
   * the very same value. Integer-like keys come first in JavaScript, whatever is done: that too is an order (C1).
   */
  of(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'number':
        // JSON.parse has rounded it already: what would be stored is not what was served.
        if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER))
          this.refusal ??= 'it has a number too large to be kept exactly';
        return value;
      case 'object':
        if (value === null) return value;
        if (depth > this.#depthMax) {
          this.refusal ??= `it is nested deeper than ${this.#depthMax} levels`;
          return null;
        }
        return Array.isArray(value) ? this.#list(value, depth) : this.#map(value as Record<string, unknown>, depth);
      default:
        return value;
    }
  }

  #list(list: readonly unknown[], depth: number): readonly unknown[] {
    let copy: unknown[] | null = null;
    for (let at = 0; at < list.length; at++) {
      const item = list[at];
      const ordered = this.of(item, depth + 1);
      if (ordered === item) continue;
      copy ??= list.slice();
      copy[at] = ordered;
    }
    return copy ?? list;
  }

  #map(map: Record<string, unknown>, depth: number): Record<string, unknown> {
    let inOrder = true;
    let before: string | null = null;
    const replaced: [string, unknown][] = [];
    for (const key in map) {
      const value = map[key];
      if (typeof value === 'object' || typeof value === 'number') {
        const ordered = this.of(value, depth + 1);
        if (ordered !== value) replaced.push([key, ordered]);
      }
      if (before !== null && key < before) inOrder = false;
      before = key;
    }
    if (inOrder && replaced.length === 0) return map;
    const changed = new Map(replaced);
    const copy = emptyMap();
    for (const key of Object.keys(map).sort()) copy[key] = changed.has(key) ? changed.get(key) : map[key];
    return copy;
  }
}

function tooLarge(json: string, bytesMax: number): string | null {
  // A UTF-16 unit is at most three bytes of UTF-8: most objects need no count.
  if (json.length * 3 <= bytesMax) return null;
  const bytes = Buffer.byteLength(json);
  return bytes <= bytesMax ? null : `it has ${bytes} bytes of JSON, more than ${bytesMax}`;
}

/** PostgreSQL's text and jsonb hold no NUL and no half of a surrogate pair. JSON.stringify escapes both, and little else. */
function notStorable(json: string, content: unknown): string | null {
  return json.includes('\\u') ? flawIn(content) : null;
}

/** The first flaw of any key or text. Never deep: `Ordering` has measured it. */
function flawIn(value: unknown): string | null {
  if (typeof value === 'string') return flawOf(value);
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return firstFlaw(value);
  return firstFlaw(Object.keys(value)) ?? firstFlaw(Object.values(value));
}

function firstFlaw(values: readonly unknown[]): string | null {
  for (const value of values) {
    const flaw = flawIn(value);
    if (flaw !== null) return flaw;
  }
  return null;
}

/** Why a text cannot be stored; null where it can. */
export function flawOf(text: string): string | null {
  if (text.includes('\0')) return 'it has a NUL character in a text';
  return text.isWellFormed() ? null : 'it has half of a surrogate pair in a text';
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function without(map: Readonly<Record<string, unknown>>, dropped: ReadonlySet<string>): Record<string, unknown> {
  const kept = emptyMap();
  for (const key in map) {
    if (!dropped.has(key)) kept[key] = map[key];
  }
  return kept;
}

/** Without a prototype: a key named `__proto__` is a key like any other. */
function emptyMap(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

function isEmpty(map: Readonly<Record<string, unknown>>): boolean {
  for (const _key in map) return false;
  return true;
}

function byKey([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}
