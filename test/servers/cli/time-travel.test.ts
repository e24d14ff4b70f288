// What the history says of the past, against a model that simply remembers it: random syncs through the store, and then
// every question about every run.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { StagedObject, TouchedObject } from '../../../src/ports/store.ts';
import { asOf } from '../../../src/postgres/operator/as-of.ts';
import { changes } from '../../../src/postgres/operator/changes.ts';
import { resources } from '../../../src/postgres/operator/resources.ts';
import { run } from '../../../src/postgres/operator/runs.ts';
import {
  addFabric,
  claimNow,
  commitRequest,
  neverAborted,
  object,
  openStorePlace,
  type StorePlace,
  settleRequest,
} from '../../support/fabric-store.ts';

let place: StorePlace;

beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
});
afterAll(() => place.close());

/** A small generator with a seed: a failure can be repeated. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const names = ['a', 'b', 'c', 'd', 'e', 'f'];
const kinds = ['Switch', 'VPC'];
const slots = kinds.flatMap((kind) => names.map((name) => ({ kind, name })));

type Inventory = ReadonlyMap<string, StagedObject>;
type Change = 'created' | 'updated' | 'deleted' | 'unsynced' | 'recreated' | 'restored';

interface Step {
  readonly runId: string;
  readonly after: Inventory;
  readonly changes: ReadonlyMap<string, Change>;
}

/** One fabric, and the model of everything it ever was. */
class Remembered {
  readonly steps: Step[] = [];
  readonly #fabricId: string;
  readonly #pick: (below: number) => number;
  readonly #seen = new Set<string>();
  /** Kinds that nobody wants to be read. */
  readonly #unwanted = new Set<string>();
  /** What left with its kind, as it stood: the fabric has it all the while. */
  readonly #left = new Map<string, StagedObject>();
  #live: Inventory = new Map();
  #made = 0;

  constructor(fabricId: string, pick: (below: number) => number) {
    this.#fabricId = fabricId;
    this.#pick = pick;
  }

  get fabricId(): string {
    return this.#fabricId;
  }

