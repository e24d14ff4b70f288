// The inventory of one fabric, as the store keeps it: objects under their ids, and tombstones that a returning object takes
// its old id from. What the objects hold is not kept, only the hash of it.

import type { KnownObject, ObjectKey, StagedObject, TouchedObject } from '../../src/ports/store.ts';

export interface InventoryObject {
  readonly id: string;
  /** `<group>/<kind>` */
  readonly kindKey: string;
  readonly name: string;
  uid: string;
  resourceVersion: string;
  hash: string;
  version: string;
  /** False: a tombstone. */
  live: boolean;
}

export class MemoryInventory {
  readonly objects = new Map<ObjectKey, InventoryObject>();
  readonly #byId = new Map<string, InventoryObject>();

  /** The live objects, as a run that begins now learns of them. */
  known(): Map<ObjectKey, KnownObject> {
    const known = new Map<ObjectKey, KnownObject>();
    for (const [key, { id, uid, resourceVersion, hash, version, live }] of this.objects) {
      if (live) known.set(key, { id, uid, resourceVersion, hash, version });
    }
    return known;
  }

  *live(kindKey?: string): Iterable<InventoryObject> {
    for (const object of this.objects.values()) {
      if (object.live && (kindKey === undefined || object.kindKey === kindKey)) yield object;
    }
  }

  byId(id: string): InventoryObject | undefined {
    return this.#byId.get(id);
  }

  touch(touched: readonly TouchedObject[]): void {
    for (const { id, version, resourceVersion } of touched) {
      const object = this.#byId.get(id);
      if (object?.live) Object.assign(object, { version, resourceVersion });
    }
  }

  /** @returns how many went */
  bury(ids: readonly string[]): number {
    let gone = 0;
    for (const id of ids) {
      const object = this.#byId.get(id);
      if (!object?.live) continue;
      object.live = false;
      gone++;
    }
    return gone;
  }

  /** @returns how many changed */
  merge(staged: Iterable<StagedObject>, nextId: () => string): number {
    let changed = 0;
    for (const { group, version, kind, namespace, name, uid, resourceVersion, hash } of staged) {
      changed++;
      const key = `${group}/${kind}/${namespace}/${name}`;
      const stored = this.objects.get(key);
      if (stored) Object.assign(stored, { uid, resourceVersion, hash, version, live: true });
      else {
        const kindKey = `${group}/${kind}`;
        this.#put(key, { id: nextId(), kindKey, name, uid, resourceVersion, hash, version, live: true });
      }
    }
    return changed;
  }

  copy(): MemoryInventory {
    const copy = new MemoryInventory();
    for (const [key, object] of this.objects) copy.#put(key, { ...object });
    return copy;
  }

  #put(key: ObjectKey, object: InventoryObject): void {
    this.objects.set(key, object);
    this.#byId.set(object.id, object);
  }
}
