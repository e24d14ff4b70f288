import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Approval, StagedObject } from '../../../src/ports/store.ts';
import {
  addFabric,
  claimNow,
  commitRequest,
  neverAborted,
  object,
  openStorePlace,
  report,
  rowOf,
  type StorePlace,
  wholeDatabase,
} from '../../support/fabric-store.ts';

let place: StorePlace;

beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
});

afterAll(() => place.close());

const fabric = (id: string) => rowOf(place.sql, 'fabric', { id });
const cycle = (id: string) => rowOf(place.sql, 'fabric_cycle', { fabric_id: id });
const run = (id: string) => rowOf(place.sql, 'fabric_run', { id });
const known = (id: string) => place.store.known(id, neverAborted);
const key = (name: string, kind = 'Switch') => `wiring.githedgehog.com/${kind}/default/${name}`;

/** One whole run. @returns what it was committed under */
async function sync(id: string, more: Parameters<typeof commitRequest>[1] = {}) {
  const claimed = await claimNow(place, id);
  const committed = await place.store.commit(commitRequest(claimed, more), neverAborted);
  if (committed.kind !== 'committed') throw new Error('stale');
  return { ...claimed, ...committed, runId: claimed.claim.runId };
}

const changesOf = (runId: string) =>
  place.sql`select r.name, ch.change, ch.before, ch.before_uid, ch.before_resource_version
              from fabric_change ch join fabric_resource r on r.id = ch.resource_id
             where ch.run_id = ${runId} order by r.name`.then((rows) => rows.map((row) => ({ ...row })));

describe('how a run ends', () => {
  test('complete: in sync, next tick armed, lease freed, the stamp of the claim kept', async () => {
    const id = await addFabric(place.sql);
    const claimed = await claimNow(place, id);
    await place.sql`update fabric_cycle set attempts = 3, failure = '{"code":"TIMED_OUT"}' where fabric_id = ${id}`;
    const figures = {
      kinds: {
        Switch: report({ listed: 9, created: 2, updated: 1, quarantined: 1 }),
        VPC: report({ listed: 3, deleted: 4 }),
      },
      requests: 15,
      bytesRead: 12_345,
    };
    const answer = await place.store.commit(commitRequest(claimed, { figures, clusterUid: 'c-1' }), neverAborted);

    expect(answer).toEqual({
      kind: 'committed',
      changes: 0,
      row: {
        ...claimed.row,
        state: 'scheduled',
        dueAtMs: 2_000_000_000_123,
        dueKind: 'sync',
        tickMs: 2_000_000_000_000,
        tickIntervalMs: 60_000,
        leaseHolder: null,
        leaseUntilMs: null,
      },
    });
    expect(await place.store.fabric(id)).toEqual(answer.kind === 'committed' && answer.row);
    expect(await fabric(id)).toMatchObject({ sync_status: 'in_sync', sync_error: '', connection_status: 'connected' });
    expect(await cycle(id)).toMatchObject({
      cluster_uid: 'c-1',
      previous_sync: null,
      previous_status: null,
      run_id: null,
      attempts: 0,
      failure: null,
    });
    expect(await run(claimed.claim.runId)).toMatchObject({
      outcome: 'complete',
      finished_at: expect.any(Date),
      created: 2,
      updated: 1,
      deleted: 4,
      unchanged: 8,
      quarantined: 1,
      kinds: figures.kinds,
      requests: 15,
      bytes_read: '12345',
    });
  });

  test('partial: out of sync with the reason, scheduled all the same', async () => {
    const id = await addFabric(place.sql);
    await sync(id, { outcome: 'partial', remark: 'Server: 403' });
    expect(await fabric(id)).toMatchObject({ sync_status: 'out_of_sync', sync_error: 'Server: 403' });
    expect(await cycle(id)).toMatchObject({ state: 'scheduled', attempts: 0 });
  });

  test('without a next tick the fabric is idle', async () => {
    const id = await addFabric(place.sql);
    await sync(id, { next: null });
    expect(await cycle(id)).toMatchObject({ state: 'idle', due_at: null, due_kind: null });
  });

  test('every open request is answered by it, those that came while it ran too', async () => {
    const id = await addFabric(place.sql);
    const other = await addFabric(place.sql);
    const ask = (fabricId: string) =>
      place.sql`insert into fabric_request (fabric_id, asked_by) values (${fabricId}, 'ann')`;
    await ask(id);
    const claimed = await claimNow(place, id);
    await ask(id);
    await ask(other);
    await place.store.commit(commitRequest(claimed), neverAborted);
    expect(
      await place.sql`select run_id, settled_at is null as open from fabric_request where fabric_id = ${id}`,
    ).toEqual([0, 1].map(() => ({ run_id: claimed.claim.runId, open: false })));
    expect(await place.store.openRequests()).toEqual([{ fabricId: other, by: 'ann', traceparents: [] }]);
  });

  test('a run that found nothing new writes no row of the inventory', async () => {
    const id = await addFabric(place.sql);
    await sync(id, { staged: [object('a'), object('b')] });
    const versions = () => place.sql`select id, xmin, ctid from fabric_resource where fabric_id = ${id} order by id`;
    const before = [...(await versions())];
    const { changes } = await sync(id);
    expect(changes).toBe(0);
    expect([...(await versions())]).toEqual(before);
    expect(await fabric(id)).toMatchObject({ cached_crd_count: 2, counts: { Switch: 2 } });
  });

  test('doing it again after the answer was lost says the same and writes nothing', async () => {
    const id = await addFabric(place.sql);
    const claimed = await claimNow(place, id);
    const request = commitRequest(claimed, { staged: [object('a'), object('b')] });
    const first = await place.store.commit(request, neverAborted);
    const before = await wholeDatabase(place.sql);
    expect(await place.store.commit(request, neverAborted)).toEqual(first);
    expect(await wholeDatabase(place.sql)).toBe(before);
  });
});

