// The writing half of the API: enough of POST, PUT, PATCH and DELETE for a person with kubectl to change what a
// simulated fabric serves. No admission: what is sent is what is stored.

import type { ApiRequest } from './api.ts';
import { draftOf } from './draft.ts';
import { at, isJsonObject, type Json, type JsonObject } from './json.ts';
import { apiVersionOf } from './kinds.ts';
import * as say from './status.ts';
import type { ClusterStore } from './store.ts';
import { type StoredObject, servedObject, servedText } from './stored-object.ts';

export function write(store: ClusterStore, request: ApiRequest): say.Answer {
  const { method, route } = request;
  if (route.to === 'objects' && method === 'POST') return create(store, request, route);
  if (route.to === 'nowhere') return say.pathNotFound();
  if (route.to === 'resource_unknown') return say.resourceNotFound();
  if (route.to !== 'object') return say.methodNotAllowed();
  const current = store.get(route.kind, route.namespace, route.name);
  if (!current) return say.objectNotFound(route.kind, route.name);
  switch (method) {
    case 'DELETE':
      return remove(store, current);
    case 'PUT':
      return replace(store, request, current);
    case 'PATCH':
      return patch(store, request, current);
    default:
      return say.methodNotAllowed();
  }
}

function create(
  store: ClusterStore,
  request: ApiRequest,
  route: Extract<ApiRequest['route'], { to: 'objects' }>,
): say.Answer {
  const object = parse(request.body);
  if (!object) return say.badRequest('the body is not a JSON object');
  const name = at(object, 'metadata', 'name');
  if (typeof name !== 'string' || name === '') return say.badRequest('name is required');
  if (object.kind !== route.kind.kind || object.apiVersion !== apiVersionOf(route.kind)) {
    return say.badRequest(`the object provided is not a ${route.kind.kind} of ${apiVersionOf(route.kind)}`);
  }
  const namespace = route.namespace ?? 'default';
  if (store.get(route.kind, namespace, name)) return say.alreadyExists(route.kind, name);
  return saved(store.create(draftOf(route.kind, object, namespace)), 201);
}

function replace(store: ClusterStore, request: ApiRequest, current: StoredObject): say.Answer {
  const object = parse(request.body);
  if (!object) return say.badRequest('the body is not a JSON object');
  const seen = at(object, 'metadata', 'resourceVersion');
  if (typeof seen === 'string' && seen !== String(current.revision)) return say.conflict(current.kind, current.name);
  return saved(store.replace(current, draftOf(current.kind, object, current.namespace)), 200);
}

function patch(store: ClusterStore, request: ApiRequest, current: StoredObject): say.Answer {
  if (!request.contentType.startsWith('application/merge-patch+json')) {
    return say.unsupportedMediaType(request.contentType);
  }
  const changes = parse(request.body);
  if (!changes) return say.badRequest('the body is not a JSON object');
  const merged = mergePatch(servedObject(current), changes);
  if (!isJsonObject(merged)) return say.badRequest('the patch leaves no object');
  return saved(store.replace(current, draftOf(current.kind, merged, current.namespace)), 200);
}

function remove(store: ClusterStore, current: StoredObject): say.Answer {
  store.delete(current);
  const { kind, name, uid } = current;
  return say.json({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, group: kind.group, kind: kind.plural, uid },
  });
}

/** RFC 7386. */
function mergePatch(target: Json | undefined, change: Json | undefined): Json | undefined {
  if (!isJsonObject(change)) return change;
  const merged: Record<string, Json | undefined> = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

function saved(stored: StoredObject, status: number): say.Answer {
  return { status, contentType: say.jsonType, body: `${servedText(stored)}\n` };
}

function parse(text: string): JsonObject | null {
  try {
    const value: Json = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
