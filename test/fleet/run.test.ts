// The life of a run, from its timer to its rest, with a whole daemon over memory and a clock that the test turns.

import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { memoryDaemon, memoryPlace, pass, quiet, until } from '../support/memory-daemon.ts';

const ready = async (env: Record<string, string> = {}, doorless = false) => {
  const place = memoryPlace();
  const row = place.database.add('7');
  const daemon = memoryDaemon(place, 'one', { env, doorless });
  await daemon.start();
  const path = () => daemon.fleet.member('7')?.path;
  /** The first sync has been committed. */
  const synced = async () => {
    await pass(place.clock, 5_000);
    await until(() => row.status === 'in_sync' && path() === 'scheduled.waiting');
  };
  /** A run stands still in the middle. */
  const running = async () => {
    place.gate.shut();
    await pass(place.clock, 60_250);
    await until(() => place.gate.waiting === 1 && path() === 'syncing.running');
  };
  return { ...place, row, daemon, path, synced, running };
};

const outcomes = (runs: readonly { outcome: string | null }[]) => runs.map(({ outcome }) => outcome);

describe('a run', () => {
  test('comes by its timer, commits, and the phase is kept however long it took', async () => {
    const { clock, database, row, path, synced, running, gate } = await ready();
    const addedMs = clock.nowMs();
    await synced();
    expect(row).toMatchObject({ lastSyncMs: addedMs + 5_000, tickMs: addedMs + 65_000, attempts: 0 });
    await running();
    await pass(clock, 7_000);
    gate.open();
    await until(() => path() === 'scheduled.waiting');
    expect(row.tickMs).toBe(addedMs + 125_000);
    expect(outcomes(database.runs)).toEqual(['complete', 'complete']);
  });

  test('that takes longer than it may is given up and is a failed attempt', async () => {
    const { clock, row, path, synced, running, daemon } = await ready({ FABRIC_SYNCD_RUN_DEADLINE: '90s' });
    await synced();
    await running();
    await pass(clock, 89_000, 1_000);
    expect(path()).toBe('syncing.running');
    await pass(clock, 1_000, 1_000);
    await until(() => path() === 'backoff.waiting');
    expect(row).toMatchObject({ state: 'backoff', attempts: 1, failure: { code: 'RUN_DEADLINE' }, status: 'error' });
    expect(daemon.fleet.slots.running).toBe(0);
  });

  test('whose lease is taken away is aborted, and commits nothing', async () => {
    const { clock, row, database, path, synced, running, gate } = await ready();
    await synced();
    await running();
    // Somebody unlocked it and another daemon has it now.
    Object.assign(row, { epoch: row.epoch + 1, leaseHolder: 'other', leaseUntilMs: clock.nowMs() + 1e6 });
    await pass(clock, 10_000);
    await until(() => path() === 'scheduled.waiting');
    expect(gate.waiting).toBe(0);
    expect(database.acts).not.toContain('commit 7 2');
    expect(database.acts.filter((act) => act === 'commit 7')).toHaveLength(1);
  });

  test('is not trusted past its claim: where Postgres hangs, it ends before its lease does', async () => {
    const { clock, row, database, path, synced, running } = await ready({}, true);
    await synced();
    await running();
    const leaseUntilMs = row.leaseUntilMs ?? 0;
    const hung = new Promise<never>(() => {});
    database.before = (act) => (act === 'renew' ? hung : undefined);
    await pass(clock, leaseUntilMs - clock.nowMs() - 1_000);
    expect(path()).toBe('syncing.running');
    await pass(clock, 999, 999);
    expect(path()).toBe('backoff.waiting');
    expect(row).toMatchObject({ failure: { code: 'LEASE_LOST', message: expect.stringContaining('Postgres') } });
  });

  test('whose claim was answered after its lease had ended is given up at once', async () => {
    const { clock, row, database, path, synced, gate } = await ready({}, true);
    await synced();
    gate.shut();
    const { promise, resolve } = Promise.withResolvers<void>();
    database.before = (act) => (act === 'claim' ? promise : undefined);
    await pass(clock, 60_250);
    await until(() => path() === 'locked.claiming');
    await pass(clock, 31_000);
    resolve();
    await pass(clock, 1);
    await until(() => path() === 'backoff.waiting');
    expect(row.failure?.code).toBe('LEASE_LOST');
  });

  test('that a person cancels leaves the row as it was, and the next one comes as scheduled', async () => {
    const { row, database, path, synced, running, daemon } = await ready();
    await synced();
    const { lastSyncMs, tickMs } = row;
    await running();
    daemon.post.hear({ what: 'cancel', fabricId: '7', by: 'ann' });
    await until(() => path() === 'scheduled.waiting');
    expect(row).toMatchObject({ lastSyncMs, status: 'in_sync', attempts: 0, failure: null });
    expect(row.dueAtMs).toBe((tickMs ?? 0) + 60_250);
    expect(outcomes(database.runs)).toEqual(['complete', 'cancelled']);
    expect(daemon.fleet.slots.running).toBe(0);
  });

  test('that is cancelled before its claim was answered ends right after it', async () => {
    const { clock, database, path, synced, daemon, gate } = await ready();
    await synced();
    const asked = gate.passed;
    const { promise, resolve } = Promise.withResolvers<void>();
    database.before = (act) => (act === 'claim' ? promise : undefined);
    await pass(clock, 60_250);
    await until(() => path() === 'locked.claiming');
    expect(daemon.fleet.cancel('7', 'ann')).toBe(true);
    resolve();
    await until(() => path() === 'scheduled.waiting');
    expect(gate.passed).toBe(asked);
    expect(outcomes(database.runs)).toEqual(['complete', 'cancelled']);
  });

  test('whose end Postgres does not hear is made again when it is back, not when its own lease ends', async () => {
    const { clock, row, database, path, synced, running, gate } = await ready();
    await synced();
    await running();
    const { dueAtMs: servedMs, lastSyncMs: stampedMs } = row;
    database.before = () => {
      throw new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres does not answer');
    };
    gate.open();
    await until(() => path() === 'scheduled.waiting');
    await pass(clock, 4_000);
    expect(row).toMatchObject({ status: 'syncing', leaseHolder: 'one', lastSyncMs: stampedMs });
    database.before = () => {};
    await pass(clock, 6_000);
    await until(() => row.leaseHolder === null);
    expect(outcomes(database.runs)).toEqual(['complete', 'cancelled', 'complete']);
    expect(row, 'it was no failure of the fabric').toMatchObject({ status: 'in_sync', attempts: 0, failure: null });
    expect(row.lastSyncMs).toBeLessThan((servedMs ?? 0) + 15_000);
  });

  test('that failed while Postgres was away is told as what it was', async () => {
    const { clock, row, database, path, synced, running, fabric, gate } = await ready();
    await synced();
    const works = fabric.troubleElsewhere;
    fabric.troubleElsewhere = async (request, signal) => {
      await works(request, signal);
      throw new FabricFailure('UNREACHABLE', 'connection refused');
    };
    await running();
    database.before = () => {
      throw new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres does not answer');
    };
    gate.open();
    await until(() => path() === 'backoff.waiting');
    expect(row).toMatchObject({ status: 'syncing', leaseHolder: 'one' });
    database.before = (act) => {
      if (act === 'claim') throw new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres does not answer');
    };
    await pass(clock, 5_000);
    await until(() => row.leaseHolder === null);
    expect(row).toMatchObject({ state: 'backoff', status: 'error', attempts: 1, failure: { code: 'UNREACHABLE' } });
    expect(outcomes(database.runs)).toEqual(['complete', 'failed']);
  });

  test('whose end Postgres refuses when it is back keeps no sweep from its work: its lease ends it', async () => {
    const { clock, row, database, path, synced, running, gate } = await ready();
    await synced();
    await running();
    database.before = () => {
      throw new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres does not answer');
    };
    gate.open();
    await until(() => path() === 'scheduled.waiting');
    database.before = (act) => {
      if (act === 'settle')
        throw new FabricFailure('DATABASE_REFUSED', 'Postgres did not settle a run: permission denied');
    };
    await pass(clock, 45_000, 1_000);
    await until(() => row.status === 'in_sync');
    expect(outcomes(database.runs)).toEqual(['complete', 'interrupted', 'complete']);
    expect(database.acts.filter((act) => act === 'settle 7').length, 'it is asked once more, and no more').toBe(2);
  });

  test('retries wait longer and longer; at the end a slow probe heals it by itself', async () => {
    const { clock, row, path, synced, fabric } = await ready({ FABRIC_SYNCD_RETRIES_MAX: '2' });
    await synced();
    const works = fabric.troubleElsewhere;
    fabric.troubleElsewhere = async () => {
      throw new FabricFailure('UNREACHABLE', 'connection refused');
    };
    const seen: unknown[] = [];
    await pass(clock, 60_250);
    for (const state of ['backoff', 'backoff', 'errored', 'errored']) {
      await until(() => path() === `${state}.waiting` && row.leaseHolder === null && row.attempts === seen.length + 1);
      const waitMs = (row.dueAtMs ?? 0) - clock.nowMs();
      seen.push([row.state, row.dueKind, row.attempts, waitMs]);
      await pass(clock, waitMs);
    }
    // Half of each ceiling: the dice always say 0.5.
    expect(seen).toEqual([
      ['backoff', 'retry', 1, 1_000],
      ['backoff', 'retry', 2, 2_000],
      ['errored', 'probe', 3, 630_000],
      ['errored', 'probe', 4, 630_000],
    ]);
    fabric.troubleElsewhere = works;
    await pass(clock, 631_000, 10_000);
    await until(() => path() === 'scheduled.waiting');
    expect(row).toMatchObject({ status: 'in_sync', attempts: 0, failure: null });
  });
});

