// A fabric without a server: lists as Kubernetes gives them, and every way in which an API server can fail.
//
//   F1. A list is one snapshot from its first page to its last, whatever is edited meanwhile; its token may expire.
//   F2. Each state of each kind is kept with its time, so that a checker can tell which states a run may have read.
//   F3. Every object's uid begins with the name of its cluster.

import type { FailureCode } from '../../machines/fabric/failure.ts';
import type { Answer } from '../../src/kube/answers.ts';
import type { KubeObject } from '../../src/ports/fabric-api.ts';
import { canary } from './canary.ts';
import { Chance } from './chance.ts';
import {
  failing,
  groupless,
  groupsAnswer,
  jsonAnswer,
  kindsAnswer,
  kindsServed,
  listAnswer,
  type PageAsked,
  readPath,
  refusal,
} from './fabric-answers.ts';
import { thrownBy } from './fabric-errors.ts';
import type { SimProcess } from './host.ts';
import type { World } from './world.ts';

/** What a fabric answers. `kind` names the one that fails; null: every one. */
export type Trouble =
  | { readonly what: 'fails'; readonly code: FailureCode; readonly retryAfterMs?: number }
  /** From this page of a list on. */
  | { readonly what: 'fails at page'; readonly code: FailureCode; readonly page: number }
  | { readonly what: 'forbidden' | 'not served'; readonly kind: string | null }
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

export class SimFabric {
  readonly fabricId: string;
  trouble: Trouble | null = null;
  onRequest: (process: SimProcess, what: string, path: string) => void = () => {};
  /** What came of it: null where no answer did. */
  onAnswer: (process: SimProcess, answer: Answer | null) => void = () => {};
  /** How often it broke a pass of a list, or said that a kind is not served, by kind. */
  readonly broken = new Map<string, number>();
  readonly #world: World;
  readonly #chance: Chance;
  readonly #states = new Map<string, Listed[]>();
  readonly #seed: number;
  #cluster = 0;
  #counter = 0;
  #renewals = 0;
  /** What it lets in. */
  token: string;

  constructor(world: World, seed: number, fabricId: string, sizes: readonly number[]) {
    this.#world = world;
    this.#seed = seed;
    this.#chance = new Chance(seed, `fabric ${fabricId}`);
    this.fabricId = fabricId;
    this.token = canary(seed, `token ${fabricId}`);
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

  /** What the API server answers to a GET of this path, which came with this token. Throws what means that it cannot be reached. */
  answer(path: string, token: string): Answer {
    const { trouble } = this;
    if (trouble?.what === 'fails') return this.#fails(trouble, token);
    if (token !== this.token) return refusal(401, 'Unauthorized', token);
    const asked = readPath(path);
    switch (asked.what) {
      case 'groups':
        return trouble?.what === 'not served' && trouble.kind === null ? groupless : groupsAnswer;
      case 'kinds':
        return kindsAnswer(asked.group, asked.version);
      case 'clusterUid':
        if (trouble?.what === 'hides its uid') return refusal(403, 'namespaces "kube-system" is forbidden', token);
        return jsonAnswer({
          kind: 'Namespace',
          apiVersion: 'v1',
          metadata: { name: 'kube-system', uid: this.cluster },
        });
      case 'page':
        return this.#page(asked, token);
    }
  }

  /** The token that the fabric was reached by is of no use from now on. */
  renewToken(): void {
    this.#renewals += 1;
    this.token = canary(this.#seed, `token ${this.fabricId} ${this.#renewals}`);
  }

  #page({ kind, limit, continueToken }: PageAsked, token: string): Answer {
    const { trouble } = this;
    const states = this.#states.get(kind) ?? [];
    const [version = 0, from = 0] = (continueToken ?? `${states.length - 1}:0`).split(':').map(Number);
    const objects = states[version]?.objects ?? [];
    const failsHere =
      (trouble?.what === 'forbidden' || trouble?.what === 'not served') && [null, kind].includes(trouble.kind);
    if (failsHere && trouble.what === 'forbidden') return refusal(403, `${kind} is forbidden`, token);
    const breaks = (what: string) => this.broken.set(what, (this.broken.get(what) ?? 0) + 1);
    if (failsHere) {
      breaks(`${kind} not served`);
      return refusal(404, 'the server could not find it', token);
    }
    if (trouble?.what === 'fails at page' && from >= (trouble.page - 1) * limit) return this.#fails(trouble, token);
    if (trouble?.what === 'expires' && from > 0) {
      breaks(kind);
      return refusal(410, 'the provided continue parameter is too old', token);
    }
    const repeated = trouble?.what === 'repeats an object' && from > 0 ? 1 : 0;
    if (repeated > 0) breaks(kind);
    const next = from + limit < objects.length ? `${version}:${from + limit}` : null;
    return listAnswer(kind, objects.slice(from - repeated, from + limit), String(version), next);
  }

  #fails({ code, retryAfterMs = 1_000 }: { code: FailureCode; retryAfterMs?: number }, token: string): Answer {
    const said = failing(code, retryAfterMs, token);
    if (said) return said;
    throw thrownBy(code);
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
        labels: { of: number },
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
