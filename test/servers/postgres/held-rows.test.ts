// Somebody's open transaction keeps the rows of one fabric. What looks after all fabrics goes on without that one, and
// finds it the next time.

import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { backoffDefault } from '../../../machines/fabric/backoff.ts';
import { FabricFailure } from '../../../machines/fabric/failure.ts';
import type { SettleInput } from '../../../machines/fabric/ports.ts';
import { systemClock } from '../../../src/clock.ts';
import { composeCore } from '../../../src/compose.ts';
import { readConfig } from '../../../src/config.ts';
import { Attempts } from '../../../src/fleet/attempts.ts';
import { MemoryTimers } from '../../../src/fleet/memory-timers.ts';
import { createPlanner } from '../../../src/fleet/planner.ts';
import type { Log } from '../../../src/log.ts';
import type { FabricLock } from '../../../src/ports/lock.ts';
import {
  addFabric,
  claimNow,
  makeDue,
  openStorePlace,
  rowOf,
  type StorePlace,
  settleRequest,
  wholeDatabase,
} from '../../support/fabric-store.ts';
import { hold } from '../../support/hold.ts';

let place: StorePlace;
beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
});
afterAll(() => place.close());

const cycle = (id: string) => rowOf(place.sql, 'fabric_cycle', { fabric_id: id });

const holdRows = (id: string) =>
  hold(place.observer, (tx) => tx`select from fabric join fabric_cycle on fabric_id = id where id = ${id} for update`);

test('how a run ended is not written, and is written as it was when the rows are free', async () => {
  const id = await addFabric(place.sql);
  const request = { ...settleRequest(await claimNow(place, id)), noWait: true } as const;
  const before = await wholeDatabase(place.sql);
  const { letGo } = await holdRows(id);
  expect(await place.store.settle(request)).toEqual({ kind: 'locked' });
  expect(await wholeDatabase(place.sql)).toBe(before);
  await letGo();
  expect(await place.store.settle(request)).toMatchObject({ kind: 'settled', row: { state: 'backoff' } });
});

test('what is not any more to be written is told as such, held or not', async () => {
  const [stale, gone] = [await addFabric(place.sql), await addFabric(place.sql)];
  const [first, removed] = [settleRequest(await claimNow(place, stale)), settleRequest(await claimNow(place, gone))];
  await claimNow(place, stale);
  await place.sql`delete from fabric where id = ${gone}`;
  await holdRows(stale);
  expect(await place.store.settle({ ...first, noWait: true })).toEqual({ kind: 'stale' });
  expect(await place.store.settle({ ...removed, noWait: true })).toEqual({ kind: 'gone' });
});

test('the ends that Postgres missed are written for all the others', async () => {
  const ids = [await addFabric(place.sql), await addFabric(place.sql), await addFabric(place.sql)];
  const [held = '', ...free] = ids;
  let away = true;
  const { attempts, fail } = attemptsOn(async (request) => {
    if (away) throw new FabricFailure('DATABASE_UNAVAILABLE', 'gone');
    return place.store.settle(request);
  });
  for (const id of ids) await fail(id);
  away = false;
  const left = async () => {
    const told: string[] = [];
    for await (const id of attempts.settleLeft()) told.push(id);
    return told;
  };
  const { letGo } = await holdRows(held);
  expect(await left()).toEqual(free);
  expect(await left()).toEqual([]);
  expect(await cycle(held)).toMatchObject({ state: 'syncing' });
  await letGo();
  expect(await left()).toEqual([held]);
  for (const id of ids) expect(await cycle(id)).toMatchObject({ state: 'backoff', attempts: 1, lease_holder: null });
});

test('pauses and leases that ended are ended for all the others', async () => {
  const [held, free] = [await addFabric(place.sql), await addFabric(place.sql)];
  for (const id of [held, free]) {
    await claimNow(place, id);
    await place.sql`
      update fabric_cycle set lease_until = now() - interval '1 ms', paused_at = now(), paused_by = 'ann',
             pause_reason = 'r', paused_until = now()
       where fabric_id = ${id}`;
  }
  const ended = async () => ({
    leases: (await place.store.interruptExpired(backoffDefault, 0)).map(({ fabricId }) => fabricId),
    pauses: await place.store.endPauses(),
  });
  const { letGo } = await holdRows(held);
  expect(await ended()).toEqual({ leases: [free], pauses: [free] });
  await letGo();
  expect(await ended()).toEqual({ leases: [held], pauses: [held] });
});