describe('before a run', () => {
  test('a claim that is answered when its lease has ended asks the fabric nothing, and is tried again', async () => {
    const { clock, row, database, fabric, path, synced } = await ready();
    await synced();
    const { promise, resolve } = Promise.withResolvers<void>();
    database.before = (act) => (act === 'claim' ? promise : undefined);
    await pass(clock, 60_250);
    await until(() => path() === 'locked.claiming');
    await pass(clock, 30_000);
    const asked = fabric.asked.length;
    database.before = () => {};
    resolve();
    await until(() => path() === 'backoff.waiting');
    expect(fabric.asked).toHaveLength(asked);
    expect(row).toMatchObject({ attempts: 1, failure: { code: 'LEASE_LOST' }, leaseHolder: null });
    await pass(clock, 5_000);
    await until(() => row.status === 'in_sync');
  });

  test('contention is no attempt: it goes back to its rest, and the timer shows again', async () => {
    const { clock, row, database, path, synced, daemon } = await ready();
    await synced();
    Object.assign(row, { leaseHolder: 'other', leaseUntilMs: clock.nowMs() + 1e9 });
    await pass(clock, 60_250);
    await until(() => database.acts.filter((act) => act === 'claim 7').length === 2);
    await until(() => path() === 'scheduled.waiting');
    expect(daemon.fleet.member('7')?.context).toMatchObject({ attempts: 0, failure: null });
    expect(daemon.fleet.slots.running).toBe(0);
    Object.assign(row, { leaseHolder: null, leaseUntilMs: null });
    await pass(clock, 40_000, 1_000);
    expect(row.status).toBe('in_sync');
    expect(outcomes(database.runs)).toEqual(['complete', 'complete']);
  });

  test.each(['DATABASE_UNAVAILABLE', 'DATABASE_REFUSED', 'INTERNAL'] as const)(
    'a claim that fails by %s is told, counts nothing, and is not asked for without a pause',
    async (code) => {
      const { clock, row, database, path, synced, daemon } = await ready();
      await synced();
      database.before = (act) => {
        if (act === 'claim') throw new FabricFailure(code, 'it did not work');
      };
      const claims = () => database.acts.filter((act) => act === 'claim 7').length;
      await pass(clock, 60_250);
      await until(() => path() === 'scheduled.waiting' && claims() === 2);
      expect(daemon.lines.at(-1)).toContain(`not run: ${code}: it did not work`);
      await pass(clock, 10_000);
      expect(claims()).toBe(2);
      expect(row).toMatchObject({ attempts: 0, failure: null });
      database.before = () => {};
      await pass(clock, 40_000, 1_000);
      expect(row.status).toBe('in_sync');
      expect(claims()).toBeLessThan(6);
    },
  );

  test('a row that refuses what its own plan calls due is not asked again and again', async () => {
    const { clock, row, database, synced, path } = await ready();
    await synced();
    // By Postgres's clock the pause has not ended yet when it has by ours.
    database.skewMs = -20_000;
    row.paused = { untilMs: clock.nowMs() + 60_250 };
    database.tell({ what: 'settings', fabricId: '7' });
    await until(() => path() === 'idle');
    const claims = () => database.acts.filter((act) => act === 'claim 7').length;
    await pass(clock, 70_000);
    expect([row.state, claims()]).toEqual(['scheduled', 2]);
    await pass(clock, 60_000);
    expect(row).toMatchObject({ paused: null, status: 'in_sync' });
    expect(claims()).toBeLessThan(5);
  });
});

