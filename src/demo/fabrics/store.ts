// The objects of one simulated cluster: what etcd and the API server's registry are to a real one.
//
//   R1. One revision counter for the whole cluster; every write takes the next, and none is ever used twice.
//   R2. A LIST is in key order. All its pages show the revision of the first, until its continue token is too old.
//   R3. A uid lives as long as its object: deleting and creating again gives another.
//   R4. `generation` grows when the spec changes, and not with labels, annotations or status.

import type { Clock } from '../../clock.ts';
import { readToken, writeToken } from './continue-token.ts';
import { at, type Json, type JsonObject, sortedJson } from './json.ts';
import type { SimulatedKind } from './kinds.ts';
import { type Draft, keyOf, type StoredObject, uuidOf } from './stored-object.ts';

/** What a write may change; what is absent stays. A label with the value null goes away. */
export interface Change {
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
  readonly content?: JsonObject | (() => JsonObject);
}

/** Hears of every write, in order, before the writer goes on. */
export interface Journal {
  put(stored: StoredObject, how: 'created' | 'updated'): void;
  removed(stored: StoredObject, revision: number): void;
}

export class StoreRefusal extends Error {
  override readonly name = 'StoreRefusal';
  readonly reason: 'AlreadyExists' | 'NotFound';

  constructor(reason: 'AlreadyExists' | 'NotFound', kind: SimulatedKind, name: string) {
    super(`${kind.plural}.${kind.group} "${name}" ${reason === 'NotFound' ? 'not found' : 'already exists'}`);
    this.reason = reason;
  }
}

export interface ListRequest {
  readonly kind: SimulatedKind;
  /** Null: all namespaces. */
  readonly namespace: string | null;
  /** 0: everything at once. */
  readonly limit: number;
  readonly continueToken: string | null;
  /** Null: no selector. */
  readonly selects: ((stored: StoredObject) => boolean) | null;
}

export type Listed =
  | {
      readonly kind: 'page';
      readonly items: readonly StoredObject[];
      readonly revision: number;
      /** Empty on the last page. */
      readonly continueToken: string;
      /** Null where the server would not know: on the last page, and with a selector. */
      readonly remaining: number | null;
    }
  /** `inconsistentToken` goes on with what is there now. */
  | { readonly kind: 'expired'; readonly inconsistentToken: string }
  | { readonly kind: 'token_broken' };

interface Shelf {
  readonly objects: Map<string, StoredObject>;
  sorted: readonly StoredObject[] | null;
}

interface Snapshot {
  readonly objects: readonly StoredObject[];
  readonly takenMs: number;
}

/** Begun lists that are remembered at once; the oldest gives way. */
const snapshotsMax = 256;

export class ClusterStore {
  readonly seed: string;
  readonly kinds: readonly SimulatedKind[];
  readonly #clock: Clock;
  readonly #shelves = new Map<SimulatedKind, Shelf>();
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #tokenLifeMs: number;
  #revision: number;
  #journal: Journal | null = null;

  /** @param options.tokenLifeMs how long a continue token stays good; etcd is compacted every five minutes */
  constructor(options: {
    readonly kinds: readonly SimulatedKind[];
    readonly seed: string;
    readonly clock: Clock;
    readonly tokenLifeMs?: number;
    readonly firstRevision?: number;
  }) {
    this.seed = options.seed;
    this.kinds = options.kinds;
    this.#clock = options.clock;
    this.#tokenLifeMs = options.tokenLifeMs ?? 5 * 60_000;
    this.#revision = options.firstRevision ?? 1000;
  }

  get revision(): number {
    return this.#revision;
  }

  /** The kind by its `kind` name. Throws where this cluster does not serve it. */
  kind(name: string): SimulatedKind {
    const found = this.kinds.find(({ kind }) => kind === name);
    if (!found) throw new Error(`this fabric does not serve the kind ${name}`);
    return found;
  }

  serves(name: string): boolean {
    return this.kinds.some(({ kind }) => kind === name);
  }

