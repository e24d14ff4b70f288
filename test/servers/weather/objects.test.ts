// Objects that are large, oddly named, hostile, made anew, or rewritten by an upgrade.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/demo/fabrics/json.ts';
import { openStation, type Patient, type Station } from './station.ts';
import { expectNothingLost } from './storm.ts';

let station: Station;
beforeAll(async () => {
  station = await openStation();
});
afterAll(() => station.close());

const byHand = () => station.byHand();

function createVpc({ cluster }: Patient, name: string, content: JsonObject): void {
  cluster.store.create({
    kind: cluster.store.kind('VPC'),
    namespace: 'default',
    name,
    content,
    author: 'controller',
  });
}

/** An object as `resources -o json` shows it. */
async function shown(patient: Patient, kind: string, name: string): Promise<Record<string, unknown> | undefined> {
  const answer = await station.verb('resources', patient.name, '--kind', kind, '-o', 'json');
  expect(answer.code, answer.stderr).toBe(0);
  const { items } = answer.json<{ items: { metadata: { name: string } }[] }>();
  return items.find(({ metadata }) => metadata.name === name) as Record<string, unknown> | undefined;
}

describe.concurrent('it is stored and shown as it was served', () => {
  test('an object of 900 KB', async () => {
    const patient = await byHand();
    createVpc(patient, 'large', { spec: { text: 'x'.repeat(900_000) } });
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', created: 1, unchanged: 38, quarantined: 0 });
    expect(await shown(patient, 'VPC', 'large')).toMatchObject({ spec: { text: 'x'.repeat(900_000) } });
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', unchanged: 39 });
    await station.check();
    await patient.remove();
  });

  test('a name of 253 characters with dots', async () => {
    const patient = await byHand();
    const name = `${'a.b-c.'.repeat(42)}z`;
    expect(name).toHaveLength(253);
    createVpc(patient, name, { spec: {} });
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', created: 1, quarantined: 0 });
    expect(await shown(patient, 'VPC', name)).toMatchObject({ metadata: { name } });
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', unchanged: 39 });
    await station.check();
    await patient.remove();
  });

  test('keys that reach for prototypes', async () => {
    const patient = await byHand();
    const spec = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    createVpc(patient, 'proto', { spec });
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', created: 1, quarantined: 0 });
    const object = await shown(patient, 'VPC', 'proto');
    expect(JSON.stringify(object?.spec)).toBe(JSON.stringify(spec));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', unchanged: 39 });
    await station.check();
    await patient.remove();
  });
});

describe.concurrent('what cannot be stored is named, and the rest goes on', () => {
  test('a NUL in a text', async () => {
    const patient = await byHand();
    createVpc(patient, 'nul', { spec: { text: 'a\0b' } });
    createVpc(patient, 'well', { spec: {} });
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', created: 1, quarantined: 1 });
    const seen = await patient.seen();
    expect(seen).toMatchObject({ sync_status: 'in_sync', objects: 39 });
    expect(seen.quarantine).toMatchObject([{ kind: 'VPC', name: 'nul', reason: 'it has a NUL character in a text' }]);
    const terminal = await station.verb('status', patient.name);
    expect(terminal.stdout).toMatch(/1 object could not be stored:\n.*nul.*NUL character/);
    await station.check();
    await patient.remove();
  });

  test('an object that turns bad keeps the row that it had, until it is good again', async () => {
    const patient = await byHand();
    const before = await patient.kept();
    await patient.cluster.faults.set({ does: 'poison', where: { kind: 'Switch' } });
    // Its version is new: an object that says it is unchanged is not looked at.
    const [bad] = patient.cluster.store.all(patient.cluster.store.kind('Switch'));
    if (!bad) throw new Error('a lab has switches');
    patient.cluster.store.update(bad, {});
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', updated: 0, deleted: 0, quarantined: 1 });
    expect((await patient.seen()).quarantine).toMatchObject([{ kind: 'Switch', name: bad.name }]);
    expectNothingLost(await patient.kept(), before);
    await station.check();

    await patient.cluster.faults.clear();
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', updated: 0, quarantined: 0 });
    expect((await patient.seen()).quarantine).toEqual([]);
    expect((await patient.kept()).changes).toEqual(before.changes);
    await station.check();
    await patient.remove();
  });
});

describe.concurrent('what only looks like a change, or only looks like none', () => {
  test('deleted and made again under the same name: one object, told as made anew', async () => {
    const patient = await byHand();
    const { store } = patient.cluster;
    const [vpc] = store.all(store.kind('VPC'));
    if (!vpc) throw new Error('a lab has VPCs');
    store.delete(vpc);
    const anew = store.create(vpc);
    const run = await patient.sync();
    expect(run).toMatchObject({ outcome: 'complete', created: 0, updated: 1, deleted: 0, unchanged: 37 });
    expect(
      await station.sql`
      select r.uid, r.name, ch.change, ch.before_uid
        from fabric_change ch join fabric_resource r on r.id = ch.resource_id where ch.run_id = ${run.id}
    `,
    ).toEqual([{ uid: anew.uid, name: vpc.name, change: 'recreated', before_uid: vpc.uid }]);
    expect(await patient.seen()).toMatchObject({ objects: 38, counts: { VPC: 2 } });
    await station.check();
    await patient.remove();
  });

  test('an upgrade that rewrites every object: the versions move, and nothing has changed', async () => {
    const patient = await byHand();
    const before = await patient.kept();
    const { store } = patient.cluster;
    for (const stored of [...store.everything()]) store.update(stored, {});
    const run = await patient.sync();
    expect(run).toMatchObject({ outcome: 'complete', created: 0, updated: 0, deleted: 0, unchanged: 38 });
    const after = await patient.kept();
    expect(after.changes).toEqual(before.changes);
    const version = (row: object) => ('resource_version' in row ? row.resource_version : null);
    const others = (row: object) => ({ ...row, resource_version: null });
    expect(after.rows.map(others)).toEqual(before.rows.map(others));
    for (const [index, row] of after.rows.entries()) expect(version(row)).not.toBe(version(before.rows[index] ?? {}));
    const [kinds] = await station.sql<{ touched: number }[]>`
      select sum((k.value ->> 'touched')::int)::int as touched
        from fabric_run r, jsonb_each(r.kinds) k where r.id = ${run.id}`;
    expect(kinds).toEqual({ touched: 38 });
    await station.check();
    await patient.remove();
  });
});
