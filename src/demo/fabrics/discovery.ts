// What a simulated fabric says about itself: its groups, versions and resources, in the old form (one request a group)
// and in the aggregated form that newer clients ask for first.

import type { JsonObject } from './json.ts';
import { apiVersionOf, type SimulatedKind } from './kinds.ts';

/** The media type of aggregated discovery, as it stands in `Accept` and in `Content-Type`. */
export const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const objectVerbs = ['create', 'delete', 'get', 'list', 'patch', 'update'];
const statusVerbs = ['get', 'patch', 'update'];

interface Group {
  readonly name: string;
  readonly version: string;
  readonly kinds: readonly SimulatedKind[];
}

function groupsOf(kinds: readonly SimulatedKind[]): Group[] {
  const byName = Map.groupBy(kinds, ({ group }) => group);
  return [...byName]
    .map(([name, members]) => ({ name, version: members[0]?.version ?? '', kinds: members }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export const coreVersions = (): JsonObject => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '172.30.0.1:6443' }],
});

export const coreResources = (): JsonObject => ({
  kind: 'APIResourceList',
  groupVersion: 'v1',
  resources: [
    {
      name: 'namespaces',
      singularName: 'namespace',
      namespaced: false,
      kind: 'Namespace',
      verbs: ['get', 'list'],
      shortNames: ['ns'],
    },
  ],
});

export const groupList = (kinds: readonly SimulatedKind[]): JsonObject => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groupsOf(kinds).map(groupFields),
});

/** One group, or null where it is not served. */
export function group(kinds: readonly SimulatedKind[], name: string): JsonObject | null {
  const found = groupsOf(kinds).find((one) => one.name === name);
  return found ? { kind: 'APIGroup', apiVersion: 'v1', ...groupFields(found) } : null;
}

function groupFields({ name, version }: Group): JsonObject {
  const served = { groupVersion: `${name}/${version}`, version };
  return { name, versions: [served], preferredVersion: served };
}

/** The resources of one group and version, or null where these are not served. */
export function resourceList(kinds: readonly SimulatedKind[], groupVersion: string): JsonObject | null {
  const members = kinds.filter((kind) => apiVersionOf(kind) === groupVersion);
  if (members.length === 0) return null;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: members.flatMap((kind) => [
      {
        name: kind.plural,
        singularName: kind.singular,
        namespaced: true,
        kind: kind.kind,
        verbs: objectVerbs,
        ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
        ...(kind.categories.length > 0 && { categories: kind.categories }),
      },
      { name: `${kind.plural}/status`, singularName: '', namespaced: true, kind: kind.kind, verbs: statusVerbs },
    ]),
  };
}

/** Aggregated discovery of the `/apis` groups. */
export const aggregatedGroups = (kinds: readonly SimulatedKind[]): JsonObject => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: groupsOf(kinds).map(({ name, version, kinds: members }) => ({
    metadata: { name, creationTimestamp: null },
    versions: [{ version, freshness: 'Current', resources: members.map(aggregatedResource) }],
  })),
});

/** Aggregated discovery of `/api`. */
export const aggregatedCore = (): JsonObject => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: [
    {
      metadata: { creationTimestamp: null },
      versions: [
        {
          version: 'v1',
          freshness: 'Current',
          resources: [
            {
              resource: 'namespaces',
              responseKind: { group: '', version: 'v1', kind: 'Namespace' },
              scope: 'Cluster',
              singularResource: 'namespace',
              verbs: ['get', 'list'],
              shortNames: ['ns'],
            },
          ],
        },
      ],
    },
  ],
});

function aggregatedResource({
  group,
  version,
  kind,
  plural,
  singular,
  shortNames,
  categories,
}: SimulatedKind): JsonObject {
  const responseKind = { group, version, kind };
  return {
    resource: plural,
    responseKind,
    scope: 'Namespaced',
    singularResource: singular,
    verbs: objectVerbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    subresources: [{ subresource: 'status', responseKind, verbs: statusVerbs }],
  };
}
