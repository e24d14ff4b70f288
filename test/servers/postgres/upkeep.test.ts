// The acts beside a run: planning, expired leases, pauses, requests, and the end of history.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { backoffDefault } from '../../../machines/fabric/backoff.ts';
import type { Plan } from '../../../machines/fabric/plan.ts';
import { linksMax, type Pruned, type PruneMark } from '../../../src/ports/store.ts';
import { asOf } from '../../../src/postgres/operator/as-of.ts';
import {
  addFabric,
  addFabrics,
  claimNow,
  commitRequest,
  makeDue,
  neverAborted,
  object,
  openStorePlace,
  pruneAll,
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

const fabric = (id: string) => rowOf(place.sql, 'fabric', { id });
const cycle = (id: string) => rowOf(place.sql, 'fabric_cycle', { fabric_id: id });
const expire = (id: string) =>
  place.sql`update fabric_cycle set lease_until = now() - interval '1 ms' where fabric_id = ${id}`;

describe('reading fabrics', () => {
  test('every fabric in order of id, and one by its id', async () => {
    const ids = [await addFabric(place.sql, { name: 'zz' }), await addFabric(place.sql, { name: 'aa' })];
    const rows = (await place.store.fabrics()).filter(({ fabricId }) => ids.includes(fabricId));
    expect(rows.map(({ name }) => name)).toEqual(['zz', 'aa']);
    expect(rows[0]).toMatchObject({
      state: 'idle',
      dueAtMs: null,
      epoch: 0,
      lastSyncMs: null,
      intervalMs: 60_000,
      paused: null,
    });
    expect(await place.store.fabric(ids[1] ?? '')).toEqual(rows[1]);
    expect(await place.store.fabric('999999')).toBeNull();
  });

  test('a failure that was written by another version is read as far as it can be', async () => {
    const id = await addFabric(place.sql);
    await place.sql`update fabric_cycle set failure = '{"code":"BRAND_NEW","message":"m","at":"now"}' where fabric_id = ${id}`;
    expect((await place.store.fabric(id))?.failure).toMatchObject({ code: 'INTERNAL', message: 'm', hint: /./ });
  });

  test('overdue: due before the time, lease free, the longest overdue first, no more than asked for', async () => {
    const [late, later, running, future] = await addFabrics(place.sql, 4);
    if (!late || !later || !running || !future) return;
    const nowMs = await makeDue(place.sql, late);
    for (const id of [later, future]) await makeDue(place.sql, id);
    await claimNow(place, running);
    await place.sql`update fabric_cycle set due_at = due_at - interval '1 hour' where fabric_id = ${later}`;
    await place.sql`update fabric_cycle set due_at = due_at + interval '1 hour' where fabric_id = ${future}`;
    const ids = async (atMost: number) =>
      (await place.store.overdue(nowMs + 60_000, atMost)).map(({ fabricId }) => fabricId);
    expect(await ids(500)).toEqual([later, late]);
    expect(await ids(1)).toEqual([later]);
    await expire(running);
    expect(await ids(500)).toContain(running);
    await place.store.interruptExpired(backoffDefault, 0);
  });
});

describe('remembering plans', () => {
  const at = (dueAtMs: number, more: Partial<Extract<Plan, { kind: string }>> = {}): Plan => ({
    state: 'scheduled',
    kind: 'sync',
    dueAtMs,
    attempts: 0,
    failure: null,
    why: 'never_synced',
    ...more,
  });

  const fresh = (fabricId: string) =>
    ({ fabricId, epoch: 0, intervalMs: 60_000, state: 'idle', dueAtMs: null }) as const;

  test('many at once: each gets its state, and a new due time is the tick that the phase is counted from', async () => {
    const ids = await addFabrics(place.sql, 50);
    const plans = ids.map((fabricId, i) => ({ plan: at(2e12 + i), row: fresh(fabricId) }));
    expect([...(await place.store.remember(plans))].sort()).toEqual([...ids].sort());
    expect(await place.store.fabric(ids[7] ?? '')).toMatchObject({
      state: 'scheduled',
      dueAtMs: 2e12 + 7,
      dueKind: 'sync',
      tickMs: 2e12 + 7,
      tickIntervalMs: 60_000,
    });
    expect(await place.store.remember([])).toEqual([]);
  });

  test('a due time that stands keeps its tick and its failure; idle clears the due time', async () => {
    const id = await addFabric(place.sql);
    const failed = await claimNow(place, id);
    await place.store.settle(settleRequest(failed));
    const { row } = {
      row: (await place.store.fabric(id)) as NonNullable<Awaited<ReturnType<typeof place.store.fabric>>>,
    };
    const same = at(row.dueAtMs ?? 0, {
      state: 'backoff',
      kind: 'retry',
      attempts: 1,
      failure: row.failure,
      why: 'remembered',
    });
    const remember = (plan: Plan) => place.store.remember([{ plan, row }]);
    await remember(same);
    expect(await place.store.fabric(id)).toEqual(row);

    await remember({ state: 'idle', reason: 'paused' });
    expect(await cycle(id)).toMatchObject({ state: 'idle', due_at: null, due_kind: null, failure: null, attempts: 0 });
    expect(await fabric(id)).toMatchObject({ sync_status: 'error' });
  });

  test('a row that somebody runs, or that has run since it was read, is left as it is', async () => {
    const running = await addFabric(place.sql);
    const ran = await addFabric(place.sql);
    await claimNow(place, running);
    await place.store.commit(commitRequest(await claimNow(place, ran)), neverAborted);
    const leased = await place.store.fabric(running);
    const before = await wholeDatabase(place.sql);
    const written = await place.store.remember([
      { plan: at(1e12), row: { ...fresh(running), state: 'syncing', epoch: 1, dueAtMs: leased?.dueAtMs ?? null } },
      { plan: at(1e12), row: fresh(ran) },
      { plan: at(1e12), row: fresh('999999') },
    ]);
    expect(written).toEqual([]);
    expect(await wholeDatabase(place.sql)).toBe(before);
  });

  test('of two daemons that plan one fabric at once, the first has the word', async () => {
    const id = await addFabric(place.sql);
    expect(await place.store.remember([{ plan: at(2e12), row: fresh(id) }])).toEqual([id]);
    expect(await place.another('other').remember([{ plan: at(2e12 + 7), row: fresh(id) }])).toEqual([]);
    expect(await place.store.fabric(id)).toMatchObject({ dueAtMs: 2e12, tickMs: 2e12 });
  });

  test('a lease that expired is not planned over: what the row said before its run would be lost', async () => {
    const id = await addFabric(place.sql);
    await claimNow(place, id, { daemon: 'dead' });
    await expire(id);
    const row = await place.store.fabric(id);
    if (!row) throw new Error('no such fabric');
    expect(await place.store.remember([{ plan: at(2e12), row }])).toEqual([]);
    await place.store.interruptExpired(backoffDefault, 0);
    expect(await fabric(id)).toMatchObject({ last_sync: null, sync_status: 'error' });
  });
});

describe('expired leases', () => {
  test('become INTERRUPTED: due again soon, fenced off, with the last sync of before', async () => {
    const id = await addFabric(place.sql, { name: 'left-behind' });
    await place.store.commit(commitRequest(await claimNow(place, id)), neverAborted);
    const { last_sync } = await fabric(id);
    await place.sql`insert into fabric_request (fabric_id, asked_by) values (${id}, 'ann')`;
    const dead = await claimNow(place, id, { daemon: 'dead' });
    const alive = await addFabric(place.sql);
    await claimNow(place, alive);
    expect(await place.store.interruptExpired(backoffDefault, 0.5)).toEqual([]);
    await expire(id);

    expect(await place.store.interruptExpired(backoffDefault, 0.5)).toEqual([
      { fabricId: id, name: 'left-behind', holder: 'dead' },
    ]);
    const row = await place.store.fabric(id);
    expect(row).toMatchObject({
      state: 'backoff',
      dueKind: 'retry',
      attempts: 1,
      epoch: dead.claim.epoch + 1,
      leaseHolder: null,
      failure: { code: 'INTERRUPTED', message: 'the daemon dead ended in the middle of a run' },
      requestsOpen: 1,
    });
    const [{ left = 0 } = {}] = await place.sql<{ left: number }[]>`
      select extract(epoch from due_at - now())::float8 as left from fabric_cycle where fabric_id = ${id}`;
    expect(left).toBeGreaterThan(-8);
    expect(left).toBeLessThanOrEqual(2);
    expect(await fabric(id)).toMatchObject({ last_sync, sync_status: 'error', sync_error: /INTERRUPTED|ended/ });
    expect(await rowOf(place.sql, 'fabric_run', { id: dead.claim.runId })).toMatchObject({ outcome: 'interrupted' });

    expect(await place.store.interruptExpired(backoffDefault, 0.5)).toEqual([]);
    const before = await wholeDatabase(place.sql);
    expect(await place.store.commit(commitRequest(dead, { staged: [object('a')] }), neverAborted)).toEqual({
      kind: 'stale',
    });
    expect(await wholeDatabase(place.sql)).toBe(before);
  });

  test('again and again: the wait doubles, each fabric has its own chance, and at the end only a slow probe is left', async () => {
    const ids = await addFabrics(place.sql, 8);
    const waits = async (attempts: number) => {
      for (const id of ids) {
        await claimNow(place, id);
        await expire(id);
        await place.sql`update fabric_cycle set attempts = ${attempts} where fabric_id = ${id}`;
      }
      await place.store.interruptExpired(backoffDefault, 0.999);
      return place.sql<{ state: string; due_kind: string; attempts: number; wait: number }[]>`
        select state, due_kind, attempts, extract(epoch from due_at - now())::float8 as wait
          from fabric_cycle where fabric_id = any(${ids})`;
    };
    const third = await waits(2);
    expect(new Set(third.map(({ wait }) => Math.round(wait * 10))).size).toBeGreaterThan(4);
    for (const row of third) expect(row).toMatchObject({ state: 'backoff', due_kind: 'retry', attempts: 3 });
    expect(Math.max(...third.map(({ wait }) => wait))).toBeLessThanOrEqual(8);
    expect(Math.max(...third.map(({ wait }) => wait))).toBeGreaterThan(2);
    for (const row of await waits(backoffDefault.retriesMax)) {
      expect(row).toMatchObject({ state: 'errored', due_kind: 'probe', attempts: backoffDefault.retriesMax + 1 });
      expect(row.wait).toBeGreaterThan(590);
      expect(row.wait).toBeLessThanOrEqual(660);
    }
  });

  test('taking one over counts the attempt that never ended', async () => {
    const id = await addFabric(place.sql);
    await claimNow(place, id, { daemon: 'dead' });
    await expire(id);
    expect(await claimNow(place, id)).toMatchObject({ row: { attempts: 1 } });
  });

  test('of two daemons that sweep at once, one counts the attempt', async () => {
    const ids = await addFabrics(place.sql, 20);
    for (const id of ids) {
      await claimNow(place, id);
      await expire(id);
    }
    const swept = await Promise.all(
      [place.store, place.another('other')].map((store) => store.interruptExpired(backoffDefault, 0)),
    );
    expect(
      swept
        .flat()
        .map(({ fabricId }) => fabricId)
        .sort(),
    ).toEqual([...ids].sort());
    for (const id of ids) expect(await cycle(id)).toMatchObject({ attempts: 1, epoch: '2' });
  });
});

describe('pauses', () => {
  test('end when their time has come, and only then', async () => {
    const [over, coming, open] = await addFabrics(place.sql, 3);
    const pause = (id: string | undefined, until: string | null) =>
      place.sql`update fabric_cycle set paused_at = now(), paused_by = 'ann', pause_reason = 'r', paused_until = ${until}
                 where fabric_id = ${id ?? ''}`;
    await pause(over, '2020-01-01');
    await pause(coming, '2100-01-01');
    await pause(open, null);
    expect(await place.store.endPauses()).toEqual([over]);
    expect((await place.store.fabric(over ?? ''))?.paused).toBeNull();
    expect((await place.store.fabric(coming ?? ''))?.paused).toEqual({ untilMs: Date.parse('2100-01-01') });
    expect((await place.store.fabric(open ?? ''))?.paused).toEqual({ untilMs: null });
  });
});

describe('requests', () => {
  test('the oldest names who asked, all are told that are traced, up to a bound; refusing settles all of one fabric with the reason', async () => {
    const [one, two] = await addFabrics(place.sql, 2);
    const ask = (id: string | undefined, by: string, traceparent: string | null = null) =>
      place.sql`insert into fabric_request (fabric_id, asked_by, traceparent) values (${id ?? ''}, ${by}, ${traceparent})`;
    await ask(one, 'ann', '00-a-b-01');
    await ask(one, 'bob');
    for (let i = 0; i < linksMax; i++) await ask(one, 'cy', `00-a-${i}-01`);
    await ask(two, 'eve');
    expect(await place.store.openRequests(two)).toEqual([{ fabricId: two, by: 'eve', traceparents: [] }]);
    const mine = async () => (await place.store.openRequests()).filter(({ fabricId }) => [one, two].includes(fabricId));
    expect(await mine()).toEqual([
      {
        fabricId: one,
        by: 'ann',
        traceparents: ['00-a-b-01', ...Array.from({ length: linksMax - 1 }, (_, i) => `00-a-${i}-01`)],
      },
      { fabricId: two, by: 'eve', traceparents: [] },
    ]);
    expect(await place.store.refuseRequests(one ?? '', 'refused: it is paused')).toBe(2 + linksMax);
    expect(await mine()).toEqual([{ fabricId: two, by: 'eve', traceparents: [] }]);
    expect(await rowOf(place.sql, 'fabric_request', { asked_by: 'bob' })).toMatchObject({
      refusal: 'refused: it is paused',
      run_id: null,
      settled_at: expect.any(Date),
    });
  });
});

describe('the end of history', () => {
  test('old runs, changes, tombstones and answered requests go; the live inventory and open runs stay', async () => {
    const id = await addFabric(place.sql);
    const sync = async (more: Parameters<typeof commitRequest>[1]) => {
      const claimed = await claimNow(place, id);
      await place.store.commit(commitRequest(claimed, more), neverAborted);
      return claimed.claim.runId;
    };
    await sync({ staged: [object('stays'), object('goes')] });
    const gone = (await place.store.known(id, neverAborted)).get('wiring.githedgehog.com/Switch/default/goes');
    const old = await sync({ deletions: [gone?.id ?? ''] });
    await place.sql`update fabric_run set finished_at = finished_at - interval '40 days' where fabric_id = ${id}`;
    await place.sql`update fabric_resource set deleted_at = deleted_at - interval '40 days' where fabric_id = ${id}`;
    await place.sql`insert into fabric_request (fabric_id, asked_by, settled_at) values (${id}, 'ann', now() - interval '40 days')`;
    const young = await sync({ staged: [object('new')] });
    const open = await claimNow(place, id);

    const dayMs = 86_400_000;
    expect(await pruneAll(place.store, 50 * dayMs)).toBe(0);
    // the first run, its two changes, one request; the second is what the fabric was when the kept time began
    expect(await pruneAll(place.store, 30 * dayMs)).toBe(4);
    const runs = async () =>
      (await place.sql`select id from fabric_run where fabric_id = ${id} order by id`).map((row) => row.id);
    expect(await runs()).toEqual([old, young, open.claim.runId]);
    expect(await asOf(place.sql, id, Date.now() - 20 * dayMs)).toMatchObject({ kind: 'run', run: { runId: old } });
    expect(await place.sql`select from fabric_change where run_id = ${old}`).toHaveLength(1);

    await place.sql`update fabric_run set finished_at = finished_at - interval '40 days' where id = ${young}`;
    // the second run, its change, its tombstone
    expect(await pruneAll(place.store, 30 * dayMs)).toBe(3);
    expect(await runs()).toEqual([young, open.claim.runId]);
    expect([...(await place.store.known(id, neverAborted)).keys()].map((key) => key.split('/').at(-1)).sort()).toEqual([
      'new',
      'stays',
    ]);
    expect(await place.sql`select from fabric_change where run_id = ${old}`).toHaveLength(0);
    expect(await pruneAll(place.store, 30 * dayMs)).toBe(0);
  });

  test('goes in pieces, however much there is of it, to the last run that had committed', async () => {
    const ids = await addFabrics(place.sql, 3);
    const keepMs = 86_400_000;
    for (const id of ids) {
      await place.sql`
        with runs as (
          insert into fabric_run (fabric_id, epoch, trigger, daemon, started_at, finished_at, outcome)
          select ${id}, n, 'sync', 'd', at, at, case when n % 7 = 0 then 'complete' else 'failed' end
            from generate_series(1, 250) n, lateral (select now() - interval '9 days' + n * interval '1 minute' as at) t
          returning id),
        objects as (
          insert into fabric_resource (fabric_id, api_group, api_version, kind, plural, namespace, name, uid,
                                       resource_version, object, content_hash, created_run, changed_run)
          select ${id}, 'g', 'v1', 'K', 'ks', 'n', 'o' || n, 'u', '1', '{}', '', 1, 1 from generate_series(1, 30) n
          returning id)
        insert into fabric_change (run_id, resource_id, fabric_id, change)
        select runs.id, objects.id, ${id}, 'created' from runs, objects`;
    }
    // As autovacuum does: plans of a time when there was next to nothing are not used any more.
    await place.sql`analyze`;
    const left = async () => {
      const rows = await place.sql<{ epoch: number; changes: number }[]>`
        select epoch::int, (select count(*)::int from fabric_change where run_id = r.id) as changes
          from fabric_run r where fabric_id = any(${ids}) order by fabric_id, id`;
      return [...rows];
    };
    const counts: number[] = [];
    for (let from: PruneMark | null = null; ; ) {
      const { rows, next }: Pruned = await place.store.prune(keepMs, from, neverAborted);
      counts.push(rows);
      if (next === null) break;
      from = next;
    }
    expect(Math.max(...counts)).toBeLessThanOrEqual(10_000);
    expect(counts.reduce((sum, rows) => sum + rows)).toBe(3 * 249 * 31);
    // Every seventh had committed.
    expect(await left()).toEqual([245, 245, 245].map((epoch) => ({ epoch, changes: 30 })));
    expect(await pruneAll(place.store, keepMs)).toBe(0);
  });

  test('is given up by whoever asks for it', async () => {
    const stop = AbortSignal.abort(new Error('the daemon stops'));
    await expect(place.store.prune(0, null, stop)).rejects.toThrow('the daemon stops');
  });
});
