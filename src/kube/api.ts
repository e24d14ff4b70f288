// A fabric's Kubernetes API, as `src/sync` asks for it (the contract is `src/ports/fabric-api.ts`).
//
//   P1. An answer counts only if it is what was asked for: 200, JSON, the right kind and group. Whatever else a proxy
//       may say is a failure, so that nobody takes it for an empty list.
//   P2. A list is read from etcd, not from a watch cache of unknown age: `resourceVersion` is never sent.
//   P3. Objects are handed on as parsed, but for our token in what they go by (`said-back.ts`).

import { FabricFailure, oneLine } from '../../machines/fabric/failure.ts';
import type {
  Credential,
  FabricAddress,
  FabricApi,
  KubeObject,
  Page,
  PageAnswer,
  ServedKind,
} from '../ports/fabric-api.ts';
import { type Answer, type Scrub, saidBy } from './answers.ts';
import { asArray, asObject, asText, type Json, looksLikeHtml, readJson } from './body.ts';
import type { KubeLimits } from './limits.ts';
import { uidOf, withoutToken } from './said-back.ts';
import { type OnRequest, openTransport, type Transport } from './transport.ts';

/** An open fabric that can let go of its connections in between. */
export interface OpenFabric extends FabricApi {
  /** Closes the connections until the next request. @returns false where a request is in hand: nothing happened */
  rest(): boolean;
}

/**
 * Opens a fabric. Connections are made when a request needs one, and stay for a while, until `rest` or `close`.
 *
 * @param credential asked at the first request, and once more by a request that meets a 401
 * @param onRequest told of each HTTP exchange when it has ended
 * @throws FabricFailure `SETTINGS_INVALID` where the address cannot be used
 */
export function openFabricApi(
  address: FabricAddress,
  credential: () => Promise<Credential>,
  limits: KubeLimits,
  onRequest?: OnRequest,
): OpenFabric {
  return fabricApiOver(openTransport(address, credential, limits, onRequest));
}

/** The API over whatever carries its requests. */
export function fabricApiOver(transport: Transport): OpenFabric {
  const { place, scrub } = transport;
  const notKubernetes = (path: string, what: string) =>
    new FabricFailure('NOT_KUBERNETES', `${place}: answered ${path} with ${what}`, { facts: { path } });
  /** The answer's object if it is a 200. */
  const objectOf = (path: string, answer: Answer): Json => {
    if (answer.status !== 200) throw transport.failure(path, answer);
    return readJson(place, answer.body, answer.contentType);
  };

  return {
    async groups(signal) {
      const list = objectOf('/apis', await transport.get('/apis', signal));
      const groups = asArray(list.groups);
      if (list.kind !== 'APIGroupList' || groups === null) throw notKubernetes('/apis', 'something other than groups');
      return new Map(groups.flatMap((group) => readGroup(group, scrub)));
    },

    async kinds(group, version, signal) {
      const path = `/apis/${encodeURIComponent(group)}/${encodeURIComponent(version)}`;
      const answer = await transport.get(path, signal);
      // The group went away after it was listed, or its discovery is not there yet.
      if (answer.status === 404 && !looksLikeHtml(answer.body, answer.contentType)) return [];
      const list = objectOf(path, answer);
      const resources = asArray(list.resources);
      if (list.kind !== 'APIResourceList' || resources === null) {
        throw notKubernetes(path, 'something other than resources');
      }
      return resources.flatMap((resource) => readResource(group, version, resource, scrub));
    },

    async page(kind, { namespace, limit, continueToken }, signal): Promise<PageAnswer> {
      const path = listPath(kind, namespace);
      const query = new URLSearchParams({ limit: String(limit) });
      if (continueToken !== null) query.set('continue', continueToken);
      const answer = await transport.get(`${path}?${query}`, signal);
      if (answer.status === 410) return { kind: 'expired' };
      if (!looksLikeHtml(answer.body, answer.contentType)) {
        if (answer.status === 403) return { kind: 'forbidden', message: saidBy(answer, scrub) };
        if (answer.status === 404) return { kind: 'not_served' };
      }
      const list = objectOf(path, answer);
      const page = readPage(kind, list, answer.body.byteLength, scrub);
      if (typeof page === 'string') throw notKubernetes(path, page);
      return { kind: 'page', page };
    },

    async clusterUid(signal) {
      const path = '/api/v1/namespaces/kube-system';
      const answer = await transport.get(path, signal);
      if (answer.status === 403 || answer.status === 404) return null;
      const namespace = objectOf(path, answer);
      if (namespace.kind !== 'Namespace') throw notKubernetes(path, 'something other than a namespace');
      const uid = uidOf(asObject(namespace.metadata)?.uid, scrub);
      if (uid === null) throw notKubernetes(path, 'a namespace without a usable uid');
      return uid;
    },

    async serverVersion(signal) {
      const answer = await transport.get('/version', signal);
      if (answer.status === 403 || answer.status === 404) return null;
      const version = asText(objectOf('/version', answer).gitVersion);
      return version && oneLine(scrub(version), 100);
    },

    rest: () => transport.rest(),
    close: () => transport.close(),
  };
}

