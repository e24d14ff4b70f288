// The API of one simulated cluster: a request in, an answer out, no sockets and no faults.

import type { Clock } from '../../clock.ts';
import {
  aggregatedCore,
  aggregatedGroups,
  aggregatedType,
  coreResources,
  coreVersions,
  group,
  groupList,
  resourceList,
} from './discovery.ts';
import type { JsonObject } from './json.ts';
import { apiVersionOf, type PrinterColumn } from './kinds.ts';
import type { Route } from './route.ts';
import { readSelectors } from './selectors.ts';
import * as say from './status.ts';
import type { ClusterStore } from './store.ts';
import { servedObject, servedText, timestamp, uuidOf } from './stored-object.ts';
import { type IncludeObject, table } from './table.ts';
import { write } from './write.ts';

export interface ApiRequest {
  readonly method: string;
  readonly route: Route;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly contentType: string;
  readonly body: string;
}

export interface Cluster {
  readonly store: ClusterStore;
  readonly clock: Clock;
  /** As `/version` tells it, for example `v1.35.2+k3s1`. */
  readonly kubernetesVersion: string;
  /** Epoch milliseconds: the age of its namespaces. */
  readonly createdMs: number;
}

export function answer(cluster: Cluster, request: ApiRequest): say.Answer {
  const { route } = request;
  if (request.method !== 'GET') return write(cluster.store, request);
  const { kinds } = cluster.store;
  switch (route.to) {
    case 'health':
      return { status: 200, contentType: 'text/plain; charset=utf-8', body: 'ok' };
    case 'version':
      return say.json(versionOf(cluster.kubernetesVersion));
    case 'core_versions':
      return wantsAggregated(request) ? aggregated(aggregatedCore()) : say.json(coreVersions());
    case 'core_resources':
      return say.json(coreResources());
    case 'namespaces':
      return collection(cluster, request, namespaceColumns, namespaces(cluster), {
        apiVersion: 'v1',
        kind: 'NamespaceList',
        metadata: { resourceVersion: String(cluster.store.revision) },
      });
    case 'namespace': {
      const found = namespaces(cluster).find(({ metadata }) => metadata.name === route.name);
      if (!found) return say.objectNotFound({ group: '', plural: 'namespaces' }, route.name);
      return single(cluster, request, namespaceColumns, found);
    }
    case 'groups':
      return wantsAggregated(request) ? aggregated(aggregatedGroups(kinds)) : say.json(groupList(kinds));
    case 'group': {
      const found = group(kinds, route.group);
      return found ? say.json(found) : say.pathNotFound();
    }
    case 'resources': {
      const found = resourceList(kinds, route.groupVersion);
      return found ? say.json(found) : say.pathNotFound();
    }
    case 'objects':
      return list(cluster, request, route);
    case 'object': {
      const found = cluster.store.get(route.kind, route.namespace, route.name);
      if (!found) return say.objectNotFound(route.kind, route.name);
      if (wantsTable(request)) return single(cluster, request, route.kind.columns, servedObject(found));
      return { status: 200, contentType: say.jsonType, body: `${servedText(found)}\n` };
    }
    case 'resource_unknown':
      return say.resourceNotFound();
    case 'nowhere':
      return say.pathNotFound();
  }
}

function list(cluster: Cluster, request: ApiRequest, route: Extract<Route, { to: 'objects' }>): say.Answer {
  const { query } = request;
  if (query.get('watch') === 'true' || query.get('watch') === '1') return say.methodNotAllowed();
  const limit = Number(query.get('limit') ?? '0');
  if (!Number.isSafeInteger(limit) || limit < 0) return say.badRequest(`invalid limit: ${query.get('limit')}`);
  const selects = readSelectors(query.get('labelSelector') ?? '', query.get('fieldSelector') ?? '');
  if (typeof selects === 'string') return say.badRequest(selects);
  const continueToken = query.get('continue') || null;
  const { kind, namespace } = route;
  const listed = cluster.store.list({ kind, namespace, limit, continueToken, selects });
  if (listed.kind === 'token_broken')
    return say.badRequest('continue key is not valid: encoded continue key is malformed');
  if (listed.kind === 'expired') return say.expired(listed.inconsistentToken);

  const metadata = {
    continue: listed.continueToken,
    ...(listed.remaining !== null && { remainingItemCount: listed.remaining }),
    resourceVersion: String(listed.revision),
  };
  if (wantsTable(request)) {
    return collection(cluster, request, kind.columns, listed.items.map(servedObject), { metadata });
  }
  // The items are text already: joining them is all that a page costs.
  const items = listed.items.map(servedText).join(',');
  const body = `{"apiVersion":"${apiVersionOf(kind)}","items":[${items}],"kind":"${kind.kind}List","metadata":${JSON.stringify(metadata)}}\n`;
  return { status: 200, contentType: say.jsonType, body };
}