  /** @param createdMs epoch milliseconds; the clock's now where absent */
  create(draft: Draft, createdMs?: number): StoredObject {
    const shelf = this.#shelf(draft.kind);
    const key = keyOf(draft.namespace, draft.name);
    if (shelf.objects.has(key)) throw new StoreRefusal('AlreadyExists', draft.kind, draft.name);
    const revision = this.#next();
    const nowMs = createdMs ?? this.#clock.nowMs();
    return this.#put(
      {
        ...draft,
        key,
        uid: uuidOf(this.seed, draft.kind.plural, key, revision),
        revision,
        generation: 1,
        createdMs: nowMs,
        updatedMs: nowMs,
      },
      'created',
    );
  }

  /** Writes even where nothing changes: the object gets a new resourceVersion, as an upgrade's refresh gives it. */
  update(stored: StoredObject, change: Change): StoredObject {
    const current = this.get(stored.kind, stored.namespace, stored.name);
    if (!current) throw new StoreRefusal('NotFound', stored.kind, stored.name);
    const labels = merged(current.labels, change.labels);
    const annotations = merged(current.annotations, change.annotations);
    return this.#put(
      {
        ...current,
        ...(labels && { labels }),
        ...(annotations && { annotations }),
        content: change.content ?? current.content,
        generation: current.generation + (sameSpec(current.content, change.content) ? 0 : 1),
        revision: this.#next(),
        updatedMs: this.#clock.nowMs(),
      },
      'updated',
    );
  }

  /** Makes the object just what the draft says. */
  replace(stored: StoredObject, draft: Draft): StoredObject {
    const current = this.get(stored.kind, stored.namespace, stored.name);
    if (!current) throw new StoreRefusal('NotFound', stored.kind, stored.name);
    const { labels = {}, annotations = {}, metadata = {}, content, author } = draft;
    return this.#put(
      {
        ...current,
        labels,
        annotations,
        metadata,
        content,
        author,
        generation: current.generation + (sameSpec(current.content, content) ? 0 : 1),
        revision: this.#next(),
        updatedMs: this.#clock.nowMs(),
      },
      'updated',
    );
  }

  delete(stored: StoredObject): void {
    const shelf = this.#shelf(stored.kind);
    const current = shelf.objects.get(stored.key);
    if (!current) throw new StoreRefusal('NotFound', stored.kind, stored.name);
    shelf.objects.delete(stored.key);
    shelf.sorted = null;
    const revision = this.#next();
    this.#journal?.removed(current, revision);
  }

  /** Puts back what a journal remembers, as it was. Only before the first write. `revision`: none below is used again. */
  restore(objects: Iterable<StoredObject>, revision: number): void {
    for (const stored of objects) this.#shelf(stored.kind).objects.set(stored.key, stored);
    this.#revision = Math.max(this.#revision, revision);
  }

  /** Every object of every kind. */
  *everything(): Iterable<StoredObject> {
    for (const kind of this.kinds) yield* this.all(kind);
  }

  /** Every later write is told to this journal. */
  attach(journal: Journal): void {
    this.#journal = journal;
  }

  get(kind: SimulatedKind, namespace: string, name: string): StoredObject | null {
    return this.#shelf(kind).objects.get(keyOf(namespace, name)) ?? null;
  }

  /** Every object of a kind, in key order. */
  all(kind: SimulatedKind): readonly StoredObject[] {
    const shelf = this.#shelf(kind);
    shelf.sorted ??= [...shelf.objects.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    return shelf.sorted;
  }

  count(kind: SimulatedKind): number {
    return this.#shelf(kind).objects.size;
  }

  /** Continue tokens given out so far are too old from now on. */
  compact(): void {
    this.#snapshots.clear();
  }

  list(request: ListRequest): Listed {
    const token = request.continueToken === null ? null : readToken(request.continueToken);
    if (token === 'broken') return { kind: 'token_broken' };

    let objects = this.all(request.kind);
    let revision = this.#revision;
    if (token && token.revision !== 'inconsistent') {
      const snapshot = this.#snapshots.get(snapshotKey(request.kind, token.revision));
      if (!snapshot || this.#clock.monotonicMs() - snapshot.takenMs > this.#tokenLifeMs) {
        return {
          kind: 'expired',
          inconsistentToken: writeToken({ revision: 'inconsistent', afterKey: token.afterKey }),
        };
      }
      ({ objects } = snapshot);
      ({ revision } = token);
    }

    const { namespace, selects } = request;
    const wanted = objects.filter(
      (stored) =>
        (!token || stored.key > token.afterKey) &&
        (namespace === null || stored.namespace === namespace) &&
        (!selects || selects(stored)),
    );
    const items = request.limit > 0 ? wanted.slice(0, request.limit) : wanted;
    const remaining = wanted.length - items.length;
    const last = items.at(-1);
    if (remaining === 0 || !last) return { kind: 'page', items, revision, continueToken: '', remaining: null };
    // A list that begins now shows what is there now: its tokens are good from now on, however old that state is.
    if (!token || token.revision === 'inconsistent') this.#remember(request.kind, revision, objects);
    const continueToken = writeToken({ revision, afterKey: last.key });
    return { kind: 'page', items, revision, continueToken, remaining: selects ? null : remaining };
  }

  #put(stored: StoredObject, how: 'created' | 'updated'): StoredObject {
    const shelf = this.#shelf(stored.kind);
    shelf.objects.set(stored.key, stored);
    shelf.sorted = null;
    this.#journal?.put(stored, how);
    return stored;
  }

  #next(): number {
    this.#revision += 1;
    return this.#revision;
  }

  #shelf(kind: SimulatedKind): Shelf {
    const known = this.#shelves.get(kind);
    if (known) return known;
    if (!this.kinds.includes(kind)) throw new Error(`this fabric does not serve the kind ${kind.kind}`);
    const shelf: Shelf = { objects: new Map(), sorted: null };
    this.#shelves.set(kind, shelf);
    return shelf;
  }

  #remember(kind: SimulatedKind, revision: number, objects: readonly StoredObject[]): void {
    const key = snapshotKey(kind, revision);
    this.#snapshots.delete(key);
    this.#snapshots.set(key, { objects, takenMs: this.#clock.monotonicMs() });
    for (const oldest of this.#snapshots.keys()) {
      if (this.#snapshots.size <= snapshotsMax) break;
      this.#snapshots.delete(oldest);
    }
  }
}

const snapshotKey = (kind: SimulatedKind, revision: number): string => `${kind.plural}.${kind.group}@${revision}`;

function merged(
  current: Readonly<Record<string, string>> | undefined,
  change: Readonly<Record<string, string | null>> | undefined,
): Readonly<Record<string, string>> | undefined {
  if (!change) return current;
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries({ ...current, ...change })) if (value !== null) kept[key] = value;
  return kept;
}

type Content = JsonObject | (() => JsonObject);

function sameSpec(before: Content, after: Content | undefined): boolean {
  if (after === undefined || after === before) return true;
  // Lazy content belongs to controllers, which count generations by themselves.
  if (typeof before === 'function' || typeof after === 'function') return true;
  const specs: [Json, Json] = [at(before, 'spec') ?? null, at(after, 'spec') ?? null];
  return sortedJson(specs[0]) === sortedJson(specs[1]);
}
