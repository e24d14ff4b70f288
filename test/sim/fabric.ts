// A fabric without a server: lists as Kubernetes gives them, and every way in which an API server can fail.
//
//   F1. A list is one snapshot from its first page to its last, whatever is edited meanwhile; its token may expire.
//   F2. Each state of each kind is kept with its time, so that a checker can tell which states a run may have read.
//   F3. Every object's uid begins with the name of its cluster.

import { FabricFailure, type FailureCode } from '../../machines/fabric/failure.ts';
import type { FabricApi, KubeObject, PageAnswer, ServedKind } from '../../src/ports/fabric-api.ts';
import { served } from '../support/fake-fabric-api.ts';
import type { Chance } from './chance.ts';
import type { SimProcess } from './host.ts';
import type { World } from './world.ts';

export const kindsServed: readonly ServedKind[] = [
  served('wiring.githedgehog.com', 'v1beta1', 'Switch', 'switches'),
  served('wiring.githedgehog.com', 'v1beta1', 'Server', 'servers'),
  served('vpc.githedgehog.com', 'v1beta1', 'VPC', 'vpcs'),
];

/** What a fabric answers. `kind` names the one that fails, where one does. */
export type Trouble =
  | { readonly what: 'fails'; readonly code: FailureCode; readonly retryAfterMs?: number }
  /** From this page of a list on. */
  | { readonly what: 'fails at page'; readonly code: FailureCode; readonly page: number }
  | { readonly what: 'forbidden' | 'not served'; readonly kind: string }
  | { readonly what: 'expires' }
  | { readonly what: 'repeats an object' }
  | { readonly what: 'hides its uid' }
  | { readonly what: 'is slow'; readonly ms: number }
  | { readonly what: 'hangs' };

/** `name -> uid and version`, as one list of one kind says. */
export interface Listed {
  readonly atMs: number;
  readonly objects: readonly KubeObject[];
}

const requestTimeoutMs = 15_000;

export class SimFabric {
  readonly fabricId: string;
  trouble: Trouble | null = null;
  /** Requests so far; a checker counts them. */
  requests = 0;
  onRequest: (process: SimProcess, what: string) => void = () => {};
  readonly #world: World;
  readonly #chance: Chance;
  readonly #states = new Map<string, Listed[]>();
  #cluster = 0;
  #counter = 0;

  constructor(world: World, chance: Chance, fabricId: string, sizes: readonly number[]) {
    this.#world = world;
    this.#chance = chance;
    this.fabricId = fabricId;
    for (const [at, { kind }] of kindsServed.entries()) this.#fill(kind, sizes[at] ?? 0);
  }

  get cluster(): string {
    return `cluster-${this.fabricId}-${this.#cluster}`;
  }

  /** The states that a list of this kind may have been, which was read within that time. */
  between(kind: string, fromMs: number, toMs: number): readonly Listed[] {
    const states = this.#states.get(kind) ?? [];
    return states.filter(
      ({ atMs }, at) => atMs <= toMs && (states[at + 1]?.atMs ?? Number.POSITIVE_INFINITY) >= fromMs,
    );
  }