/** @param list the list's own fields, without its items */
function collection(
  cluster: Cluster,
  request: ApiRequest,
  columns: readonly PrinterColumn[],
  items: readonly JsonObject[],
  list: JsonObject & { readonly metadata: JsonObject },
): say.Answer {
  if (!wantsTable(request)) return say.json({ ...list, items });
  return asTable(cluster, request, columns, items, list.metadata);
}

function single(
  cluster: Cluster,
  request: ApiRequest,
  columns: readonly PrinterColumn[],
  object: JsonObject,
): say.Answer {
  if (!wantsTable(request)) return say.json(object);
  return asTable(cluster, request, columns, [object], { resourceVersion: String(cluster.store.revision) });
}

function asTable(
  cluster: Cluster,
  request: ApiRequest,
  columns: readonly PrinterColumn[],
  objects: readonly JsonObject[],
  metadata: JsonObject,
): say.Answer {
  const included = request.query.get('includeObject') ?? 'Metadata';
  if (!isIncludeObject(included)) return say.badRequest(`unrecognized includeObject value: "${included}"`);
  return say.json(table(columns, objects, { metadata, includeObject: included, nowMs: cluster.clock.nowMs() }));
}

const isIncludeObject = (text: string): text is IncludeObject => ['None', 'Metadata', 'Object'].includes(text);

/** The first media type of `Accept` that this server has decides, as with a real one. */
function wants(request: ApiRequest, as: string): boolean {
  for (const one of request.accept.split(',')) {
    const [type, ...parameters] = one.split(';').map((part) => part.trim());
    if (type !== say.jsonType && type !== '*/*' && type !== 'application/*') continue;
    const asked = Object.fromEntries(parameters.map((parameter) => parameter.split('=')));
    if (asked.as === as && (asked.v === 'v1' || asked.v === 'v2')) return true;
    if (asked.as === undefined) return false;
  }
  return false;
}

const wantsTable = (request: ApiRequest): boolean => wants(request, 'Table');
const wantsAggregated = (request: ApiRequest): boolean => wants(request, 'APIGroupDiscoveryList');
const aggregated = (body: JsonObject): say.Answer => ({ ...say.json(body), contentType: aggregatedType });

function versionOf(kubernetesVersion: string): JsonObject {
  const [, major = '1', minor = '0'] = /^v(\d+)\.(\d+)/.exec(kubernetesVersion) ?? [];
  return {
    major,
    minor,
    gitVersion: kubernetesVersion,
    gitTreeState: 'clean',
    goVersion: 'go1.25.3',
    compiler: 'gc',
    platform: 'linux/amd64',
  };
}

const namespaceColumns: readonly PrinterColumn[] = [
  { name: 'Status', type: 'string', path: '.status.phase', priority: 0 },
  { name: 'Age', type: 'date', path: '.metadata.creationTimestamp', priority: 0 },
];

interface Namespace extends JsonObject {
  readonly metadata: JsonObject & { readonly name: string; readonly uid: string };
}

function namespaces({ store, createdMs }: Cluster): Namespace[] {
  const names = new Set(['default', 'fab', 'kube-node-lease', 'kube-public', 'kube-system']);
  for (const kind of store.kinds) for (const { namespace } of store.all(kind)) names.add(namespace);
  return [...names].sort().map((name, index) => ({
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: {
      name,
      uid: namespaceUid(store.seed, name),
      resourceVersion: String(index + 1),
      creationTimestamp: timestamp(createdMs),
      labels: { 'kubernetes.io/metadata.name': name },
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }));
}

/** The uid of a namespace; that of `kube-system` is how a cluster is told from another. */
export const namespaceUid = (seed: string, name: string): string => uuidOf(seed, 'namespaces', name);
