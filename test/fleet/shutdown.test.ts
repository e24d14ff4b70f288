// The end of a daemon, at every place where a fabric can be.

import { describe, expect, onTestFinished, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { memoryDaemon, memoryPlace, pass, quiet, until } from '../support/memory-daemon.ts';

const never = new AbortController().signal;

const ready = async () => {
  const place = memoryPlace();
  const row = place.database.add('7');
  const daemon = memoryDaemon(place);
  await daemon.start();
  /** As a SIGTERM does it: first no timer is taken any more. */
  const end = async (...how: Parameters<typeof daemon.fleet.stop>) => {
    await daemon.pump.stop();
    return daemon.fleet.stop(...how);
  };
  const path = () => daemon.fleet.member('7')?.path;
  await pass(place.clock, 5_000);
  await until(() => row.status === 'in_sync' && path() === 'scheduled.waiting');
  const running = async () => {
    place.gate.shut();
    await pass(place.clock, 60_250);
    await until(() => path() === 'syncing.running');
  };
  /** Another daemon takes over, and the fabric is in sync again. */
  const resumed = async () => {
    place.gate.open();
    place.database.before = () => {};
    const runs = place.database.runs.length;
    await memoryDaemon(place, 'next').start();
    await until(() => place.database.runs.length > runs && row.status === 'in_sync');
  };
  return { ...place, row, daemon, end, path, running, resumed };
};

describe('a daemon that is stopped', () => {
  test('lets a run in hand finish within the grace', async () => {
    const { clock, database, gate, running, end } = await ready();
    await running();
    const stopped = end({ graceMs: 20_000, abortMs: 5_000 }, never);
    await pass(clock, 10_000);
    gate.open();
    expect(await stopped).toEqual({ aborted: 0 });
    expect(database.runs.at(-1)?.outcome).toBe('complete');
  });

  test('aborts it when the grace is over: the row is as before, still due, and the next daemon resumes it', async () => {
    const { clock, database, row, running, resumed, end } = await ready();
    const { lastSyncMs } = row;
    await running();
    const stopped = end({ graceMs: 20_000, abortMs: 5_000 }, never);
    await pass(clock, 20_000);
    expect(await stopped).toEqual({ aborted: 1 });
    expect(row).toMatchObject({ lastSyncMs, status: 'in_sync', leaseHolder: null, attempts: 0 });
    expect(row.dueAtMs).toBeLessThanOrEqual(clock.nowMs());
    await resumed();
    expect(database.runs.map(({ outcome }) => outcome)).toEqual(['complete', 'cancelled', 'complete']);
  });

  test('a second signal cuts the grace short', async () => {
    const { database, running, end } = await ready();
    await running();
    const hurry = new AbortController();
    const stopped = end({ graceMs: 20_000, abortMs: 5_000 }, hurry.signal);
    hurry.abort();
    expect(await stopped).toEqual({ aborted: 1 });
    expect(database.runs.at(-1)?.outcome).toBe('cancelled');
  });

  test('a second signal does not wait for long either where the run cannot be written down', async () => {
    const { clock, database, running, end } = await ready();
    await running();
    const hung = Promise.withResolvers<void>();
    onTestFinished(() => hung.reject(new FabricFailure('DATABASE_UNAVAILABLE', 'the test is over')));
    database.before = () => hung.promise;
    const hurry = new AbortController();
    let isOver = false;
    const stopped = end({ graceMs: 20_000, abortMs: 5_000, hurriedMs: 2_000 }, hurry.signal).finally(() => {
      isOver = true;
    });
    await pass(clock, 21_000);
    hurry.abort();
    await pass(clock, 1_000);
    expect(isOver).toBe(false);
    await pass(clock, 1_000);
    expect(await stopped).toEqual({ aborted: 1 });
  });

  test('in the middle of a claim: what is granted then is put back, not left to expire', async () => {
    const { clock, database, row, path, resumed, end } = await ready();
    const { promise, resolve } = Promise.withResolvers<void>();
    database.before = (act) => (act === 'claim' ? promise : undefined);
    await pass(clock, 60_250);
    await until(() => path() === 'locked.claiming');
    const stopped = end({ graceMs: 0, abortMs: 5_000 }, never);
    await pass(clock, 1_000);
    resolve();
    expect(await stopped).toEqual({ aborted: 1 });
    expect(row).toMatchObject({ leaseHolder: null, status: 'in_sync', attempts: 0 });
    await resumed();
    expect(database.runs.at(-1)?.outcome).toBe('complete');
  });

  test('a run of a fabric in trouble goes back to its trouble, with its attempts', async () => {
    const { clock, database, row, running, path, end } = await ready();
    Object.assign(row, { state: 'backoff', dueKind: 'retry', attempts: 3, status: 'error' });
    database.tell({ what: 'settings', fabricId: '7' });
    await until(() => path() === 'backoff.waiting');
    await running();
    const stopped = end({ graceMs: 0, abortMs: 5_000 }, never);
    await pass(clock, 1);
    await stopped;
    expect(row).toMatchObject({ state: 'backoff', dueKind: 'retry', attempts: 3, status: 'error' });
    expect(row.dueAtMs).toBeLessThanOrEqual(clock.nowMs());
  });

  test('refuses nobody: what is asked while it stops is left to the next daemon', async () => {
    const { clock, daemon, database, gate, running, resumed, end } = await ready();
    database.add('8', { schedulerEnabled: false });
    database.tell({ what: 'settings', fabricId: '8' });
    await until(() => daemon.fleet.size === 2);
    await running();
    const stopped = end({ graceMs: 20_000, abortMs: 5_000 }, never);
    const early = database.request('8');
    await pass(clock, 6_000);
    gate.open();
    await stopped;
    const late = database.request('8', 'bob');
    await daemon.sweep.now('a last look');
    await quiet();
    expect([early, late]).toMatchObject([{ settled: false }, { settled: false }]);
    await daemon.stop();
    await resumed();
    await until(() => early.settled && late.settled);
    expect([early.refusal, late.refusal]).toEqual([null, null]);
  });

  test('cut off without a word: the lease ends, it is INTERRUPTED once, and runs again', async () => {
    const place = await ready();
    const { clock, database, row, running, gate } = place;
    const { lastSyncMs } = row;
    // A daemon that hangs: nothing of it is heard any more.
    await running();
    await place.daemon.pump.stop();
    const hung = Promise.withResolvers<void>();
    onTestFinished(() => hung.reject(new FabricFailure('DATABASE_UNAVAILABLE', 'the test is over')));
    database.before = (_, daemon) => (daemon === 'one' ? hung.promise : undefined);
    const next = memoryDaemon(place, 'next');
    await next.start();
    await pass(clock, 29_000);
    expect(row.leaseHolder).toBe('one');
    await pass(clock, 6_000);
    expect(row).toMatchObject({ attempts: 1, failure: { code: 'INTERRUPTED' }, lastSyncMs, status: 'error' });
    gate.open();
    // Its lock lives a little longer than its claim: it was renewed while Postgres was not heard any more.
    await pass(clock, 45_000);
    expect(row).toMatchObject({ status: 'in_sync', attempts: 0 });
    expect(database.runs.map(({ daemon, outcome }) => [daemon, outcome])).toEqual([
      ['one', 'complete'],
      ['one', 'interrupted'],
      ['next', 'complete'],
    ]);
  });
});
