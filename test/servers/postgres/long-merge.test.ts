// A merge that takes longer than the lease, under real rows: it keeps its fabric, and commits.

import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { backoffDefault } from '../../../machines/fabric/backoff.ts';
import { Attempts } from '../../../src/fleet/attempts.ts';
import { MemoryTimers } from '../../../src/fleet/memory-timers.ts';
import { createPlanner } from '../../../src/fleet/planner.ts';
import {
  addFabric,
  claimRequest,
  commitRequest,
  daemon,
  makeDue,
  object,
  openStorePlace,
  rowOf,
  type StorePlace,
} from '../../support/fabric-store.ts';
import { handClock } from '../../support/hand-clock.ts';
import { hold } from '../../support/hold.ts';
import { MemoryDoor } from '../../support/memory-lock.ts';
import { eventually } from '../../support/process/daemon.ts';

let place: StorePlace;
beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
});
afterAll(() => place.close());

const leaseTtlMs = 1_000;

test('its lease is over and neither renewed, lost nor anybody else’s; then it is committed', async () => {
  const fabricId = await addFabric(place.sql);
  const asked = {
    fabricId,
    trigger: 'sync',
    servedDueMs: await makeDue(place.sql, fabricId),
    traceparent: null,
  } as const;
  const row = await place.store.fabric(fabricId);
  if (!row) throw new Error('no such fabric');

  const clock = handClock();
  const door = new MemoryDoor(clock).lock(leaseTtlMs);
  let renewed = 0;
  const attempts = new Attempts({
    daemon,
    store: place.store,
    timers: new MemoryTimers(),
    lock: { ...door, renew: (lease) => door.renew(lease).finally(() => renewed++) },
    planner: createPlanner(place.store, clock, () => 1),
    clock,
    dice: { roll: () => 0.5 },
    policy: { leaseTtlMs, holdMs: 40_000, backoff: backoffDefault },
    async sync({ claim, onCommit }, signal) {
      const request = commitRequest({ claim, row }, { staged: [object('a')] });
      const committed = await place.store.commit(request, signal, () => onCommit('fenced'));
      if (committed.kind === 'stale') throw new Error('it was fenced off');
      const { outcome, figures, remark } = request;
      return { kind: 'committed', outcome, row: committed.row, figures, changes: committed.changes, remark };
    },
    onCommitted: () => {},
  });
  const lease = await attempts.acquireLease(asked, AbortSignal.timeout(20_000));
  if (lease.kind !== 'acquired') throw new Error('no lease');
  const answer = await attempts.makeClaim({ ...asked, token: lease.token });
  if (answer.kind !== 'claimed') throw new Error(`the claim was ${answer.kind}`);
  const run = { ...asked, claim: answer.claim, token: lease.token };
  // The table that every merge writes to.
  const held = await hold(place.observer, (tx) => tx`lock table fabric_change in exclusive mode`);
  const lost: string[] = [];
  const stop = attempts.keepLease(run, (why) => lost.push(why));
  const ending = attempts.runSync(run, AbortSignal.timeout(20_000));
  await held.waitedFor();

  await vi.waitFor(async () => {
    clock.advance(leaseTtlMs / 3);
    const ended = await place.observer`select from fabric_cycle where fabric_id = ${fabricId} and lease_until < now()`;
    expect(ended.count, 'the lease in the row is over').toBe(1);
    expect(renewed, 'the lock was renewed well past it').toBeGreaterThan(6);
  }, eventually);
  expect(lost).toEqual([]);
  expect(await place.another('other').interruptExpired(backoffDefault, 0.5)).toEqual([]);
  const other = place
    .another('another')
    .claim(claimRequest(fabricId, { daemon: 'another', servedDueMs: asked.servedDueMs }));
  await held.letGo();
  expect(await ending).toMatchObject({ outcome: 'complete' });
  expect(await other, 'it waited, and came too late').toMatchObject({ kind: 'superseded' });
  stop();
  expect(lost).toEqual([]);
  expect(await rowOf(place.sql, 'fabric_run', { id: run.claim.runId })).toMatchObject({ outcome: 'complete' });
});
