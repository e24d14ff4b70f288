// What a request's path means to a Kubernetes API server.

import type { SimulatedKind } from './kinds.ts';

export type Route =
  | { readonly to: 'health' }
  | { readonly to: 'version' }
  | { readonly to: 'core_versions' }
  | { readonly to: 'core_resources' }
  | { readonly to: 'namespaces' }
  | { readonly to: 'namespace'; readonly name: string }
  | { readonly to: 'groups' }
  | { readonly to: 'group'; readonly group: string }
  | { readonly to: 'resources'; readonly groupVersion: string }
  /** Null: all namespaces. */
  | { readonly to: 'objects'; readonly kind: SimulatedKind; readonly namespace: string | null }
  | {
      readonly to: 'object';
      readonly kind: SimulatedKind;
      readonly namespace: string;
      readonly name: string;
      readonly status: boolean;
    }
  /** The group and version are served, the resource is not among them. */
  | { readonly to: 'resource_unknown' }
  | { readonly to: 'nowhere' };

/** @param path as it stands in the request line, without the query */
export function routeOf(kinds: readonly SimulatedKind[], path: string): Route {
  const parts = decoded(path);
  if (!parts) return { to: 'nowhere' };
  const [root, ...rest] = parts;
  if (root === 'version' && rest.length === 0) return { to: 'version' };
  if (root !== undefined && ['healthz', 'readyz', 'livez'].includes(root) && rest.length === 0) return { to: 'health' };
  if (root === 'api') return coreRoute(rest);
  if (root === 'apis') return groupRoute(kinds, rest);
  return { to: 'nowhere' };
}

function coreRoute(parts: readonly string[]): Route {
  const [version, resource, name, ...rest] = parts;
  if (version === undefined) return { to: 'core_versions' };
  if (version !== 'v1') return { to: 'nowhere' };
  if (resource === undefined) return { to: 'core_resources' };
  if (resource !== 'namespaces' || rest.length > 0) return { to: 'resource_unknown' };
  return name === undefined ? { to: 'namespaces' } : { to: 'namespace', name };
}

function groupRoute(kinds: readonly SimulatedKind[], parts: readonly string[]): Route {
  const [group, version, ...rest] = parts;
  if (group === undefined) return { to: 'groups' };
  if (version === undefined) return { to: 'group', group };
  if (rest.length === 0) return { to: 'resources', groupVersion: `${group}/${version}` };
  const members = kinds.filter((kind) => kind.group === group && kind.version === version);
  if (members.length === 0) return { to: 'nowhere' };

  const namespaced = rest[0] === 'namespaces' && rest.length >= 3;
  const namespace = namespaced ? (rest[1] ?? null) : null;
  const [plural, name, subresource, ...more] = namespaced ? rest.slice(2) : rest;
  const kind = members.find((member) => member.plural === plural);
  if (!kind || more.length > 0) return { to: 'resource_unknown' };
  if (name === undefined) return { to: 'objects', kind, namespace };
  // Every kind is namespaced: an object has no address outside of its namespace.
  if (namespace === null || (subresource !== undefined && subresource !== 'status')) return { to: 'resource_unknown' };
  return { to: 'object', kind, namespace, name, status: subresource === 'status' };
}

function decoded(path: string): string[] | null {
  try {
    return path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    return null;
  }
}
