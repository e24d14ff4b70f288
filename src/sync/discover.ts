// Which of the wanted kinds a fabric serves, under which version and plural.
//
//   D1. Whatever is asked of the fabric later is named as its discovery named it: nothing is derived.
//   D2. What was found is kept for a while, for one address and one choice of kinds; a list that is not served any more
//       ends that at once (`forget`).
//   D3. Fabrics that serve the same share what is kept of them: there are many fabrics, and few versions of the product.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Clock } from '../clock.ts';
import type { FabricApi, ServedKind } from '../ports/fabric-api.ts';
import { type KindKey, type KindName, kindKey } from './kinds.ts';
import { together } from './together.ts';

/** The wanted kinds that are served; those that are not are absent. */
export type Served = ReadonlyMap<KindKey, ServedKind>;

/** Newest first; a version that is not named here comes after, as the server prefers. v1alpha2 was served until 2024. */
const versionsKnown = ['v1', 'v1beta1', 'v1alpha2', 'v1alpha1'];

/**
 * Asks the fabric: one request for the groups, and one for each wanted group that it has.
 * @throws FabricFailure `NO_KINDS_SERVED` where it has none of them
 */
export async function discover(api: FabricApi, wanted: readonly KindName[], signal: AbortSignal): Promise<Served> {
  const groups = await api.groups(signal);
  const names = [...new Set(wanted.map(({ group }) => group))];
  const found = await together(
    signal,
    names.map((group) => (either: AbortSignal) => {
      const kinds = new Set(wanted.filter((each) => each.group === group).map(({ kind }) => kind));
      return discoverGroup(api, group, inOrder(groups.get(group) ?? []), kinds, either);
    }),
  );
  const served = new Map(found.flat().map((kind) => [kindKey(kind), kind]));
  if (served.size > 0) return served;
  throw new FabricFailure('NO_KINDS_SERVED', `the API serves none of the ${wanted.length} kinds (${names.join(', ')})`);
}

/** Each kind under the first of the versions that has it; further versions are asked only while a kind is missing. */
async function discoverGroup(
  api: FabricApi,
  group: string,
  versions: readonly string[],
  missing: Set<string>,
  signal: AbortSignal,
): Promise<readonly ServedKind[]> {
  const found: ServedKind[] = [];
  for (const version of versions) {
    for (const served of await api.kinds(group, version, signal)) {
      if (missing.delete(served.kind)) found.push(served);
    }
    if (missing.size === 0) break;
  }
  return found;
}

function inOrder(served: readonly string[]): readonly string[] {
  const known = versionsKnown.filter((version) => served.includes(version));
  return [...known, ...served.filter((version) => !known.includes(version))];
}

/** What was asked and what was found; shared by content (D3). */
interface Finding {
  readonly asked: string;
  readonly served: Served;
}

interface Entry {
  readonly server: string;
  readonly finding: Finding;
  readonly untilMs: number;
}

export interface Discovered {
  readonly served: Served;
  /** Asked just now, not remembered. */
  readonly fresh: boolean;
}

/** Findings that are looked at for an equal one; more kinds of fabrics than this share less. */
const sharedMax = 64;

/** What fabrics were found to serve, one entry a fabric that was asked within the time to live. */
export class DiscoveryCache {
  /** In the order in which they end. */
  readonly #entries = new Map<string, Entry>();
  /** By content; the one that was found last at the end. */
  readonly #shared = new Map<string, Finding>();
  readonly #clock: Clock;
  readonly #ttlMs: number;

  /** @param ttlMs how long a kind that a fabric begins to serve may go unnoticed */
  constructor(clock: Clock, ttlMs = 5 * 60_000) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  /** Fabrics that it remembers. */
  get size(): number {
    return this.#entries.size;
  }

  async of(
    fabric: { readonly fabricId: string; readonly server: string },
    wanted: readonly KindName[],
    api: FabricApi,
    signal: AbortSignal,
  ): Promise<Discovered> {
    const { fabricId, server } = fabric;
    const asked = wanted.map(kindKey).join(' ');
    const entry = this.#entries.get(fabricId);
    if (entry?.server === server && entry.finding.asked === asked && this.#clock.monotonicMs() < entry.untilMs) {
      return { served: entry.finding.served, fresh: false };
    }
    this.forget(fabricId);
    const finding = this.#share({ asked, served: await discover(api, wanted, signal) });
    this.#keep(fabricId, { server, finding, untilMs: this.#clock.monotonicMs() + this.#ttlMs });
    return { served: finding.served, fresh: true };
  }

  /** Also for a fabric that was removed. */
  forget(fabricId: string): void {
    this.#entries.delete(fabricId);
  }

  #keep(fabricId: string, entry: Entry): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [other, { untilMs }] of this.#entries) {
      if (nowMs < untilMs) break;
      this.#entries.delete(other);
    }
    // Behind the others, also where a run that was cut off left one meanwhile.
    this.#entries.delete(fabricId);
    this.#entries.set(fabricId, entry);
  }

  #share(found: Finding): Finding {
    const content = JSON.stringify([found.asked, ...found.served.values()]);
    const finding = this.#shared.get(content) ?? found;
    this.#shared.delete(content);
    this.#shared.set(content, finding);
    for (const oldest of this.#shared.keys()) {
      if (this.#shared.size <= sharedMax) break;
      this.#shared.delete(oldest);
    }
    return finding;
  }
}
