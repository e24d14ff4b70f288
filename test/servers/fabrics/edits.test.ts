import { describe, expect, test } from 'vitest';
import { Editing, usualRates } from '../../../src/demo/fabrics/editing.ts';
import { Edits } from '../../../src/demo/fabrics/edits.ts';
import { kindsOf } from '../../../src/demo/fabrics/kinds.ts';
import { populate } from '../../../src/demo/fabrics/shapes/populate.ts';
import type { ShapeName } from '../../../src/demo/fabrics/shapes/shape.ts';
import { ClusterStore } from '../../../src/demo/fabrics/store.ts';
import { type StoredObject, servedObject } from '../../../src/demo/fabrics/stored-object.ts';
import { handClock } from '../../support/hand-clock.ts';
import { referencesOf } from '../../support/hedgehog-references.ts';
import { seededDice } from '../../support/seeded-dice.ts';

function fabric(shape: ShapeName, { seed = 1, profile = 'v0.113+' as const } = {}) {
  const clock = handClock();
  const dice = seededDice(seed);
  const store = new ClusterStore({ kinds: kindsOf(profile), seed: 'seed', clock });
  populate(store, shape, profile, clock.nowMs());
  return { store, clock, dice, edits: new Edits({ store, clock, dice }) };
}

const everything = (store: ClusterStore): Map<string, StoredObject> =>
  new Map([...store.everything()].map((stored) => [`${stored.kind.kind} ${stored.key}`, stored]));

/** What differs between two moments. */
function changes(before: Map<string, StoredObject>, after: Map<string, StoredObject>) {
  const both = [...after].flatMap(([key, now]) => {
    const then = before.get(key);
    return then ? [{ key, then, now }] : [];
  });
  return {
    created: [...after.keys()].filter((key) => !before.has(key)),
    deleted: [...before.keys()].filter((key) => !after.has(key)),
    recreated: both.filter(({ then, now }) => then.uid !== now.uid).map(({ key }) => key),
    written: both
      .filter(({ then, now }) => then.uid === now.uid && then.revision !== now.revision)
      .map(({ key }) => key),
    grown: both
      .filter(({ then, now }) => then.uid === now.uid && then.generation !== now.generation)
      .map(({ key }) => key),
  };
}

describe('edits', () => {
  test.each(['lab', 'medium'] as const)('however many there are, %s stays consistent and keeps its size', (shape) => {
    const { store, edits } = fabric(shape);
    const before = everything(store);
    let written = 0;
    for (let turn = 0; turn < 2000; turn += 1) if (edits.userEdit()) written += 1;
    expect(written).toBe(2000);
    expect(referencesOf([...store.everything()].map(servedObject))).toEqual({ dangling: [], portsUsedTwice: [] });
    const { deleted, created } = changes(before, everything(store));
    expect(deleted).toEqual([]);
    expect(created.length).toBeLessThan(120);
  });

  test('a label is a new version and no new generation; a changed spec is both', () => {
    const { store, edits } = fabric('lab');
    const before = everything(store);
    edits.relabel();
    const labelled = changes(before, everything(store));
    expect([labelled.written.length, labelled.grown.length]).toEqual([1, 0]);
    const now = everything(store);
    expect(edits.describeServers(3)).toBe(3);
    const described = changes(now, everything(store));
    expect([described.written.length, described.grown.length]).toEqual([3, 3]);
  });

  test('recreating gives another uid under the same name', () => {
    const { store, edits } = fabric('lab');
    const before = everything(store);
    edits.recreate();
    const { created, deleted, recreated } = changes(before, everything(store));
    expect([created, deleted, recreated.length]).toEqual([[], [], 1]);
  });

  test('a burst of attachments lands on one VPC at once', () => {
    const { store, edits } = fabric('medium');
    const before = everything(store);
    expect(edits.attach(60)).toBe(60);
    expect(changes(before, everything(store)).created.filter((key) => key.startsWith('VPCAttachment'))).toHaveLength(
      60,
    );
    expect(edits.attach(60)).toBe(0);
  });

  test('a refresh writes every object and changes none of them', () => {
    const { store, edits } = fabric('medium');
    const before = everything(store);
    expect(edits.refreshAll()).toBe(before.size);
    const { created, deleted, recreated, written, grown } = changes(before, everything(store));
    expect([created, deleted, recreated, grown]).toEqual([[], [], [], []]);
    expect(written).toHaveLength(before.size);
  });

  test('a heartbeat moves the cluster’s version and one agent, and nothing that a person wrote', () => {
    const { store, edits } = fabric('lab');
    const before = everything(store);
    for (let turn = 0; turn < edits.agents; turn += 1) edits.heartbeat();
    const { written } = changes(before, everything(store));
    expect(written).toHaveLength(6);
    expect(written.every((key) => /^(Gateway)?Agent /.test(key))).toBe(true);
  });

  test('a lease changes a status only', () => {
    const { store, edits } = fabric('lab');
    const before = everything(store);
    edits.lease();
    const { written, grown } = changes(before, everything(store));
    expect([written.length, grown.length]).toEqual([1, 0]);
  });
});

describe('editing', () => {
  test('goes on at the given rates until it is stopped', async () => {
    const { store, clock, dice, edits } = fabric('medium', { seed: 7 });
    const editing = new Editing({ name: 'medium', edits, rates: usualRates.medium, clock, dice });
    const counted = { userEdit: 0, relabel: 0, heartbeat: 0, lease: 0 };
    for (const act of Object.keys(counted) as (keyof typeof counted)[]) {
      edits[act] = () => {
        counted[act] += 1;
        return true;
      };
    }
    await editing.start();
    await editing.start();
    clock.advance(100 * 60 * 60_000);
    expect(counted.userEdit / 100).toBeGreaterThan(4);
    expect(counted.userEdit / 100).toBeLessThan(6);
    expect(counted.relabel / 100).toBeGreaterThan(0.6);
    expect(counted.relabel / 100).toBeLessThan(1.4);
    expect(counted.lease / 100).toBeGreaterThan(580);
    expect(counted.heartbeat / 100 / 22).toBeGreaterThan(235);
    expect(counted.heartbeat / 100 / 22).toBeLessThan(245);
    await editing.stop();
    await editing.stop();
    const { revision } = store;
    const before = { ...counted };
    clock.advance(60 * 60_000);
    expect(counted).toEqual(before);
    expect(store.revision).toBe(revision);
  });
});
