// "Sync now": acknowledged by a row, never lost, never run twice, settled when a run that it began or joined has ended.

import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { memoryDaemon, memoryPlace, pass, quiet, until } from '../support/memory-daemon.ts';

const ready = async (more: Parameters<ReturnType<typeof memoryPlace>['database']['add']>[1] = {}) => {
  const place = memoryPlace();
  const row = place.database.add('7', more);
  const daemon = memoryDaemon(place);
  await daemon.start();
  const path = () => daemon.fleet.member('7')?.path;
  const synced = async () => {
    await pass(place.clock, 5_000);
    await until(() => row.status === 'in_sync' && path() === 'scheduled.waiting');
  };
  return { ...place, row, daemon, path, synced };
};

describe('a request', () => {
  test('runs at once, is settled by its run, and does not move the schedule', async () => {
    const { row, database, path, synced } = await ready();
    await synced();
    const { dueAtMs } = row;
    const request = database.request('7');
    await until(() => request.settled && path() === 'scheduled.waiting');
    expect(database.runs.at(-1)).toMatchObject({ runId: request.runId, trigger: 'manual', outcome: 'complete' });
    expect(row.dueAtMs).toBe(dueAtMs);
  });

  test('joins a run in hand: it is settled when that ends, and nothing runs twice', async () => {
    const { clock, database, synced, gate, path } = await ready();
    await synced();
    gate.shut();
    await pass(clock, 60_250);
    await until(() => path() === 'syncing.running');
    const request = database.request('7');
    await quiet();
    expect(request.settled).toBe(false);
    gate.open();
    await until(() => request.settled && path() === 'scheduled.waiting');
    await pass(clock, 10_000);
    expect(database.runs).toHaveLength(2);
    expect(request.runId).toBe('2');
  });

  test('that is made while a run writes down how it failed is heard when it rests', async () => {
    const { clock, database, synced, fabric, path } = await ready();
    await synced();
    const works = fabric.troubleElsewhere;
    fabric.troubleElsewhere = async () => {
      throw new FabricFailure('UNREACHABLE', 'connection refused');
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    // The row has been written, and the answer is on its way.
    database.before = (act) => (act === 'remember' || act === 'settle' ? promise : undefined);
    await pass(clock, 60_250);
    await until(() => path() === 'backoff.recording');
    fabric.troubleElsewhere = works;
    resolve();
    await until(() => path() === 'backoff.waiting');
    const request = database.request('7');
    await until(() => request.settled && path() === 'scheduled.waiting');
    expect(database.runs.map(({ outcome }) => outcome)).toEqual(['complete', 'failed', 'complete']);
  });

  test('works where there is no timer at all, and goes back to rest there', async () => {
    const { row, database, path } = await ready({ schedulerEnabled: false });
    const request = database.request('7');
    await until(() => request.settled && path() === 'idle');
    expect(row).toMatchObject({ status: 'in_sync', state: 'idle', dueAtMs: null });
  });

  test.each([
    ['paused', { paused: { untilMs: null } }],
    ['sync_disabled', { syncEnabled: false }],
    ['not_configured', { configured: false }],
  ] as const)('of a fabric that is %s is refused, and says so', async (reason, more) => {
    const { database } = await ready(more);
    const request = database.request('7');
    await until(() => request.settled);
    expect(request).toMatchObject({ refusal: reason, runId: null });
    expect(database.runs).toEqual([]);
  });

  test('whose notice was lost is found by the sweep', async () => {
    const { clock, database, synced } = await ready();
    await synced();
    database.requests.push({
      requestId: '1',
      fabricId: '7',
      by: 'ann',
      runId: null,
      refusal: null,
      settled: false,
      traceparent: null,
    });
    await pass(clock, 5_000);
    await until(() => database.requests[0]?.settled === true);
    expect(database.runs.at(-1)?.trigger).toBe('manual');
  });

  test('of a fabric that the sweep has not seen yet is not refused: the row decides', async () => {
    const { clock, database, daemon, synced } = await ready();
    await synced();
    // Added and asked for while a pass is under way, between its reading of the rows and of the requests.
    let late = false;
    database.before = (act) => {
      if (act !== 'openRequests' || late) return;
      late = true;
      database.add('8');
      database.requests.push({
        requestId: '2',
        fabricId: '8',
        by: 'ann',
        runId: null,
        refusal: null,
        settled: false,
        traceparent: null,
      });
    };
    await pass(clock, 5_000);
    await until(() => database.requests[0]?.settled === true);
    expect(database.requests[0]).toMatchObject({ refusal: null, runId: '2' });
    expect(daemon.fleet.size).toBe(2);
  });

  test('that two daemons hear is run by one of them', async () => {
    const place = await ready();
    const other = memoryDaemon(place, 'two');
    await other.start();
    await place.synced();
    const request = place.database.request('7');
    await until(() => request.settled);
    await pass(place.clock, 15_000);
    expect(place.database.runs).toHaveLength(2);
    expect(other.fleet.slots.running + place.daemon.fleet.slots.running).toBe(0);
  });

  test('whose run was cut short because our own servers went away is run again', async () => {
    const { clock, database, synced, row, path } = await ready();
    await synced();
    let away = true;
    database.before = (act) => {
      if (act === 'commit' && away) throw new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres does not answer');
    };
    const request = database.request('7');
    await until(() => database.runs.at(-1)?.outcome === 'cancelled' && path() === 'scheduled.waiting');
    expect(request.settled).toBe(false);
    expect(row).toMatchObject({ attempts: 0, status: 'in_sync' });
    away = false;
    await pass(clock, 5_000);
    await until(() => request.settled);
    expect(database.runs.at(-1)).toMatchObject({ runId: request.runId, outcome: 'complete' });
  });
});
