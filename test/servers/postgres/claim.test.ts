import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Claimed } from '../../../src/ports/store.ts';
import { finish } from '../../../src/postgres/finish.ts';
import {
  addFabric,
  claimNow,
  claimRequest,
  commitRequest,
  daemon,
  makeDue,
  neverAborted,
  openStorePlace,
  rowOf,
  type StorePlace,
  settleRequest,
  wholeDatabase,
} from '../../support/fabric-store.ts';

let place: StorePlace;

beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
});

afterAll(() => place.close());

const cycle = (id: string) => rowOf(place.sql, 'fabric_cycle', { fabric_id: id });
const fabric = (id: string) => rowOf(place.sql, 'fabric', { id });
/** For a row that another transaction holds. */
const somebodyWaits = async () => {
  const waiting = () => place.observer`
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  while ((await waiting()).length === 0);
};
const ask = (id: string) => place.sql`insert into fabric_request (fabric_id, asked_by) values (${id}, 'ann')`;

describe('a claim of a due timer', () => {
  test('takes the lease, opens the run, and stamps the fabric in database time', async () => {
    const id = await addFabric(place.sql, { sync_interval: 30 });
    const servedDueMs = await makeDue(place.sql, id);
    const answer = await place.store.claim(claimRequest(id, { servedDueMs, traceparent: '00-aa-bb-01' }));

    expect(answer).toMatchObject({
      kind: 'claimed',
      claim: { epoch: 1 },
      row: {
        fabricId: id,
        state: 'syncing',
        epoch: 1,
        leaseHolder: daemon,
        intervalMs: 30_000,
        dueAtMs: servedDueMs,
        dueKind: 'sync',
        configured: true,
        requestsOpen: 0,
        waitsFor: null,
      },
      settings: {
        server: 'https://192.0.2.1:6443',
        namespace: 'default',
        credential: { kind: 'ref', ref: 'file:/nowhere' },
        guardShare: 0.2,
        guardCount: 10,
        kindsAdded: [],
        clusterUid: null,
        approval: null,
        approved: false,
      },
    });
    if (answer.kind !== 'claimed') return;
    expect(await fabric(id)).toMatchObject({ sync_status: 'syncing' });
    const [now] = await place.sql<{ ms: number }[]>`select extract(epoch from now())::float8 * 1000 as ms`;
    expect(Math.abs((answer.row.lastSyncMs ?? 0) - (now?.ms ?? 0))).toBeLessThan(10_000);
    expect(answer.row.leaseUntilMs).toBe((answer.row.lastSyncMs ?? 0) + 30_000);
    expect(await cycle(id)).toMatchObject({ previous_sync: null, previous_status: 'never_synced' });
    expect(await rowOf(place.sql, 'fabric_run', { id: answer.claim.runId })).toMatchObject({
      epoch: '1',
      trigger: 'sync',
      daemon,
      due_at: new Date(servedDueMs),
      finished_at: null,
      outcome: null,
      traceparent: '00-aa-bb-01',
    });
  });

  test('is contended while another daemon holds a live lease, and changes nothing', async () => {
    const id = await addFabric(place.sql);
    const { row } = await claimNow(place, id, { daemon: 'other' });
    const before = await wholeDatabase(place.sql);
    const answer = await place.store.claim(claimRequest(id, { servedDueMs: row.dueAtMs }));
    expect(answer).toEqual({ kind: 'contended', holder: 'other', leaseUntilMs: row.leaseUntilMs });
    expect(await wholeDatabase(place.sql)).toBe(before);
  });

  test('of two daemons that ask at once, a hundred times over, exactly one has it', async () => {
    const other = place.another('other');
    for (let round = 0; round < 100; round++) {
      const id = await addFabric(place.sql);
      const servedDueMs = await makeDue(place.sql, id);
      const answers = await Promise.all([
        place.store.claim(claimRequest(id, { servedDueMs })),
        other.claim(claimRequest(id, { servedDueMs, daemon: 'other' })),
      ]);
      expect(answers.map(({ kind }) => kind).sort()).toEqual(['claimed', 'contended']);
      expect(await cycle(id)).toMatchObject({ epoch: '1' });
    }
  });

  test('after the winner has committed, the loser that waited for its row is superseded, not served twice', async () => {
    const id = await addFabric(place.sql);
    const won = await claimNow(place, id);
    await place.store.commit(commitRequest(won), neverAborted);
    const late = await place
      .another('other')
      .claim(claimRequest(id, { servedDueMs: won.row.dueAtMs, daemon: 'other' }));
    expect(late).toMatchObject({ kind: 'superseded', row: { dueAtMs: 2_000_000_000_123, epoch: 1 } });
  });

  test('a due time compares by the millisecond: what the database keeps below it does not refuse the timer', async () => {
    const id = await addFabric(place.sql);
    const servedDueMs = await makeDue(place.sql, id);
    await place.sql`update fabric_cycle set due_at = due_at + interval '999 microseconds' where fabric_id = ${id}`;
    expect(await place.store.claim(claimRequest(id, { servedDueMs: servedDueMs - 1 }))).toMatchObject({
      kind: 'superseded',
    });
    expect(await place.store.claim(claimRequest(id, { servedDueMs }))).toMatchObject({ kind: 'claimed' });
  });

  test.each([
    ['without a due time', {}, { due_at: null, due_kind: null }],
    ['that is disabled', { sync_enabled: false }, {}],
    ['whose scheduler is off', { scheduler_enabled: false }, {}],
    ['with interval 0', { sync_interval: 0 }, {}],
    ['without a server', { kubernetes_server: '' }, {}],
    ['without a credential', { credential_ref: '' }, {}],
    ['that is paused', {}, { paused_at: new Date(0), paused_by: 'ann' }],
  ])('of a fabric %s is superseded and changes nothing', async (_what, fabricColumns, cycleColumns) => {
    const id = await addFabric(place.sql, fabricColumns);
    const servedDueMs = await makeDue(place.sql, id);
    if (Object.keys(cycleColumns).length > 0) {
      await place.sql`update fabric_cycle set ${place.sql(cycleColumns)} where fabric_id = ${id}`;
    }
    const before = await wholeDatabase(place.sql);
    expect(await place.store.claim(claimRequest(id, { servedDueMs }))).toMatchObject({ kind: 'superseded' });
    expect(await wholeDatabase(place.sql)).toBe(before);
  });

  test('a pause whose time has passed does not stand in the way', async () => {
    const id = await addFabric(place.sql);
    const servedDueMs = await makeDue(place.sql, id, { paused_at: new Date(0), paused_until: new Date(1) });
    expect(await place.store.claim(claimRequest(id, { servedDueMs }))).toMatchObject({ kind: 'claimed' });
  });

  test('of a fabric that is gone says so', async () => {
    expect(await place.store.claim(claimRequest('999999', { servedDueMs: 1 }))).toEqual({ kind: 'gone' });
  });
});

describe('a manual claim', () => {
  test('is superseded where nobody asks any more', async () => {
    const id = await addFabric(place.sql);
    expect(await place.store.claim(claimRequest(id, { trigger: 'manual' }))).toMatchObject({ kind: 'superseded' });
  });

  test('that waits for the end of the run which answers the request is superseded: nobody asks for a second one', async () => {
    const id = await addFabric(place.sql);
    await ask(id);
    const won = await place.store.claim(claimRequest(id, { trigger: 'manual' }));
    if (won.kind !== 'claimed') throw new Error(`not claimed but ${won.kind}`);
    const late: Promise<Claimed>[] = [];
    await place.database.transact(
      'end the run',
      async (tx) => {
        await tx.run(
          (sql) => sql`select from fabric join fabric_cycle on fabric_id = id where id = ${id} for no key update`,
        );
        late.push(place.another('other').claim(claimRequest(id, { trigger: 'manual', daemon: 'other' })));
        await somebodyWaits();
        await tx.run((sql) => finish(sql, daemon, commitRequest(won), false));
      },
      { deadlineMs: 30_000 },
    );
    expect(await Promise.all(late)).toEqual([
      { kind: 'superseded', row: expect.objectContaining({ epoch: 1, requestsOpen: 0, leaseHolder: null }) },
    ]);
  });

  test('runs where a person asked, whatever the schedule says', async () => {
    const id = await addFabric(place.sql, { scheduler_enabled: false, sync_interval: 0 });
    await ask(id);
    const answer = await place.store.claim(claimRequest(id, { trigger: 'manual' }));
    expect(answer).toMatchObject({ kind: 'claimed', row: { requestsOpen: 1, dueAtMs: null } });
  });

  test('does not run a fabric that a person has disabled or paused', async () => {
    const disabled = await addFabric(place.sql, { sync_enabled: false });
    const paused = await addFabric(place.sql);
    await place.sql`update fabric_cycle set paused_at = now() where fabric_id = ${paused}`;
    for (const id of [disabled, paused]) {
      await ask(id);
      expect(await place.store.claim(claimRequest(id, { trigger: 'manual' }))).toMatchObject({ kind: 'superseded' });
    }
  });
});

describe('taking over', () => {
  test('an expired lease: the newer epoch, the old run closed, and the older last sync kept', async () => {
    const id = await addFabric(place.sql);
    const first = await claimNow(place, id);
    await place.store.commit(commitRequest(first), neverAborted);
    const kept = (await fabric(id)).last_sync;

    const dead = await claimNow(place, id, { daemon: 'dead' });
    await place.sql`update fabric_cycle set lease_until = now() - interval '1 ms' where fabric_id = ${id}`;
    const next = await claimNow(place, id);

    expect(next.claim.epoch).toBe(dead.claim.epoch + 1);
    expect(await cycle(id)).toMatchObject({ previous_sync: kept, previous_status: 'in_sync', lease_holder: daemon });
    expect(await rowOf(place.sql, 'fabric_run', { id: dead.claim.runId })).toMatchObject({
      outcome: 'interrupted',
      failure: expect.objectContaining({ code: 'INTERRUPTED' }),
    });
    await place.store.settle(settleRequest(next));
    expect((await fabric(id)).last_sync).toEqual(kept);
  });

  test('its own live lease: a daemon is never locked out by itself, and a first sync stays a first sync', async () => {
    const id = await addFabric(place.sql);
    const lost = await claimNow(place, id);
    const again = await claimNow(place, id);
    expect(again.claim.epoch).toBe(lost.claim.epoch + 1);
    expect(await cycle(id)).toMatchObject({ previous_sync: null, previous_status: 'never_synced' });
    expect(await rowOf(place.sql, 'fabric_run', { id: lost.claim.runId })).toMatchObject({ outcome: 'interrupted' });
  });
});

describe('renewing', () => {
  test('moves the end of the lease in database time', async () => {
    const id = await addFabric(place.sql);
    const { claim, row } = await claimNow(place, id, { leaseTtlMs: 1_000 });
    expect(await place.store.renew({ fabricId: id, claim, leaseTtlMs: 90_000 })).toBe(true);
    const renewed = await place.store.fabric(id);
    expect((renewed?.leaseUntilMs ?? 0) - (row.leaseUntilMs ?? 0)).toBeGreaterThanOrEqual(89_000);
  });

  test('an older epoch, another run, or one that has ended, is refused and changes nothing', async () => {
    const id = await addFabric(place.sql);
    const old = await claimNow(place, id);
    const { claim, row } = await claimNow(place, id);
    const before = await wholeDatabase(place.sql);
    for (const wrong of [old.claim, { ...claim, epoch: claim.epoch + 1 }, { ...claim, runId: old.claim.runId }]) {
      expect(await place.store.renew({ fabricId: id, claim: wrong, leaseTtlMs: 60_000 })).toBe(false);
    }
    expect(await wholeDatabase(place.sql)).toBe(before);
    await place.store.commit(commitRequest({ claim, row }), neverAborted);
    expect(await place.store.renew({ fabricId: id, claim, leaseTtlMs: 60_000 })).toBe(false);
  });
});
