// Lease and claim while a commit is in hand: it may take longer than the lease, and it ends the claim itself.

import { describe, expect, test } from 'vitest';
import { memoryDaemon, memoryPlace, pass, quiet, until } from '../support/memory-daemon.ts';

const ready = async ({ doorless = false, slowDoor = null as Promise<void> | null } = {}) => {
  const place = memoryPlace();
  const { clock, database, door, gate } = place;
  if (slowDoor) {
    const lock = door.lock.bind(door);
    door.lock = (...how) => {
      const inner = lock(...how);
      return { ...inner, release: (lease) => slowDoor.then(() => inner.release(lease)) };
    };
  }
  const row = database.add('7', { state: 'scheduled', dueKind: 'sync', dueAtMs: clock.nowMs() + 1_000 });
  const daemon = memoryDaemon(place, 'one', { doorless });
  const events: string[] = [];
  daemon.onTransition(({ event }) => events.push(event));
  const path = () => daemon.fleet.member('7')?.path;
  const last = () => database.runs.at(-1)?.outcome;
  gate.shut();
  await daemon.start();
  await pass(clock, 5_000);
  await until(() => gate.waiting === 1 && path() === 'syncing.running');
  return { ...place, row, daemon, events, path, last };
};

/** The row is kept by a merge, as Postgres does it: a renewal waits for it. */
const merging = (database: Awaited<ReturnType<typeof ready>>['database']) => {
  const done = Promise.withResolvers<void>();
  let begun = false;
  database.merging = async (_, fabricId) => {
    begun = true;
    database.held.add(fabricId);
    await done.promise;
    database.held.delete(fabricId);
  };
  database.before = (act) => (act === 'renew' && begun ? done.promise : undefined);
  return { begun: () => begun, end: done.resolve };
};

describe('a merge', () => {
  test.each([
    ['under lock and claim', false],
    ['under the claim alone', true],
  ])('that takes longer than the lease is committed, %s', async (_, doorless) => {
    const { clock, database, door, gate, events, path } = await ready({ doorless });
    const merge = merging(database);
    gate.open();
    await until(merge.begun);
    await pass(clock, 120_000);
    expect(path()).toBe('syncing.running');
    if (!doorless) expect(await door.lock(1_000).acquire('7'), 'the lock is renewed').toEqual({ kind: 'contended' });
    merge.end();
    await until(() => path() === 'scheduled.waiting');
    expect(database.runs[0]).toMatchObject({ outcome: 'complete' });
    expect(events).not.toContain('LEASE_LOST');
  });

  test('that fails after the lease has ended is a failed attempt, and nothing is trusted any more', async () => {
    const { clock, database, row, gate, path } = await ready();
    const merge = merging(database);
    gate.open();
    await until(merge.begun);
    await pass(clock, 40_000);
    // It was rolled back, and another daemon was quicker.
    Object.assign(row, { epoch: row.epoch + 1, leaseHolder: 'other', leaseUntilMs: clock.nowMs() + 1e6 });
    merge.end();
    await until(() => path() === 'scheduled.waiting');
    expect(row).toMatchObject({ leaseHolder: 'other', attempts: 0 });
    expect(database.runs).toMatchObject([{ outcome: null }]);
  });

  test('is bounded by the deadline of the run', async () => {
    const { clock, database, row, gate, path } = await ready();
    const merge = merging(database);
    gate.open();
    await until(merge.begun);
    await pass(clock, 300_000);
    await until(() => path() === 'backoff.waiting');
    expect(row.failure?.code).toBe('RUN_DEADLINE');
    merge.end();
  });
});

describe('a renewal that is answered late', () => {
  test('behind the commit, while the lock is given back, loses nothing', async () => {
    const givenBack = Promise.withResolvers<void>();
    const { clock, database, gate, events, path, last, daemon } = await ready({ slowDoor: givenBack.promise });
    const answered = Promise.withResolvers<void>();
    database.before = (act) => (act === 'renew' ? answered.promise : undefined);
    await pass(clock, 11_000);
    gate.open();
    await until(() => last() === 'complete');
    await quiet();
    answered.resolve();
    await quiet();
    expect(path()).toBe('syncing.running');
    givenBack.resolve();
    await until(() => path() === 'scheduled.waiting');
    expect(events).not.toContain('LEASE_LOST');
    expect(daemon.lines.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  test('while the commit is asked for leaves it to the commit to say who has the fabric', async () => {
    const { clock, database, row, gate, events, path } = await ready();
    const asked = Promise.withResolvers<void>();
    let asking = false;
    database.before = (act) => {
      if (act !== 'commit') return;
      asking = true;
      return asked.promise;
    };
    gate.open();
    await until(() => asking);
    Object.assign(row, { epoch: row.epoch + 1, leaseHolder: 'other', leaseUntilMs: clock.nowMs() + 1e6 });
    await pass(clock, 11_000);
    expect(path()).toBe('syncing.running');
    asked.resolve();
    await until(() => path() === 'scheduled.waiting');
    expect(events).not.toContain('LEASE_LOST');
    expect(row).toMatchObject({ leaseHolder: 'other', attempts: 0 });
  });
});