describe('the inventory and its history', () => {
  test('created objects are stored as they are, and recorded without a body', async () => {
    const id = await addFabric(place.sql);
    const strange = object('a\\b', {
      spec: { text: 'tab\t line\n "quote" back\\slash \\N ü 🦔' },
      generation: null,
      creationTimestamp: null,
    });
    const { changes, runId } = await sync(id, { staged: [object('a'), strange] });
    expect(changes).toBe(2);
    expect(await rowOf(place.sql, 'fabric_resource', { name: 'a\\b' })).toMatchObject({
      object: JSON.parse(strange.json),
      generation: null,
      creation_timestamp: null,
      created_run: runId,
      changed_run: runId,
    });
    expect(await rowOf(place.sql, 'fabric_resource', { name: 'a' })).toMatchObject({
      generation: '1',
      creation_timestamp: new Date('2026-01-02T03:04:05Z'),
      plural: 'switchs',
    });
    const nothing = { change: 'created', before: null, before_uid: null, before_resource_version: null };
    expect(await changesOf(runId)).toEqual([
      { name: 'a', ...nothing },
      { name: 'a\\b', ...nothing },
    ]);
    expect([...(await known(id)).entries()]).toEqual([
      [
        key('a'),
        { id: expect.any(String), uid: 'uid-of-a', resourceVersion: '1', version: 'v1beta1', hash: object('a').hash },
      ],
      [
        key('a\\b'),
        { id: expect.any(String), uid: 'uid-of-a\\b', resourceVersion: '1', version: 'v1beta1', hash: strange.hash },
      ],
    ]);
  });

  test('an object through its whole life: every change holds what stood before it', async () => {
    const id = await addFabric(place.sql);
    const body = (object: StagedObject) => JSON.parse(object.json);
    const one = object('life', { resourceVersion: '1', spec: 1 });
    const two = object('life', { resourceVersion: '2', spec: 2 });
    const three = object('life', { resourceVersion: '3', spec: 3, uid: 'another' });
    const four = object('life', { resourceVersion: '4', spec: 4, uid: 'third' });

    const created = await sync(id, { staged: [one] });
    const updated = await sync(id, { staged: [two] });
    const recreated = await sync(id, { staged: [three] });
    const resource = [...(await known(id)).values()][0];
    const deleted = await sync(id, { deletions: [resource?.id ?? ''] });
    expect(await known(id)).toEqual(new Map());
    expect(await rowOf(place.sql, 'fabric_resource', { id: resource?.id ?? '' })).toMatchObject({
      deleted_run: deleted.runId,
      deleted_at: expect.any(Date),
      object: body(three),
    });
    const restored = await sync(id, { staged: [four] });

    expect(await known(id)).toEqual(
      new Map([
        [key('life'), { id: resource?.id, uid: 'third', resourceVersion: '4', hash: four.hash, version: 'v1beta1' }],
      ]),
    );
    const story = await Promise.all(
      [created, updated, recreated, deleted, restored].map(({ runId }) => changesOf(runId)),
    );
    const nothing = { before: null, before_uid: null, before_resource_version: null };
    expect(story.flat()).toEqual([
      { name: 'life', change: 'created', ...nothing },
      { name: 'life', change: 'updated', before: body(one), before_uid: 'uid-of-life', before_resource_version: '1' },
      { name: 'life', change: 'recreated', before: body(two), before_uid: 'uid-of-life', before_resource_version: '2' },
      { name: 'life', change: 'deleted', before: body(three), before_uid: 'another', before_resource_version: '3' },
      { name: 'life', change: 'restored', ...nothing },
    ]);
  });

  test('a touched object moves its versions and is no change', async () => {
    const id = await addFabric(place.sql);
    const first = await sync(id, { staged: [object('a')] });
    const [resource] = (await known(id)).values();
    const touched = [{ id: resource?.id ?? '', version: 'v1', resourceVersion: '77', generation: 5 }];
    const { changes, runId } = await sync(id, { touched });
    expect(changes).toBe(0);
    expect(await changesOf(runId)).toEqual([]);
    expect(await rowOf(place.sql, 'fabric_resource', { id: resource?.id ?? '' })).toMatchObject({
      api_version: 'v1',
      resource_version: '77',
      generation: '5',
      changed_run: first.runId,
    });
  });

  test('objects of another fabric are out of reach, whatever ids are given', async () => {
    const mine = await addFabric(place.sql);
    const theirs = await addFabric(place.sql);
    await sync(theirs, { staged: [object('a')] });
    const [foreign] = (await known(theirs)).values();
    const id = foreign?.id ?? '';
    await sync(mine, { deletions: [id], touched: [{ id, version: 'v1', resourceVersion: '666', generation: 1 }] });
    expect([...(await known(theirs)).values()]).toEqual([foreign]);
  });

  test('the counts are those of the live objects, a kind and in total', async () => {
    const id = await addFabric(place.sql);
    const staged = [
      ...['s1', 's2', 's3'].map((name) => object(name)),
      ...['v1', 'v2'].map((name) => object(name, { kind: 'VPC' })),
      object('c1', { kind: 'Connection' }),
      object('h1', { kind: 'Server' }),
      object('g1', { kind: 'Gateway' }),
    ];
    await sync(id, { staged });
    const gone = [...(await known(id)).entries()].filter(([name]) => name.endsWith('/s1') || name.endsWith('/v1'));
    await sync(id, { deletions: gone.map(([, { id }]) => id) });
    expect(await fabric(id)).toMatchObject({
      cached_crd_count: 6,
      switches_count: 2,
      vpcs_count: 1,
      connections_count: 1,
      servers_count: 1,
      counts: { Switch: 2, VPC: 1, Connection: 1, Server: 1, Gateway: 1 },
    });
  });

  test('what could not be stored is replaced with each complete list of its kind, and keeps its first day', async () => {
    const id = await addFabric(place.sql);
    const bad = (kind: string, name: string, reason: string) => ({
      group: 'wiring.githedgehog.com',
      kind,
      namespace: 'default',
      name,
      reason,
    });
    const rows = async () =>
      (
        await place.sql`select kind, name, reason, since from fabric_quarantine where fabric_id = ${id} order by kind, name`
      ).map((row) => ({ ...row }));
    const kindsComplete = ['wiring.githedgehog.com/Switch', 'wiring.githedgehog.com/Server'];
    await sync(id, {
      kindsComplete,
      quarantined: [bad('Switch', 'a', 'NUL'), bad('Switch', 'b', 'NUL'), bad('Server', 'c', 'NUL')],
    });
    const first = await rows();
    expect(first).toHaveLength(3);
    await sync(id, {
      kindsComplete: ['wiring.githedgehog.com/Switch'],
      quarantined: [
        bad('Switch', 'b', 'too deep'),
        bad('Switch', 'b', 'again'),
        bad('Switch', 'n\0ul \ud800', 'no name'),
      ],
    });
    expect(await rows()).toEqual([
      first[0],
      { ...first[2], reason: expect.stringMatching(/too deep|again/) },
      { kind: 'Switch', name: 'n ul \ufffd', reason: 'no name', since: expect.any(Date) },
    ]);
    // What is not read any more cannot be mended either.
    await sync(id, { kindsWanted: ['wiring.githedgehog.com/Server'], kindsComplete: [] });
    expect(await rows()).toEqual([first[0]]);
  });
});