  /** Something small changes, as people and controllers do it. */
  edit(): void {
    const { kind } = this.#chance.pick(kindsServed);
    const objects = [...this.#now(kind)];
    const at = this.#chance.below(Math.max(1, objects.length));
    const roll = this.#chance.roll();
    const one = objects[at];
    if (roll < 0.4 || !one) objects.push(this.#make(kind));
    else if (roll < 0.65) objects.splice(at, 1);
    else if (roll < 0.8) objects[at] = this.#make(kind, nameOf(one), uidOf(one));
    // Deleted and made again under its name.
    else if (roll < 0.9) objects[at] = this.#make(kind, nameOf(one));
    // An upgrade rewrites every object and changes none.
    else objects.splice(0, objects.length, ...objects.map((each) => this.#rewritten(each)));
    this.#put(kind, objects);
  }

  /** Many go at once, or all of a kind. */
  lose(share: number): void {
    for (const { kind } of kindsServed) {
      this.#put(
        kind,
        this.#now(kind).filter(() => this.#chance.roll() >= share),
      );
    }
  }

  /** Another cluster behind the same address, with the same names. */
  replace(): void {
    this.#cluster += 1;
    for (const { kind } of kindsServed) {
      this.#put(
        kind,
        this.#now(kind).map((object) => this.#make(kind, nameOf(object))),
      );
    }
  }

  api(process: SimProcess): FabricApi {
    const ask = <Answer>(op: string, signal: AbortSignal, serve: () => Answer): Promise<Answer> => {
      const { trouble } = this;
      if (process.alive) {
        this.requests += 1;
        this.onRequest(process, op);
      }
      return process.ask({
        service: 'fabric',
        op,
        signal,
        deadlineMs: requestTimeoutMs,
        takesMs: trouble?.what === 'is slow' ? trouble.ms : trouble?.what === 'hangs' ? 2 * requestTimeoutMs : 0,
        broken: (why) =>
          new FabricFailure(why.startsWith('no answer') ? 'TIMED_OUT' : 'UNREACHABLE', `it said: ${why}`),
        serve: () => {
          if (this.trouble?.what === 'fails') throw this.#failure(this.trouble.code, this.trouble.retryAfterMs);
          return serve();
        },
      });
    };
    const groups = new Map<string, string[]>();
    for (const { group, version } of kindsServed) groups.set(group, [version]);
    return {
      groups: (signal) => ask('groups', signal, () => groups),
      kinds: (group, version, signal) =>
        ask('kinds', signal, () => kindsServed.filter((one) => one.group === group && one.version === version)),
      clusterUid: (signal) =>
        ask('clusterUid', signal, () => (this.trouble?.what === 'hides its uid' ? null : this.cluster)),
      serverVersion: async () => 'v1.36.1+k3s1',
      page: async (kind, request, signal) => {
        const answer = await ask(`page ${kind.kind}`, signal, () => this.#page(kind, request));
        // The reader of lists gives the event loop its turn between two pages.
        this.#world.oweTurn();
        return answer;
      },
      close: async () => {},
    };
  }

  #page({ kind }: ServedKind, request: { limit: number; continueToken: string | null }): PageAnswer {
    const { trouble } = this;
    const states = this.#states.get(kind) ?? [];
    const [version, offset] = (request.continueToken ?? `${states.length - 1}:0`).split(':').map(Number);
    const objects = states[version ?? 0]?.objects ?? [];
    const from = offset ?? 0;
    if ((trouble?.what === 'forbidden' || trouble?.what === 'not served') && trouble.kind === kind) {
      return trouble.what === 'forbidden' ? { kind: 'forbidden', message: 'forbidden' } : { kind: 'not_served' };
    }
    if (trouble?.what === 'fails at page' && from >= (trouble.page - 1) * request.limit) {
      throw this.#failure(trouble.code);
    }
    if (trouble?.what === 'expires' && from > 0) return { kind: 'expired' };
    const repeated = trouble?.what === 'repeats an object' && from > 0 ? 1 : 0;
    const items = objects.slice(from - repeated, from + request.limit);
    const next = from + request.limit;
    const continueToken = next < objects.length ? `${version}:${next}` : null;
    return {
      kind: 'page',
      page: { items, continueToken, resourceVersion: String(version), bytes: 100 * items.length },
    };
  }

  #failure(code: FailureCode, retryAfterMs?: number): FabricFailure {
    const more = retryAfterMs === undefined ? {} : { retryAfterMs };
    return new FabricFailure(code, `fabric ${this.fabricId} is in trouble`, more);
  }

  #now(kind: string): readonly KubeObject[] {
    return this.#states.get(kind)?.at(-1)?.objects ?? [];
  }

  #put(kind: string, objects: readonly KubeObject[]): void {
    const states = this.#states.get(kind) ?? [];
    states.push({ atMs: this.#world.nowMs, objects });
    this.#states.set(kind, states);
  }

  #fill(kind: string, count: number): void {
    this.#put(
      kind,
      Array.from({ length: count }, () => this.#make(kind)),
    );
  }

  #make(kind: string, name?: string, uid?: string): KubeObject {
    this.#counter += 1;
    const of = kindsServed.find((one) => one.kind === kind);
    const number = String(this.#counter).padStart(6, '0');
    return {
      apiVersion: `${of?.group}/${of?.version}`,
      kind,
      metadata: {
        name: name ?? `${kind.toLowerCase()}-${number}`,
        namespace: 'default',
        uid: uid ?? `${this.cluster}/${number}`,
        resourceVersion: String(this.#counter),
        generation: 1,
        creationTimestamp: '2026-01-02T03:04:05Z',
      },
      spec: { of: number },
    };
  }

  #rewritten(object: KubeObject): KubeObject {
    this.#counter += 1;
    return { ...object, metadata: { ...(object.metadata as object), resourceVersion: String(this.#counter) } };
  }
}

export function nameOf({ metadata }: KubeObject): string {
  return (metadata as { name: string }).name;
}

export function uidOf({ metadata }: KubeObject): string {
  return (metadata as { uid: string }).uid;
}

export function versionOf({ metadata }: KubeObject): string {
  return (metadata as { resourceVersion: string }).resourceVersion;
}
