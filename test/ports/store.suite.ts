// What every store does, whatever keeps the rows: the acts of a daemon (`src/ports/store.ts`) together with those of
// operators that they meet. What the simulator relies on is here.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backoffDefault } from '../../machines/fabric/backoff.ts';
import type { Claimed, FabricRow, Notice, Store } from '../../src/ports/store.ts';
import { claimRequest, commitRequest, neverAborted, object, settleRequest } from '../support/fabric-store.ts';
import type { ChangingOperator, Settable } from '../support/memory-operator.ts';

export interface StoreUnderTest {
  /** As this daemon sees it. */
  store(daemon: string): Store;
  readonly operator: ChangingOperator;
  /** A configured fabric that was never synced. @returns its id */
  add(): Promise<string>;
  set(fabricId: string, values: Settable): Promise<void>;
  remove(fabricId: string): Promise<void>;
  /** As after a restore from a backup: the run in hand is another daemon's, under the same numbers. */
  giveRunTo(fabricId: string, daemon: string): Promise<void>;
  /** The store's own time, epoch milliseconds. */
  now(): Promise<number>;
  close(): Promise<void>;
}

type Granted = Extract<Claimed, { kind: 'claimed' }>;

export function storeSuite(open: () => Promise<StoreUnderTest>): void {
  let place: StoreUnderTest;
  let one: Store;
  let two: Store;
  beforeAll(async () => {
    place = await open();
    one = place.store('one');
    two = place.store('two');
  });
  afterAll(() => place.close());

  const rowOf = async (id: string): Promise<FabricRow> => {
    const row = await one.fabric(id);
    if (!row) throw new Error(`fabric ${id} is gone`);
    return row;
  };
  const makeDue = async (id: string, state: 'scheduled' | 'backoff' | 'errored' = 'scheduled', inMs = 0) => {
    const row = await rowOf(id);
    const dueAtMs = (await place.now()) + inMs;
    const kind = ({ scheduled: 'sync', backoff: 'retry', errored: 'probe' } as const)[state];
    const plan = { state, kind, dueAtMs, attempts: row.attempts, failure: null, why: 'overdue' } as const;
    expect(await one.remember([{ row, plan }])).toEqual([id]);
    return dueAtMs;
  };
  const ask = (store: Store, daemon: string, id: string, more: Parameters<typeof claimRequest>[1] = {}) =>
    store.claim(claimRequest(id, { daemon, ...more }));
  const claimed = async (id: string, leaseTtlMs = 60_000): Promise<Granted> => {
    const servedDueMs = await makeDue(id);
    const answer = await ask(one, 'one', id, { servedDueMs, leaseTtlMs });
    if (answer.kind !== 'claimed') throw new Error(`not claimed but ${answer.kind}`);
    return answer;
  };
  const synced = async (more: Parameters<typeof commitRequest>[1] = {}) => {
    const id = await place.add();
    const run = await claimed(id);
    expect(await one.commit(commitRequest(run, more), neverAborted)).toMatchObject({ kind: 'committed' });
    return { id, run };
  };

  describe('a claim', () => {
    test('takes the lease, stamps the row and keeps others out', async () => {
      const id = await place.add();
      const { claim, row } = await claimed(id);
      expect(row).toMatchObject({ state: 'syncing', epoch: 1, leaseHolder: 'one', attempts: 0 });
      expect(claim.epoch).toBe(1);
      expect(Math.abs((row.lastSyncMs ?? 0) - (await place.now()))).toBeLessThan(10_000);
      expect(await ask(two, 'two', id, { servedDueMs: row.dueAtMs })).toMatchObject({
        kind: 'contended',
        holder: 'one',
      });
      expect(await ask(two, 'two', '999999')).toEqual({ kind: 'gone' });
    });

    test('that serves a due time which the row has moved past, or that nobody asked for, is refused', async () => {
      const id = await place.add();
      const servedDueMs = await makeDue(id);
      const refused = { kind: 'superseded', row: { fabricId: id } };
      expect(await ask(one, 'one', id, { servedDueMs: servedDueMs - 1 })).toMatchObject(refused);
      expect(await ask(one, 'one', id, { servedDueMs: null, trigger: 'manual' })).toMatchObject(refused);
      await place.operator.pause(id, { by: 'ann', reason: 'r', untilMs: null });
      expect(await ask(one, 'one', id, { servedDueMs })).toMatchObject(refused);
      await place.operator.resume(id, 'ann');
      await place.set(id, { schedulerEnabled: false });
      expect(await ask(one, 'one', id, { servedDueMs })).toMatchObject(refused);
      await place.operator.request([id], 'ann', null);
      expect(await ask(one, 'one', id, { servedDueMs: null, trigger: 'manual' })).toMatchObject({ kind: 'claimed' });
    });

    test('of what it runs itself takes over: an attempt more, and what stood before that run is kept', async () => {
      const { id } = await synced();
      const { lastSyncMs } = await rowOf(id);
      const first = await claimed(id);
      const { dueAtMs } = first.row;
      const second = await ask(one, 'one', id, { servedDueMs: dueAtMs });
      expect(second).toMatchObject({ kind: 'claimed', claim: { epoch: first.claim.epoch + 1 }, row: { attempts: 1 } });
      await one.settle(settleRequest(second as Granted));
      expect(await rowOf(id)).toMatchObject({ lastSyncMs, leaseHolder: null });
    });
  });

  describe('a commit', () => {
    test('that merges says when nobody else can get the fabric any more; no other does', async () => {
      const id = await place.add();
      const said: string[] = [];
      const commit = async (run: Granted, staged = [object('a')]) =>
        one.commit(commitRequest(run, { staged }), neverAborted, () => said.push('fenced'));
      const first = await claimed(id);
      expect(await commit(first)).toMatchObject({ kind: 'committed' });
      expect(await commit(await claimed(id), [])).toMatchObject({ kind: 'committed' });
      expect(await commit(first)).toEqual({ kind: 'stale' });
      expect(said).toEqual(['fenced']);
    });

    test('writes the inventory, the next due time and the answer to requests, frees the lease, and says so again', async () => {
      const id = await place.add();
      const run = await claimed(id);
      const [asked] = await place.operator.request([id], 'ann', null);
      const request = commitRequest(run, { staged: [object('a'), object('b')] });
      const { lastSyncMs } = run.row;
      expect(await one.commit(request, neverAborted)).toMatchObject({ kind: 'committed', changes: 2 });
      const rested = { state: 'scheduled', dueAtMs: 2_000_000_000_123, tickMs: 2_000_000_000_000, dueKind: 'sync' };
      const after = await rowOf(id);
      expect(after).toMatchObject({ ...rested, lastSyncMs, leaseHolder: null, requestsOpen: 0, failure: null });
      expect(asked?.fabricId).toBe(id);
      expect(await one.commit(request, neverAborted)).toMatchObject({ kind: 'committed', changes: 2 });
      expect(await rowOf(id)).toEqual(after);
      expect([...(await one.known(id, neverAborted)).values()].map(({ uid }) => uid).sort()).toEqual([
        'uid-of-a',
        'uid-of-b',
      ]);
    });

    test('without a next tick leaves it idle; what went keeps its id for when it comes back', async () => {
      const { id } = await synced({ staged: [object('a')] });
      const key = 'wiring.githedgehog.com/Switch/default/a';
      const before = (await one.known(id, neverAborted)).get(key);
      await one.commit(commitRequest(await claimed(id), { deletions: [before?.id ?? ''], next: null }), neverAborted);
      expect(await rowOf(id)).toMatchObject({ state: 'idle', dueAtMs: null, dueKind: null });
      expect(await one.known(id, neverAborted)).toEqual(new Map());
      await one.commit(commitRequest(await claimed(id), { staged: [object('a', { uid: 'x' })] }), neverAborted);
      expect((await one.known(id, neverAborted)).get(key)).toMatchObject({ id: before?.id, uid: 'x' });
    });

    test('takes out what is not read any more, and takes it in again where it was', async () => {
      const kept = object('kept', { kind: 'Server' });
      const { id } = await synced({ staged: [object('a'), object('b'), kept] });
      const live = async () => [...(await one.known(id, neverAborted))].map(([key, { id: row }]) => ({ key, row }));
      const before = await live();
      const unsynced = before.filter(({ key }) => key.includes('/Switch/')).map(({ row }) => row);
      const out = commitRequest(await claimed(id), { unsynced });
      expect(await one.commit(out, neverAborted)).toMatchObject({ kind: 'committed', changes: 2 });
      expect((await live()).map(({ key }) => key)).toEqual(['wiring.githedgehog.com/Server/default/kept']);
      await one.commit(commitRequest(await claimed(id), { staged: [object('a'), object('b')] }), neverAborted);
      expect(new Set(await live())).toEqual(new Set(before));
    });

    test('moves the version of the API that an object was last read by', async () => {
      const { id } = await synced({ staged: [object('a')] });
      const [[key, before] = ['', null]] = await one.known(id, neverAborted);
      expect(before).toMatchObject({ version: 'v1beta1' });
      const touched = [{ id: before?.id ?? '', version: 'v1beta2', resourceVersion: '1', generation: 1 }];
      await one.commit(commitRequest(await claimed(id), { touched }), neverAborted);
      expect([...(await one.known(id, neverAborted))]).toEqual([[key, { ...before, version: 'v1beta2' }]]);
    });

    test.each(['commit', 'settle', 'renew'] as const)('%s under a stale epoch changes nothing', async (act) => {
      const id = await place.add();
      const stale = await claimed(id);
      await claimed(id).catch(() => ask(one, 'one', id, { servedDueMs: stale.row.dueAtMs }));
      const before = await rowOf(id);
      expect(await tried(one, act, stale)).toBe('stale');
      expect(await rowOf(id)).toEqual(before);
    });

    test.each(['commit', 'settle', 'renew'] as const)(
      '%s under numbers that a restored database gave to another daemon changes nothing',
      async (act) => {
        const id = await place.add();
        const mine = await claimed(id);
        await place.giveRunTo(id, 'two');
        const before = await rowOf(id);
        expect(await tried(one, act, mine)).toBe('stale');
        expect(await rowOf(id)).toEqual(before);
        expect(await two.commit(commitRequest(mine), neverAborted)).toMatchObject({ kind: 'committed' });
        expect(await one.commit(commitRequest(mine), neverAborted)).toEqual({ kind: 'stale' });
      },
    );
  });

  describe('a settled run', () => {
    test('that failed puts last_sync back, and is written with its next try; said again it is the same', async () => {
      const { id } = await synced();
      const { lastSyncMs } = await rowOf(id);
      const run = await claimed(id);
      await place.operator.request([id], 'ann', null);
      const settled = await one.settle(settleRequest(run, { attempts: 3 }));
      const trouble = { state: 'backoff', attempts: 3, dueKind: 'retry', dueAtMs: 2_000_000_000_000 };
      const failed = { ...trouble, lastSyncMs, leaseHolder: null, requestsOpen: 0, failure: { code: 'UNREACHABLE' } };
      expect(settled).toMatchObject({ kind: 'settled', row: failed });
      expect(await one.settle(settleRequest(run, { attempts: 3 }))).toEqual(settled);
    });

    test('said again is no stale one, though the next run has begun; nor is one that had committed', async () => {
      const id = await place.add();
      const first = await claimed(id);
      await one.settle(settleRequest(first));
      const next = await claimed(id);
      const now = { kind: 'settled', row: { epoch: next.claim.epoch, state: 'syncing' } };
      expect(await one.settle(settleRequest(first))).toMatchObject(now);
      await one.commit(commitRequest(next), neverAborted);
      expect(await one.settle(settleRequest(next))).toMatchObject({ kind: 'settled', row: { state: 'scheduled' } });
    });

    test('that was cut short leaves requests to the next one; without a due time it is idle', async () => {
      const id = await place.add();
      const run = await claimed(id);
      await place.operator.request([id], 'ann', null);
      const failure = { code: 'SHUTDOWN', message: 'm', hint: 'h' } as const;
      const cut = settleRequest(run, { rest: 'scheduled', outcome: 'cancelled', attempts: 0, failure, due: null });
      await one.settle(cut);
      const rested = { state: 'idle', dueAtMs: null, failure: null, lastSyncMs: null, requestsOpen: 1 };
      expect(await rowOf(id)).toMatchObject(rested);
    });

    test('that knew nothing of a new way in is due at once; so is one in trouble when the way in is set', async () => {
      const id = await place.add();
      const run = await claimed(id);
      await place.set(id, { server: 'https://192.0.2.2:6443' });
      await one.settle(settleRequest(run));
      expect((await rowOf(id)).dueAtMs).toBeLessThan((await place.now()) + 10_000);
      await makeDue(id, 'errored', 3_600_000);
      await place.set(id, { server: 'https://192.0.2.3:6443' });
      expect((await rowOf(id)).dueAtMs).toBeLessThan((await place.now()) + 10_000);
    });
  });

  describe('a lease', () => {
    test('that ran out is ended as a failed attempt, and one that lives is not', async () => {
      const { id } = await synced();
      const { lastSyncMs } = await rowOf(id);
      const live = await place.add();
      await claimed(live);
      const { claim } = await claimed(id, 1);
      await expect
        .poll(async () => (await one.interruptExpired(backoffDefault, 0.5)).map((end) => end.fabricId))
        .toEqual([id]);
      const ended = { state: 'backoff', dueKind: 'retry', attempts: 1, lastSyncMs, epoch: claim.epoch + 1 };
      expect(await rowOf(id)).toMatchObject({ ...ended, leaseHolder: null, failure: { code: 'INTERRUPTED' } });
      expect(await rowOf(live)).toMatchObject({ state: 'syncing', leaseHolder: 'one' });
      expect(await one.interruptExpired(backoffDefault, 0.5)).toEqual([]);
    });

    test('whose fabric used up its retries ends as errored', async () => {
      const id = await place.add();
      await claimed(id, 1);
      const policy = { ...backoffDefault, retriesMax: 0 };
      await expect.poll(async () => (await one.interruptExpired(policy, 0.5)).map((end) => end.fabricId)).toEqual([id]);
      const row = await rowOf(id);
      expect(row).toMatchObject({ state: 'errored', dueKind: 'probe' });
      expect(row.dueAtMs).toBeGreaterThan((await place.now()) + policy.probeMsMin - 60_000);
    });

    test('is renewed as long as its claim is the newest, and taken away by an unlock', async () => {
      const id = await place.add();
      const run = await claimed(id, 20_000);
      const { claim, row } = run;
      expect(await one.renew({ fabricId: id, claim, leaseTtlMs: 60_000 })).toBe(true);
      expect((await rowOf(id)).leaseUntilMs).toBeGreaterThan((row.leaseUntilMs ?? 0) + 20_000);
      const [asked] = await place.operator.request([id], 'ann', null);
      expect(await place.operator.unlock(id, 'ann')).toEqual({ holder: 'one', runId: claim.runId, epoch: 2 });
      const freed = { state: 'scheduled', dueAtMs: row.dueAtMs, lastSyncMs: null, leaseHolder: null, epoch: 2 };
      expect(await rowOf(id)).toMatchObject({ ...freed, requestsOpen: asked ? 1 : 0 });
      expect(await one.commit(commitRequest(run), neverAborted)).toEqual({ kind: 'stale' });
      expect(await place.operator.unlock('999999', 'ann')).toBeNull();
    });
  });

  describe('plans', () => {
    test('are not written over a row that moved, nor over a lease; idle takes the due time away', async () => {
      const id = await place.add();
      const old = await rowOf(id);
      await makeDue(id);
      const idle = { state: 'idle', reason: 'sync_disabled' } as const;
      expect(await one.remember([{ row: old, plan: idle }])).toEqual([]);
      await claimed(id);
      expect(await one.remember([{ row: await rowOf(id), plan: idle }])).toEqual([]);
      const { id: other } = await synced();
      expect(await one.remember([{ row: await rowOf(other), plan: idle }])).toEqual([other]);
      expect(await rowOf(other)).toMatchObject({ state: 'idle', dueAtMs: null, dueKind: null });
    });

    test('what is overdue is found, the longest first, and what is running is not', async () => {
      const [late, later, running] = [await place.add(), await place.add(), await place.add()];
      await makeDue(late, 'scheduled', -20_000);
      await makeDue(later, 'scheduled', -50_000);
      await claimed(running);
      const found = (await one.overdue((await place.now()) - 10_000, 100)).map(({ fabricId }) => fabricId);
      expect(found.filter((id) => [late, later, running].includes(id))).toEqual([later, late]);
    });
  });

  describe('people', () => {
    test('pause until a time, which ends by itself', async () => {
      const id = await place.add();
      await place.operator.pause(id, { by: 'ann', reason: 'r', untilMs: (await place.now()) + 3_600_000 });
      expect((await rowOf(id)).paused).not.toBeNull();
      expect(await one.endPauses()).toEqual([]);
      await place.operator.pause(id, { by: 'ann', reason: 'r', untilMs: (await place.now()) - 1 });
      expect(await one.endPauses()).toEqual([id]);
      expect((await rowOf(id)).paused).toBeNull();
      expect(await place.operator.resume(id, 'ann')).toBe(false);
    });

    test('ask, and are answered once: the oldest request speaks, a refusal settles all', async () => {
      const id = await place.add();
      await place.operator.request([id, '999999'], 'ann', null);
      await place.operator.request([id], 'bob', null);
      expect(await one.openRequests(id)).toEqual([{ fabricId: id, by: 'ann', traceparents: [] }]);
      expect((await rowOf(id)).requestsOpen).toBe(2);
      expect(await one.refuseRequests(id, 'paused')).toBe(2);
      expect(await one.openRequests(id)).toEqual([]);
    });

    test('approve what was shown and nothing else; it stays approved while no more waits', async () => {
      const id = await place.add();
      const first = await claimed(id);
      const waits = (resources: readonly string[]) =>
        ({ kind: 'deletions', runId: first.claim.runId, sinceMs: 1, deletions: { VPC: 1 }, of: 2, resources }) as const;
      await one.commit(commitRequest(first, { approval: waits(['1', '2']) }), neverAborted);
      const approve = (runId: string) => place.operator.approve(id, { runId, by: 'ann', ask: true, traceparent: null });
      expect(await approve('0')).toEqual({ kind: 'changed' });
      expect(await approve(first.claim.runId)).toMatchObject({ kind: 'approved' });
      const second = await claimed(id);
      expect(second.settings).toMatchObject({ approved: true, approval: waits(['1', '2']) });
      await one.commit(commitRequest(second, { approval: waits(['1']) }), neverAborted);
      const third = await claimed(id);
      expect(third.settings.approved).toBe(true);
      await one.commit(commitRequest(third, { approval: waits(['1', '3']) }), neverAborted);
      expect((await claimed(id)).settings).toMatchObject({ approved: false, approval: waits(['1', '3']) });
    });

    test('remove a fabric with all of it', async () => {
      const { id, run } = await synced({ staged: [object('a')] });
      const mine = await claimed(id);
      await place.remove(id);
      expect(await one.fabric(id)).toBeNull();
      expect(await one.commit(commitRequest(mine), neverAborted)).toEqual({ kind: 'stale' });
      expect(await one.settle(settleRequest(run))).toEqual({ kind: 'gone' });
      expect(await one.openRequests(id)).toEqual([]);
    });
  });

  test('everybody hears what others did, and nobody what he committed himself', async () => {
    const id = await place.add();
    const heard: Record<'one' | 'two', Notice[]> = { one: [], two: [] };
    const stop = [
      await one.listen((notice) => heard.one.push(notice)),
      await two.listen((notice) => heard.two.push(notice)),
    ];
    const run = await claimed(id);
    await one.commit(commitRequest(run), neverAborted);
    await place.set(id, { intervalSeconds: 120 });
    await place.operator.request([id], 'ann', null);
    await place.operator.cancel(id, 'ann');
    await place.operator.unlock(id, 'ann');
    await place.operator.pause(id, { by: 'ann', reason: 'r', untilMs: null });
    await place.operator.announce(null);
    const told = [
      { what: 'settings', fabricId: id },
      { what: 'request', fabricId: id },
      { what: 'cancel', fabricId: id, by: 'ann' },
      { what: 'unlock', fabricId: id, by: 'ann' },
      { what: 'changed', fabricId: id, by: 'ann' },
      { what: 'everything' },
    ];
    await expect.poll(() => heard.one.at(-1)).toEqual({ what: 'everything' });
    await expect.poll(() => heard.two.at(-1)).toEqual({ what: 'everything' });
    expect(heard.one).toEqual(told);
    expect(heard.two).toEqual([{ what: 'changed', fabricId: id, by: 'one' }, ...told]);
    for (const hangUp of stop) await hangUp();
  });
}

async function tried(store: Store, act: 'commit' | 'settle' | 'renew', run: Granted): Promise<string> {
  const { claim, row } = run;
  switch (act) {
    case 'commit':
      return (await store.commit(commitRequest(run, { staged: [object('a')] }), neverAborted)).kind;
    case 'settle':
      return (await store.settle(settleRequest(run))).kind;
    case 'renew':
      return (await store.renew({ fabricId: row.fabricId, claim, leaseTtlMs: 60_000 })) ? 'renewed' : 'stale';
  }
}