describe('what waits for a person', () => {
  const deletions = (runId: string, resources: readonly string[]): Approval => ({
    kind: 'deletions',
    runId,
    sinceMs: 1_000,
    deletions: { Switch: resources.length },
    of: 30,
    resources,
  });

  test('is stored, and given to the next run as it is', async () => {
    const id = await addFabric(place.sql);
    const approval = deletions('7', ['1', '2']);
    await sync(id, { outcome: 'awaiting_approval', approval, remark: 'would delete 2 of 30' });
    expect(await fabric(id)).toMatchObject({ sync_status: 'out_of_sync' });
    expect((await claimNow(place, id)).settings).toMatchObject({ approval, approved: false });
  });

  test('an approval that comes while the same thing is found again is kept; one that now covers more is not', async () => {
    const id = await addFabric(place.sql);
    await sync(id, { outcome: 'awaiting_approval', approval: deletions('7', ['1', '2']) });
    const claimed = await claimNow(place, id);
    await place.sql`update fabric_cycle set approved_by = 'ann', approved_at = now() where fabric_id = ${id}`;
    const again = { outcome: 'awaiting_approval', approval: deletions('8', ['2']) } as const;
    await place.store.commit(commitRequest(claimed, again), neverAborted);
    expect((await claimNow(place, id)).settings).toMatchObject({ approved: true, approval: { runId: '8' } });
    await sync(id, { outcome: 'awaiting_approval', approval: deletions('9', ['2', '3']) });
    expect(await cycle(id)).toMatchObject({ approved_by: null, approved_at: null });
  });

  test('an approval of very many is compared within what the server allows one statement', async () => {
    const id = await addFabric(place.sql);
    const many = Array.from({ length: 60_000 }, (_, i) => String(1_000_000 + i));
    await sync(id, { outcome: 'awaiting_approval', approval: deletions('7', many) });
    await place.sql`update fabric_cycle set approved_by = 'ann', approved_at = now() where fabric_id = ${id}`;
    await sync(id, { outcome: 'awaiting_approval', approval: deletions('8', many.slice(1).reverse()) });
    expect(await cycle(id)).toMatchObject({ approved_by: 'ann' });
    await sync(id, { outcome: 'awaiting_approval', approval: deletions('9', [...many.slice(2), '7']) });
    expect(await cycle(id)).toMatchObject({ approved_by: null });
  });

  test('a complete run clears it', async () => {
    const id = await addFabric(place.sql);
    await sync(id, { outcome: 'awaiting_approval', approval: deletions('7', ['1']) });
    await sync(id);
    expect(await cycle(id)).toMatchObject({ approval: null, approved_by: null });
  });
});