describe('a fabric that is removed', () => {
  test('in the middle of its run: the run is aborted, slot and lease are free, and nothing is kept of it', async () => {
    const { clock, database, synced, running, daemon, door, gate, timers } = await ready();
    await synced();
    await running();
    database.rows.delete('7');
    database.tell({ what: 'settings', fabricId: '7' });
    await until(() => daemon.fleet.size === 0);
    await until(() => gate.waiting === 0);
    expect(daemon.fleet.slots.running).toBe(0);
    expect(await door.lock(1_000).acquire('7')).toMatchObject({ kind: 'acquired' });
    await pass(clock, 60_000, 5_000);
    expect(await timers.all()).toEqual([]);
    expect(database.acts.filter((act) => act === 'commit 7')).toHaveLength(1);
  });

  test('while its lease is being asked for: the lease is given back', async () => {
    const { clock, database, synced, daemon, door, path } = await ready();
    await synced();
    const { promise, resolve } = Promise.withResolvers<void>();
    database.before = (act) => (act === 'claim' ? promise : undefined);
    await pass(clock, 60_250);
    await until(() => path() === 'locked.claiming');
    database.rows.delete('7');
    daemon.fleet.remove('7');
    resolve();
    await quiet();
    expect(await door.lock(1_000).acquire('7')).toMatchObject({ kind: 'acquired' });
  });
});
