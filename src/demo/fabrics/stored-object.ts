// One object of a simulated cluster, and the metadata that a real API server would have given it.
//
//   O1. Immutable: a write makes a new one, so a list that was begun keeps showing what it began with.
//   O2. The JSON text is written once and kept, except for lazy content, which is large and made anew each time.

import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject, sortedJson } from './json.ts';
import { apiVersionOf, type SimulatedKind } from './kinds.ts';

/** What somebody wants to exist: an object without what the server adds. */
export interface Draft {
  readonly kind: SimulatedKind;
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Metadata of other sorts (finalizers, owner references). */
  readonly metadata?: JsonObject;
  /** Everything beside `apiVersion`, `kind` and `metadata`: `spec`, `status`. A function where it is large. */
  readonly content: JsonObject | (() => JsonObject);
  /** Who writes it: people's tools leave a last-applied annotation, controllers do not. */
  readonly author: 'kubectl' | 'controller';
}

export interface StoredObject extends Draft {
  /** `<namespace>/<name>`: the order of a LIST is the order of these. */
  readonly key: string;
  readonly uid: string;
  readonly revision: number;
  readonly generation: number;
  /** Epoch milliseconds. */
  readonly createdMs: number;
  readonly updatedMs: number;
}

export const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;

/** RFC 3339 to the second, as Kubernetes writes times. */
export const timestamp = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;

/** A version 4 UUID that is always the same for the same words. */
export function uuidOf(...words: readonly (string | number)[]): string {
  const hex = createHash('sha256').update(words.join('\n')).digest('hex');
  const variant = '89ab'[Number.parseInt(hex[16] ?? '0', 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The whole object, as the server serves it. */
export function servedObject(stored: StoredObject): JsonObject {
  const content = typeof stored.content === 'function' ? stored.content() : stored.content;
  const annotations = {
    ...stored.annotations,
    ...(stored.author === 'kubectl' && lastApplied(stored, content)),
  };
  return {
    apiVersion: apiVersionOf(stored.kind),
    kind: stored.kind.kind,
    ...content,
    metadata: {
      ...stored.metadata,
      ...(Object.keys(annotations).length > 0 && { annotations }),
      creationTimestamp: timestamp(stored.createdMs),
      generation: stored.generation,
      ...(stored.labels && Object.keys(stored.labels).length > 0 && { labels: stored.labels }),
      managedFields: managedFields(stored, content),
      name: stored.name,
      namespace: stored.namespace,
      resourceVersion: String(stored.revision),
      uid: stored.uid,
    },
  };
}

const texts = new WeakMap<StoredObject, string>();

/** `servedObject` as JSON text. */
export function servedText(stored: StoredObject): string {
  const known = texts.get(stored);
  if (known !== undefined) return known;
  const text = sortedJson(servedObject(stored));
  if (typeof stored.content !== 'function') texts.set(stored, text);
  return text;
}

const lastAppliedKey = 'kubectl.kubernetes.io/last-applied-configuration';

function lastApplied(stored: StoredObject, content: JsonObject): Record<string, string> {
  if (stored.annotations?.[lastAppliedKey] !== undefined) return {};
  const { status: _, ...applied } = content;
  const metadata = { annotations: { ...stored.annotations }, name: stored.name, namespace: stored.namespace };
  const whole = { apiVersion: apiVersionOf(stored.kind), kind: stored.kind.kind, metadata, ...applied };
  return { [lastAppliedKey]: `${sortedJson(whole)}\n` };
}

/** Who wrote which field: a person's tool, then the controller that labels what it admits and reports the status. */
function managedFields(stored: StoredObject, content: JsonObject): Json {
  const { status, ...rest } = content;
  const { labels = {}, updatedMs, createdMs } = stored;
  const entry = (manager: string, epochMs: number, fieldsV1: JsonObject): JsonObject => ({
    apiVersion: apiVersionOf(stored.kind),
    fieldsType: 'FieldsV1',
    fieldsV1,
    manager,
    operation: 'Update',
    time: timestamp(epochMs),
  });
  const labelled = Object.keys(labels).length > 0 && {
    'f:metadata': { 'f:labels': { '.': {}, ...ownedFields(labels) } },
  };
  const entries: JsonObject[] = [];
  if (stored.author === 'controller') {
    entries.push(entry('fabric', createdMs, { ...labelled, ...ownedFields(rest) }));
  } else {
    const annotations = { 'f:annotations': { '.': {}, [`f:${lastAppliedKey}`]: {} } };
    entries.push(entry('kubectl-client-side-apply', createdMs, { 'f:metadata': annotations, ...ownedFields(rest) }));
    if (labelled) entries.push(entry('fabric', updatedMs, labelled));
  }
  if (isJsonObject(status) && Object.keys(status).length > 0) {
    entries.push({ ...entry('fabric', updatedMs, ownedFields({ status })), subresource: 'status' });
  }
  return entries;
}

function ownedFields(value: JsonObject): Record<string, JsonObject> {
  const owned: Record<string, JsonObject> = {};
  for (const [key, field] of Object.entries(value)) {
    owned[`f:${key}`] = isJsonObject(field) ? { '.': {}, ...ownedFields(field) } : {};
  }
  return owned;
}
