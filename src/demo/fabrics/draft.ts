// From an object as a person writes it to what the store takes: the metadata that only a server may set is left out.

import { at, isJsonObject, type Json, type JsonObject } from './json.ts';
import type { SimulatedKind } from './kinds.ts';
import type { Draft } from './stored-object.ts';

const setByServer = new Set([
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]);

/** @param object has a `metadata.name` */
export function draftOf(kind: SimulatedKind, object: JsonObject, namespace: string): Draft {
  const { apiVersion: _, kind: __, metadata, ...content } = object;
  const { name, namespace: ___, labels, annotations, ...rest } = isJsonObject(metadata) ? metadata : {};
  return {
    kind,
    namespace,
    name: String(name),
    labels: strings(labels),
    annotations: strings(annotations),
    metadata: Object.fromEntries(Object.entries(rest).filter(([key]) => !setByServer.has(key))),
    content,
    author: 'kubectl',
  };
}

function strings(value: Json | undefined): Record<string, string> {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}

export const namespaceOf = (object: JsonObject): string => {
  const namespace = at(object, 'metadata', 'namespace');
  return typeof namespace === 'string' && namespace !== '' ? namespace : 'default';
};