  /** A sync that finds a random world; now and then one that fails. */
  async sync(): Promise<void> {
    const claimed = await claimNow(place, this.#fabricId);
    const { runId } = claimed.claim;
    if (this.#pick(6) === 0) {
      const settled = await place.store.settle(settleRequest(claimed));
      expect(settled.kind).toBe('settled');
      this.steps.push({ runId, after: this.#live, changes: new Map() });
      return;
    }
    const known = await place.store.known(this.#fabricId, neverAborted);
    const after = new Map(this.#live);
    const changed = new Map<string, Change>();
    const staged: StagedObject[] = [];
    const touched: TouchedObject[] = [];
    const deletions: string[] = [];
    const unsynced: string[] = [];
    for (const kind of kinds) {
      if (this.#pick(7) > 0) continue;
      if (!this.#unwanted.delete(kind)) this.#unwanted.add(kind);
    }
    for (const { kind, name } of slots) {
      const key = `wiring.githedgehog.com/${kind}/default/${name}`;
      const was = after.get(key);
      const id = known.get(key)?.id ?? '';
      if (this.#unwanted.has(kind)) {
        if (!was) continue;
        changed.set(key, 'unsynced');
        after.delete(key);
        unsynced.push(id);
        this.#left.set(key, was);
        continue;
      }
      const back = this.#left.get(key);
      this.#left.delete(key);
      if (back && this.#pick(2) === 0) {
        changed.set(key, 'restored');
        after.set(key, back);
        staged.push(back);
        continue;
      }
      const dice = this.#pick(8);
      if (!was && dice < 2) {
        changed.set(key, this.#seen.has(key) ? 'restored' : 'created');
        const now = this.#fresh(kind, name);
        after.set(key, now);
        staged.push(now);
      } else if (was && dice === 0) {
        changed.set(key, 'deleted');
        after.delete(key);
        deletions.push(id);
      } else if (was && dice === 1) {
        changed.set(key, 'recreated');
        const now = this.#fresh(kind, name);
        after.set(key, now);
        staged.push(now);
      } else if (was && dice === 2) {
        changed.set(key, 'updated');
        const { uid, creationTimestamp } = was;
        const now = { ...this.#fresh(kind, name), uid, creationTimestamp };
        after.set(key, now);
        staged.push(now);
      } else if (was && dice === 3) {
        this.#made += 1;
        touched.push({ id, version: was.version, resourceVersion: String(this.#made), generation: was.generation });
      }
      this.#seen.add(after.has(key) ? key : '');
    }
    const found = { staged, touched, deletions, unsynced };
    const committed = await place.store.commit(commitRequest(claimed, found), neverAborted);
    expect(committed).toMatchObject({ kind: 'committed', changes: changed.size });
    this.#live = after;
    this.steps.push({ runId, after, changes: changed });
  }

  #fresh(kind: string, name: string): StagedObject {
    this.#made += 1;
    return object(name, {
      kind,
      uid: `uid-${this.#fabricId}-${this.#made}`,
      resourceVersion: String(this.#made),
      creationTimestamp: new Date(1_700_000_000_000 + this.#made * 1_000).toISOString().replace('.000Z', 'Z'),
      spec: { version: this.#made, ports: Array.from({ length: this.#pick(4) }, () => this.#pick(9)) },
    });
  }
}

const shown = (one: { kind: string; name: string }, uid: string | null, body: unknown) => ({
  kind: one.kind,
  name: one.name,
  uid,
  object: body,
});
const expected = (inventory: Inventory) =>
  [...inventory.values()]
    .sort((one, other) => (`${one.kind}/${one.name}` < `${other.kind}/${other.name}` ? -1 : 1))
    .map((one) => shown(one, one.uid, JSON.parse(one.json)));

const inventoryAt = async (fabricId: string, atRun: string | null) =>
  (await resources(place.sql, { fabricId, kind: null, atRun, bodies: true })).map((row) =>
    shown(row, row.body?.uid ?? null, row.body?.object),
  );

describe.each([1, 7, 2026])('thirty random syncs of two fabrics, seed %i', (seed) => {
  let fabrics: readonly Remembered[];

  beforeAll(async () => {
    const pick = seeded(seed);
    fabrics = [new Remembered(await addFabric(place.sql), pick), new Remembered(await addFabric(place.sql), pick)];
    for (let round = 0; round < 30; round++) for (const fabric of fabrics) await fabric.sync();
  });

  test('everything that can happen to an object has happened', () => {
    const made = new Set(fabrics.flatMap(({ steps }) => steps.flatMap(({ changes }) => [...changes.values()])));
    expect([...made].sort()).toEqual(['created', 'deleted', 'recreated', 'restored', 'unsynced', 'updated']);
  });

  test('the inventory at each run is what it was, and now is what it is', async () => {
    for (const { fabricId, steps } of fabrics) {
      for (const { runId, after } of steps) expect(await inventoryAt(fabricId, runId)).toEqual(expected(after));
      expect(await inventoryAt(fabricId, null)).toEqual(expected(steps.at(-1)?.after ?? new Map()));
    }
  });

  test('an object that is the same one still has the time it was created at', async () => {
    for (const { fabricId, steps } of fabrics) {
      const last = steps.at(-1)?.after;
      for (const { runId, after } of steps) {
        const rows = await resources(place.sql, { fabricId, kind: null, atRun: runId, bodies: false });
        for (const { kind, name, creationTimestamp } of rows) {
          const key = `wiring.githedgehog.com/${kind}/default/${name}`;
          const then = after.get(key);
          if (then?.uid === last?.get(key)?.uid) expect(creationTimestamp).toBe(then?.creationTimestamp);
          else expect([null, then?.creationTimestamp]).toContain(creationTimestamp);
        }
      }
    }
  });

  test('each run changed what it changed, from what stood before to what stood after', async () => {
    for (const { steps } of fabrics) {
      let before: Inventory = new Map();
      for (const { runId, after, changes: made } of steps) {
        const rows = await changes(place.sql, runId);
        const told = new Map(rows.map((row) => [`${row.group}/${row.kind}/${row.namespace}/${row.name}`, row]));
        expect(new Map([...told].map(([key, row]) => [key, row.change])), `run ${runId}`).toEqual(made);
        for (const [key, row] of told) {
          if (row.change !== 'updated' && row.change !== 'recreated') continue;
          for (const [body, stood] of [
            [row.before, before.get(key)],
            [row.after, after.get(key)],
          ] as const) {
            expect({ uid: body?.uid, object: body?.object }).toEqual({
              uid: stood?.uid,
              object: JSON.parse(stood?.json ?? 'null'),
            });
          }
        }
        before = after;
      }
    }
  });

  test('the time at which a run is said to have ended is a time when it had ended', async () => {
    for (const { fabricId, steps } of fabrics) {
      for (const { runId } of steps) {
        const row = await run(place.sql, runId);
        if (row?.outcome !== 'complete') continue;
        const found = await asOf(place.sql, fabricId, row.finishedMs ?? 0);
        if (found.kind !== 'run') throw new Error(`nothing is known at the end of run ${runId}`);
        // Another one may have ended in the same millisecond.
        expect(BigInt(found.run.runId)).toBeGreaterThanOrEqual(BigInt(runId));
        expect(found.run.finishedMs).toBe(row.finishedMs);
      }
    }
  });
});
