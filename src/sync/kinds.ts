// Which kinds are kept of a fabric.
//
//   N1. Versions and plurals are never listed here: discovery says them (`discover.ts`).
//   N2. A kind that carries secrets, or that changes by itself all the time, is never read, whatever is set.
//   N3. A kind that a newer product brings can be added by its name and group; nothing here need change.

import { FabricFailure, oneLine } from '../../machines/fabric/failure.ts';
import { nearest } from '../nearest.ts';

/** A kind by its name, as the product writes it: `wiring.githedgehog.com`, `Switch`. */
export interface KindName {
  readonly group: string;
  readonly kind: string;
}

/** `<group>/<kind>`. */
export type KindKey = string;

/** A kind that is to be read. */
export interface WantedKind extends KindName {
  /** How figures and people call it: the kind, or `Kind.group` where two wanted groups have a kind of that name. */
  readonly label: string;
  /** A person asked for it: its absence is worth a word. */
  readonly added: boolean;
  /** Where its objects are; null: in the fabric's own namespace. */
  readonly namespace: string | null;
}

interface KnownKind extends KindName {
  /** Read unless it is removed. */
  readonly byDefault: boolean;
  readonly namespace: string | null;
}

const domain = 'githedgehog.com';

const kindsOf = (group: string, kinds: string, byDefault = true, namespace: string | null = null): KnownKind[] =>
  kinds.split(' ').map((kind) => ({ group: `${group}.${domain}`, kind, byDefault, namespace }));

const kindsKnown: readonly KnownKind[] = [
  ...kindsOf('wiring', 'Switch Server Connection SwitchGroup VLANNamespace'),
  ...kindsOf('vpc', 'VPC VPCAttachment VPCPeering External ExternalAttachment ExternalPeering IPv4Namespace'),
  ...kindsOf('gateway', 'Gateway GatewayGroup GatewayPeering'),
  // Written by controllers, or of other product generations: by request.
  ...kindsOf('wiring', 'SwitchProfile ServerProfile Fabric', false),
  ...kindsOf('gateway', 'VPCInfo Peering', false),
  ...kindsOf('agent', 'Catalog', false),
  ...kindsOf('fabricator', 'FabNode ControlNode', false, 'fab'),
  ...kindsOf('fcint', 'FabricController', false, 'fab'),
];

/** By kind in lower case, whatever its group: a move to another group must not open the door (N2). */
const kindsNeverRead: ReadonlyMap<string, string> = new Map([
  ['agent', 'it holds password hashes, SSH keys and registry passwords, and changes every 15 seconds'],
  ['gatewayagent', 'it is the state of a gateway, and changes every few seconds'],
  ['dhcpsubnet', 'it holds leases, which are personal data and change by themselves'],
  ['fabricator', 'it holds password hashes, SSH keys and the join token of the cluster'],
]);

/** The kinds that are read where nothing is set. */
export const kindsDefault: readonly KindName[] = kindsKnown.filter(({ byDefault }) => byDefault);

/** The other kinds that are known by their bare name. */
export const kindsAddable: readonly KindName[] = kindsKnown.filter(({ byDefault }) => !byDefault);

export function kindKey({ group, kind }: KindName): KindKey {
  return `${group}/${kind}`;
}

/**
 * The kinds to read: the defaults, with the added ones, less the removed ones.
 *
 * @param added `Kind` for a known kind, or `Kind.group` for any kind of the product; case does not matter for known ones
 * @param removed as above
 * @throws FabricFailure `SETTINGS_INVALID`, with every problem in one line
 */
export function resolveKinds(added: readonly string[], removed: readonly string[]): readonly WantedKind[] {
  const problems: string[] = [];
  const named = (text: string, check: (text: string) => KnownKind | string): KnownKind[] => {
    const found = check(text);
    if (typeof found !== 'string') return [found];
    problems.push(found);
    return [];
  };
  const adding = added.flatMap((text) => named(text, nameToAdd));
  const removing = new Set(removed.flatMap((text) => named(text, nameToRemove)).map(kindKey));
  for (const kind of adding) {
    if (removing.has(kindKey(kind))) problems.push(`${kind.kind} is both added and removed`);
  }
  const kinds = new Map(kindsKnown.filter(({ byDefault }) => byDefault).map((kind) => [kindKey(kind), kind]));
  for (const kind of adding) kinds.set(kindKey(kind), kind);
  for (const key of removing) kinds.delete(key);
  if (problems.length === 0 && kinds.size === 0) problems.push('every kind is removed: nothing is left to read');
  if (problems.length > 0) throw new FabricFailure('SETTINGS_INVALID', `kinds: ${problems.join('; ')}`);

  const wanted = [...kinds.values()];
  const isAdded = new Set(adding.map(kindKey));
  return wanted.map(({ group, kind, namespace }) => ({
    group,
    kind,
    label: wanted.some((other) => other.kind === kind && other.group !== group) ? `${kind}.${group}` : kind,
    added: isAdded.has(kindKey({ group, kind })),
    namespace,
  }));
}

/** The kind, or in words why it cannot be added. */
function nameToAdd(text: string): KnownKind | string {
  const given = text.trim();
  const refusal = kindsNeverRead.get(given.split('.', 1)[0]?.toLowerCase() ?? '');
  if (refusal) return `${quoted(given)} is never stored: ${refusal}`;
  const found = knownByName(given);
  if (found) return found;
  const parts = /^([A-Za-z][A-Za-z0-9]{0,62})\.((?:[a-z0-9-]{1,63}\.){1,4}com)$/.exec(given);
  if (!parts) return unknown(given, ' (a kind that is not known here is named with its group, as Kind.group)');
  const [, kind = '', group = ''] = parts;
  if (!group.endsWith(`.${domain}`)) return `${quoted(given)} is of another product: only groups of ${domain} are read`;
  return { group, kind, byDefault: false, namespace: null };
}

/** Only a known kind is read without being added, so only a known one can be meant. */
function nameToRemove(text: string): KnownKind | string {
  return knownByName(text.trim()) ?? unknown(text.trim(), '');
}

function knownByName(given: string): KnownKind | undefined {
  const name = given.toLowerCase();
  return kindsKnown.find(({ group, kind }) => name === kind.toLowerCase() || name === `${kind}.${group}`.toLowerCase());
}

function unknown(given: string, otherwise: string): string {
  const names = kindsKnown.map(({ group, kind }) => (given.includes('.') ? `${kind}.${group}` : kind));
  const meant = nearest(given, names);
  return `${quoted(given)} is not a known kind${meant ? `; did you mean ${meant}?` : otherwise}`;
}

function quoted(given: string): string {
  return JSON.stringify(oneLine(given, 80));
}
