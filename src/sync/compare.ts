// What one list of one kind means for what is stored. One comparison is one pass over the list: a list that begins again
// gets a new one, so nothing of an abandoned pass is ever committed.
//
//   V1. Same uid and resourceVersion, served in the same version of its API: unchanged. Nothing of it is looked at, copied,
//       cleaned or hashed.
//   V2. Same uid and content under another version: touched. An upgrade that rewrites every object changes nothing. Another
//       version of the API may serve other content under the same resourceVersion, so it is looked at.
//   V3. What cannot be stored is quarantined, and what is stored under its name stays as it is.
//   V4. Only what is stored and was not seen at all is absent; and where an entry of the list could not be told, nothing
//       is: it may have been any of them.

import { oneLine } from '../../machines/fabric/failure.ts';
import type { KubeObject, ServedKind } from '../ports/fabric-api.ts';
import type { KnownObject, ObjectKey, QuarantinedObject, StagedObject, TouchedObject } from '../ports/store.ts';
import { asRecord, type CleanLimits, clean, cleanLimitsDefault } from './clean.ts';
import { identityOf } from './identity.ts';
import { type KindKey, kindKey } from './kinds.ts';

/** What is stored of a fabric, with the keys of each kind at hand. */
export interface Known {
  readonly objects: ReadonlyMap<ObjectKey, KnownObject>;
  readonly keysByKind: ReadonlyMap<KindKey, readonly ObjectKey[]>;
}

/** Goes through the keys once; the objects themselves are not copied. */
export function indexKnown(objects: ReadonlyMap<ObjectKey, KnownObject>): Known {
  const keysByKind = new Map<KindKey, ObjectKey[]>();
  for (const key of objects.keys()) {
    const kind = key.slice(0, key.indexOf('/', key.indexOf('/') + 1));
    const keys = keysByKind.get(kind);
    if (keys) keys.push(key);
    else keysByKind.set(kind, [key]);
  }
  return { objects, keysByKind };
}

/** What a complete list came to. */
export interface KindFindings {
  readonly listed: number;
  /** Stored before, and live. */
  readonly stored: number;
  /** Seen with the uid that is stored: proof that it is the same cluster. */
  readonly sameUid: number;
  readonly created: number;
  /** Other content, or deleted and made again under the same name. */
  readonly updated: number;
  readonly staged: readonly StagedObject[];
  readonly touched: readonly TouchedObject[];
  readonly quarantined: readonly QuarantinedObject[];
  /** Resource ids of what is not there any more (V4). */
  readonly absent: readonly string[];
  /** Entries that could not be told: absences cannot be known. */
  readonly unidentified: number;
}

export class KindComparison {
  readonly #kind: ServedKind;
  readonly #namespace: string;
  readonly #known: Known;
  readonly #limits: CleanLimits;
  readonly #prefix: string;
  readonly #seen = new Set<ObjectKey>();
  readonly #staged: StagedObject[] = [];
  readonly #touched: TouchedObject[] = [];
  readonly #quarantined = new Map<string, QuarantinedObject>();
  /** How many were shown under the same name. */
  readonly #namesakes = new Map<string, number>();
  #listed = 0;
  #sameUid = 0;
  #created = 0;
  #unidentified = 0;

  /** @param namespace where the list is of; of no meaning for a kind without namespaces */
  constructor(kind: ServedKind, namespace: string, known: Known, limits: CleanLimits = cleanLimitsDefault) {
    this.#kind = kind;
    this.#namespace = kind.namespaced ? namespace : '';
    this.#known = known;
    this.#limits = limits;
    this.#prefix = `${kindKey(kind)}/${this.#namespace}/`;
  }

  get listed(): number {
    return this.#listed;
  }

  /**
   * Takes the next page.
   * @returns `repeated` where an object came a second time: the pages overlap, so that others may be missing between them,
   *   and this pass is worth nothing
   */
  add(items: readonly KubeObject[]): 'added' | 'repeated' {
    for (const item of items) {
      const metadata = asRecord(asRecord(item)?.metadata);
      const name = metadata?.name;
      this.#listed += 1;
      if (!metadata || typeof name !== 'string' || name === '' || (metadata.namespace ?? '') !== this.#namespace) {
        this.#quarantineUnidentified(item);
        continue;
      }
      const key = this.#prefix + name;
      if (this.#seen.size === this.#seen.add(key).size) return 'repeated';
      const known = this.#known.objects.get(key);
      if (known && known.uid === metadata.uid) {
        this.#sameUid += 1;
        if (known.resourceVersion === metadata.resourceVersion && known.version === this.#kind.version) continue;
      }
      this.#vet(item, name, known);
    }
    return 'added';
  }

  /** To be called when the last page was added. */
  findings(): KindFindings {
    const keys = this.#known.keysByKind.get(kindKey(this.#kind)) ?? [];
    const absent = this.#unidentified > 0 ? [] : keys.filter((key) => !this.#seen.has(key));
    return {
      listed: this.#listed,
      stored: keys.length,
      sameUid: this.#sameUid,
      created: this.#created,
      updated: this.#staged.length - this.#created,
      staged: this.#staged,
      touched: this.#touched,
      quarantined: [...this.#quarantined.values()],
      absent: absent.flatMap((key) => this.#known.objects.get(key)?.id ?? []),
      unidentified: this.#unidentified,
    };
  }

  #vet(item: KubeObject, name: string, known: KnownObject | undefined): void {
    const identity = identityOf(item, this.#kind, this.#namespace);
    if (typeof identity === 'string') {
      this.#quarantine(this.#namespace, name, identity);
      return;
    }
    const cleaned = clean(item, this.#limits);
    if (cleaned.kind === 'refused') {
      this.#quarantine(this.#namespace, name, cleaned.reason);
      return;
    }
    if (known && known.uid === identity.uid && known.hash === cleaned.hash) {
      const { resourceVersion, generation } = identity;
      this.#touched.push({ id: known.id, version: this.#kind.version, resourceVersion, generation });
      return;
    }
    if (!known) this.#created += 1;
    const { group, version, kind, plural } = this.#kind;
    this.#staged.push({ group, version, kind, plural, ...identity, json: cleaned.json, hash: cleaned.hash });
  }

  #quarantineUnidentified(item: KubeObject): void {
    this.#unidentified += 1;
    const object = asRecord(item);
    const identity = object ? identityOf(object, this.#kind, this.#namespace) : 'it is not an object';
    const { name, namespace } = asRecord(object?.metadata) ?? {};
    this.#quarantine(
      typeof namespace === 'string' ? namespace : '',
      typeof name === 'string' && name !== '' ? name : '(no name)',
      typeof identity === 'string' ? identity : 'its name or namespace is missing',
    );
  }

  #quarantine(namespace: string, name: string, reason: string): void {
    const { group, kind } = this.#kind;
    const shownIn = storable(namespace);
    const plain = storable(name);
    const place = `${shownIn}/${plain}`;
    let shown = plain;
    // Odd names can look the same once they can be shown, thousands of them too.
    while (this.#quarantined.has(`${shownIn}/${shown}`)) {
      const again = (this.#namesakes.get(place) ?? 1) + 1;
      this.#namesakes.set(place, again);
      shown = `${plain} #${again}`;
    }
    this.#quarantined.set(`${shownIn}/${shown}`, { group, kind, namespace: shownIn, name: shown, reason });
  }
}

/** A stranger's name as it can be shown and stored. */
function storable(name: string): string {
  return oneLine(name, 253).toWellFormed();
}