test('plans are remembered for all the others', async () => {
  const [held, free] = [await addFabric(place.sql), await addFabric(place.sql)];
  const planned = [held, free].map((fabricId) => ({
    row: { fabricId, epoch: 0, intervalMs: 60_000, state: 'idle', dueAtMs: null } as const,
    plan: { state: 'scheduled', kind: 'sync', dueAtMs: 2e12, attempts: 0, failure: null, why: 'never_synced' } as const,
  }));
  const { letGo } = await holdRows(held);
  expect(await place.store.remember(planned)).toEqual([free]);
  await letGo();
  expect(await place.store.remember(planned)).toEqual([held]);
  // The patience is of that statement alone: others wait for as long as they may.
  const [{ patience } = {}] = await place.sql`select current_setting('lock_timeout') as patience`;
  expect(patience).toBe('0');
});

test('the first pass of a sweep, without which no daemon starts, plans all the others and knows the one', async () => {
  const [held, free] = [await addFabric(place.sql), await addFabric(place.sql)];
  const { fleet, sweep } = composeCore({
    config: readConfig({ DATABASE_URL: place.url }),
    ...{ clock: systemClock, dice: { roll: () => 0.5 }, daemon: 'host/1/aaaaaa', log: unheard },
    ...{ store: place.store, timers: new MemoryTimers(), lock: noLock },
    apis: { of: () => Promise.reject(new Error('nothing is synced here')), forget: async () => {} },
  });
  onTestFinished(() => sweep.stop());
  const { letGo } = await holdRows(held);
  await sweep.start();
  expect(await cycle(free)).toMatchObject({ state: 'scheduled', due_kind: 'sync' });
  expect(await cycle(held)).toMatchObject({ state: 'idle', due_at: null });
  expect(fleet.member(held)).toMatchObject({ path: 'scheduled.waiting' });
  await letGo();
  await sweep.now('again');
  expect(await cycle(held)).toMatchObject({ state: 'scheduled', due_kind: 'sync' });
});

const unheard: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => unheard };
const noLock: FabricLock = {
  acquire: async () => ({ kind: 'unavailable', cause: null }),
  renew: async () => null,
  release: async () => {},
};

/** Attempts of this daemon over the real rows, with another way to settle. `fail`: a run that fails, and is to be told. */
function attemptsOn(settle: StorePlace['store']['settle']) {
  const store = { ...place.store, settle };
  const attempts = new Attempts({
    daemon: 'host/1/aaaaaa',
    store,
    timers: new MemoryTimers(),
    lock: noLock,
    planner: createPlanner(store, systemClock, () => 3),
    clock: systemClock,
    dice: { roll: () => 0.5 },
    policy: { leaseTtlMs: 30_000, holdMs: 40_000, backoff: backoffDefault },
    sync: async () => Promise.reject(new Error('nothing is synced here')),
    onCommitted: () => {},
  });
  return {
    attempts,
    async fail(fabricId: string) {
      const asked = {
        fabricId,
        trigger: 'sync',
        servedDueMs: await makeDue(place.sql, fabricId),
        traceparent: null,
      } as const;
      const lease = await attempts.acquireLease(asked, AbortSignal.timeout(10_000));
      if (lease.kind !== 'acquired') throw new Error('no lease');
      const answer = await attempts.makeClaim({ ...asked, token: lease.token });
      if (answer.kind !== 'claimed') throw new Error(`the claim was ${answer.kind}`);
      const failure = { code: 'UNREACHABLE', message: 'refused', hint: 'h' } as const;
      const more = { claim: answer.claim, token: lease.token, rest: 'backoff', attempts: 1, failure } as const;
      const input: SettleInput = { fabricId, outcome: 'failed', ...more };
      await expect(attempts.settle(input)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    },
  };
}