function listPath({ group, version, plural, namespaced }: ServedKind, namespace: string): string {
  const root =
    group === ''
      ? `/api/${encodeURIComponent(version)}`
      : `/apis/${[group, version].map(encodeURIComponent).join('/')}`;
  const scope = namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${encodeURIComponent(plural)}`;
}

/** As Kubernetes names plurals, groups and versions: nothing that leads elsewhere in a path, or is no name at all. */
const dnsName = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const isName = (text: string, scrub: Scrub) => dnsName.test(text) && scrub(text) === text;

/** A group's name and its versions, the preferred one first; nothing for an entry that is not understood. */
function readGroup(entry: unknown, scrub: Scrub): [string, readonly string[]][] {
  const group = asObject(entry);
  const name = asText(group?.name);
  if (group === null || name === null || !isName(name, scrub)) return [];
  const preferred = asText(asObject(group.preferredVersion)?.version);
  const served = (asArray(group.versions) ?? [])
    .flatMap((each) => asText(asObject(each)?.version) ?? [])
    .filter((version) => isName(version, scrub));
  const first = preferred !== null && served.includes(preferred) ? [preferred] : [];
  return [[name, [...first, ...served.filter((version) => version !== first[0])]]];
}

/** A listable kind; nothing for a subresource (`switches/status`), for what cannot be listed, and for what is no name. */
function readResource(group: string, version: string, entry: unknown, scrub: Scrub): ServedKind[] {
  const resource = asObject(entry);
  const plural = asText(resource?.name);
  const kind = asText(resource?.kind);
  if (resource === null || plural === null || kind === null || !isName(plural, scrub)) return [];
  if (!asArray(resource.verbs)?.includes('list')) return [];
  return [{ group, version, kind, plural, namespaced: resource.namespaced === true }];
}

/** The page, or in words what the answer is instead. */
function readPage(kind: ServedKind, list: Json, bytes: number, scrub: Scrub): Page | string {
  const listKind = asText(list.kind);
  if (listKind === null || !listKind.endsWith('List')) return `kind ${quote(list.kind, scrub)} instead of a list`;
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  if (list.apiVersion !== apiVersion) return `a list of ${quote(list.apiVersion, scrub)}`;
  const metadata = asObject(list.metadata);
  const resourceVersion = asText(metadata?.resourceVersion);
  if (metadata === null || resourceVersion === null) return 'a list without a resourceVersion';
  // Go writes an empty slice that was never made as null.
  const items = list.items === null ? [] : asArray(list.items);
  if (items === null) return 'a list without items';
  if (!items.every((item): item is KubeObject => asObject(item) !== null))
    return 'a list of something other than objects';
  return {
    items: items.map((item) => withoutToken(item, scrub)),
    continueToken: asText(metadata.continue),
    resourceVersion,
    bytes,
  };
}

function quote(value: unknown, scrub: Scrub): string {
  return typeof value === 'string' ? JSON.stringify(oneLine(scrub(value), 60)) : 'nothing';
}
