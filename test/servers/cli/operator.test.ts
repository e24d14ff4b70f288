import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Operator } from '../../../src/ports/operator.ts';
import type { Notice } from '../../../src/ports/store.ts';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { postgresOperator } from '../../../src/postgres/operator/operator.ts';
import { createStore } from '../../../src/postgres/store.ts';
import { cloneDatabase, type TestDatabase } from '../../support/postgres.ts';
import { makeChange, makeFabric, makeResource, makeRun, makeRunning } from '../../support/rows.ts';
import { runFabricSyncd } from '../../support/run-program.ts';

let clone: TestDatabase;
let database: Database;
let operator: Operator;

beforeAll(async () => {
  clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  database = openDatabase({ url: clone.url });
  operator = postgresOperator(database);
});
beforeEach(() => database.sql`delete from fabric`);
afterAll(async () => {
  await database.close();
  await clone.drop();
});

/** The notices that an act sends, heard on a connection of their own. */
async function noticesOf(act: () => Promise<unknown>): Promise<object[]> {
  const { sql } = database;
  const heard: string[] = [];
  const end = Promise.withResolvers<void>();
  const listening = await sql.listen('fabric_syncd', (payload) => {
    if (payload === 'end') end.resolve();
    else heard.push(payload);
  });
  await act();
  await sql.notify('fabric_syncd', 'end');
  await end.promise;
  await listening.unlisten();
  return heard.map((payload) => JSON.parse(payload) as object);
}

const statusOf = async (fabricId: string) => {
  const [row] = (await operator.status(fabricId)).fabrics;
  if (!row) throw new Error('the fabric is not there');
  return row;
};

describe('names', () => {
  test('a fabric is found by its number and by its name', async () => {
    const fabricId = await makeFabric(database.sql, 'lab 1');
    const found = { fabricId, name: 'lab 1' };
    expect(await operator.find('lab 1')).toEqual(found);
    expect(await operator.find(fabricId)).toEqual(found);
  });

  test('what is neither is not found, also where it is no number that fits', async () => {
    expect(await operator.find('nobody')).toBeNull();
    expect(await operator.find('99999999999999999999999999')).toBeNull();
    expect(await operator.find("'; drop table fabric; --")).toBeNull();
  });
});

describe('pause and resume', () => {
  test('who, why and until when are stored, and every daemon hears of it', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    const untilMs = 4_102_444_800_123;
    const notices = await noticesOf(() => operator.pause(fabricId, { by: 'ann@noc', reason: 'a "b"', untilMs }));
    expect(notices).toEqual([{ what: 'changed', fabric: fabricId, by: 'ann@noc' }]);
    expect(await statusOf(fabricId)).toMatchObject({
      paused: { untilMs },
      pause: { by: 'ann@noc', reason: 'a "b"', untilMs },
    });
  });

  test('resume ends it; where nothing is paused it changes nothing and tells nobody', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    await operator.pause(fabricId, { by: 'ann', reason: 'r', untilMs: null });
    expect(await operator.resume(fabricId, 'bob')).toBe(true);
    expect(await statusOf(fabricId)).toMatchObject({ paused: null, pause: null });
    expect(await noticesOf(() => operator.resume(fabricId, 'bob'))).toEqual([]);
  });
});

describe('requests', () => {
  test('a request is a row that every daemon hears of, and fabrics that are gone are left out', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    let made: Awaited<ReturnType<Operator['request']>> = [];
    const notices = await noticesOf(async () => {
      made = await operator.request([fabricId, '999999'], 'ann@noc', null);
    });
    expect(made).toEqual([{ fabricId, requestId: expect.any(String) }]);
    expect(notices).toEqual([{ what: 'request', fabric: fabricId, request: made[0]?.requestId }]);
  });

  test('it says whether a run is in hand, which run answered it, and why it was refused', async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab');
    const [first, second] = [
      ...(await operator.request([fabricId], 'ann', null)),
      ...(await operator.request([fabricId], 'ann', null)),
    ].map((one) => one.requestId);
    if (first === undefined || second === undefined) throw new Error('no request was made');
    expect(await operator.requests([first])).toMatchObject([{ settled: false, run: null, leased: false }]);
    const runId = await makeRunning(sql, fabricId);
    expect(await operator.requests([first])).toMatchObject([{ settled: false, run: null, leased: true }]);
    await sql`update fabric_request set run_id = ${runId}, settled_at = now() where id = ${first}`;
    await sql`update fabric_request set refusal = 'paused', settled_at = now() where id = ${second}`;
    expect(await operator.requests([first, second])).toMatchObject([
      { settled: true, run: { runId, outcome: null } },
      { settled: true, refusal: 'paused', run: null },
    ]);
  });
});

describe('approve', () => {
  const waits = async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab');
    const runId = await makeRun(sql, fabricId, 'awaiting_approval');
    const approval = { kind: 'deletions', run: runId, since: 5, deletions: { VPC: 2 }, of: 3, resources: ['1', '2'] };
    await sql`update fabric_cycle set approval = ${sql.json(approval)} where fabric_id = ${fabricId}`;
    return { fabricId, runId };
  };

  test('approves what was shown, and asks for a sync in the same act', async () => {
    const { fabricId, runId } = await waits();
    const answer = await operator.approve(fabricId, { runId, by: 'ann@noc', ask: true, traceparent: null });
    expect(answer).toEqual({ kind: 'approved', requestId: expect.any(String) });
    expect(await statusOf(fabricId)).toMatchObject({
      approvedBy: 'ann@noc',
      requestsOpen: 1,
      approval: { kind: 'deletions', runId, deletions: { VPC: 2 }, of: 3 },
    });
  });

  test('by the command it passes on who called it', async () => {
    const { fabricId } = await waits();
    const line = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const env = { DATABASE_URL: clone.url, TRACEPARENT: line };
    expect((await runFabricSyncd(['approve', 'lab', '--yes'], { env })).code).toBe(0);
    const rows = await database.sql`select traceparent from fabric_request where fabric_id = ${fabricId}`;
    expect([...rows]).toEqual([{ traceparent: line }]);
  });

  test('what waits since another run than the one that was shown is not approved', async () => {
    const { fabricId } = await waits();
    expect(await operator.approve(fabricId, { runId: '0', by: 'ann', ask: true, traceparent: null })).toEqual({
      kind: 'changed',
    });
    expect(await statusOf(fabricId)).toMatchObject({ approvedBy: null, requestsOpen: 0 });
  });
});

describe('unlock', () => {
  test('fences the run off, frees the lease and puts back what the row said before', async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab', {
      fabric: { sync_status: 'in_sync', last_sync: '2025-01-01T00:00Z' },
    });
    const runId = await makeRunning(sql, fabricId, 'host/9/f');
    const { epoch } = await statusOf(fabricId);
    const notices = await noticesOf(async () => {
      expect(await operator.unlock(fabricId, 'ann@noc')).toEqual({ holder: 'host/9/f', runId, epoch: epoch + 1 });
    });
    expect(notices).toEqual([{ what: 'unlock', fabric: fabricId, by: 'ann@noc' }]);
    expect(await statusOf(fabricId)).toMatchObject({
      state: 'scheduled',
      dueKind: 'sync',
      leaseHolder: null,
      epoch: epoch + 1,
      syncStatus: 'in_sync',
      lastSyncMs: Date.UTC(2025, 0, 1),
      lastRun: { runId, outcome: 'fenced', failure: { code: 'FENCE_STALE', message: 'ann@noc unlocked the fabric' } },
      runInHand: null,
    });
  });

  test('a fabric that never synced is never_synced again, with last_sync null', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    await makeRunning(database.sql, fabricId);
    await operator.unlock(fabricId, 'ann');
    expect(await statusOf(fabricId)).toMatchObject({ syncStatus: 'never_synced', lastSyncMs: null });
  });

  test.each([
    ['retry', 'backoff'],
    ['probe', 'errored'],
    [null, 'idle'],
  ] as const)('a run that served a due time of kind %s leaves the fabric %s', async (kind, state) => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab', {
      cycle: { due_kind: kind, ...(kind === null && { due_at: null }) },
    });
    await makeRunning(sql, fabricId);
    await operator.unlock(fabricId, 'ann');
    expect((await statusOf(fabricId)).state).toBe(state);
  });

  test('where nothing is locked only the epoch moves', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    const before = await statusOf(fabricId);
    expect(await operator.unlock(fabricId, 'ann')).toEqual({ holder: null, runId: null, epoch: before.epoch + 1 });
    expect(await statusOf(fabricId)).toEqual({ ...before, epoch: before.epoch + 1 });
    expect(await operator.unlock('999999', 'ann')).toBeNull();
  });
});

describe('history', () => {
  /** Three runs: a and b come; a changes, b goes, c comes; a changes, and b is back with another uid. */
  const history = async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab');
    const [one, two, three] = [
      await makeRun(sql, fabricId, 'complete'),
      await makeRun(sql, fabricId, 'partial'),
      await makeRun(sql, fabricId, 'complete'),
    ];
    const a = await makeResource(sql, fabricId, 'a', { spec: { x: 3 } }, { createdRun: one, changedRun: three });
    const b = await makeResource(
      sql,
      fabricId,
      'b',
      { spec: { y: 2 } },
      { createdRun: one, changedRun: three, uid: 'new' },
    );
    const c = await makeResource(sql, fabricId, 'c', { spec: {} }, { createdRun: two });
    await makeChange(sql, one, a, 'created');
    await makeChange(sql, one, b, 'created');
    await makeChange(sql, two, a, 'updated', { spec: { x: 1 } });
    await makeChange(sql, two, b, 'deleted', { spec: { y: 1 } }, 'old');
    await makeChange(sql, two, c, 'created');
    await makeChange(sql, three, a, 'updated', { spec: { x: 2 } });
    await makeChange(sql, three, b, 'restored');
    return { fabricId, one, two, three };
  };

  test('a run’s changes carry what was before and what came after, which the next change remembers', async () => {
    const { one, two, three } = await history();
    const told = async (runId: string) =>
      (await operator.changes(runId)).map(({ name, change, before, after }) => [
        name,
        change,
        before?.object ?? null,
        after?.object ?? null,
      ]);
    expect(await told(one)).toEqual([
      ['a', 'created', null, null],
      ['b', 'created', null, null],
    ]);
    expect(await told(two)).toEqual([
      ['a', 'updated', { spec: { x: 1 } }, { spec: { x: 2 } }],
      ['b', 'deleted', null, null],
      ['c', 'created', null, null],
    ]);
    expect(await told(three)).toEqual([
      ['a', 'updated', { spec: { x: 2 } }, { spec: { x: 3 } }],
      ['b', 'restored', null, { spec: { y: 2 } }],
    ]);
  });

  test('what a fabric looked like when each run had committed is rebuilt from the changes since', async () => {
    const { fabricId, one, two, three } = await history();
    const at = async (atRun: string | null) =>
      (await operator.resources({ fabricId, kind: null, atRun, bodies: true })).map(({ name, body, changedRun }) => [
        name,
        body?.object,
        body?.uid,
        changedRun,
      ]);
    expect(await at(one)).toEqual([
      ['a', { spec: { x: 1 } }, 'uid-a', one],
      ['b', { spec: { y: 1 } }, 'old', one],
    ]);
    expect(await at(two)).toEqual([
      ['a', { spec: { x: 2 } }, 'uid-a', two],
      ['c', { spec: {} }, 'uid-c', two],
    ]);
    const now = [
      ['a', { spec: { x: 3 } }, 'uid-a', three],
      ['b', { spec: { y: 2 } }, 'new', three],
      ['c', { spec: {} }, 'uid-c', two],
    ];
    expect(await at(three)).toEqual(now);
    expect(await at(null)).toEqual(now);
  });

  test('the creation time is told as Kubernetes wrote it, and not for an object that had another uid then', async () => {
    const { fabricId, one } = await history();
    const rows = await operator.resources({ fabricId, kind: null, atRun: one, bodies: false });
    expect(rows.map(({ name, creationTimestamp, body }) => [name, creationTimestamp, body])).toEqual([
      ['a', '2025-06-01T08:00:00Z', null],
      ['b', null, null],
    ]);
  });

  test('a kind is named by its kind or its plural, in any case', async () => {
    const { fabricId } = await history();
    for (const [kind, many] of [
      ['Switch', 3],
      ['SWITCHES', 3],
      ['switch', 3],
      ['VPC', 0],
    ] as const) {
      expect(await operator.resources({ fabricId, kind, atRun: null, bodies: false })).toHaveLength(many);
    }
  });

  test('a time means the last run that had committed by then; before the first nothing is known', async () => {
    const { sql } = database;
    const { fabricId, one, two, three } = await history();
    const hours = [3, 2, 1];
    for (const [at, runId] of [one, two, three].entries()) {
      await sql`update fabric_run set finished_at = now() - ${`${hours[at]} hours`}::interval where id = ${runId}`;
    }
    await makeRun(sql, fabricId, 'failed');
    const { nowMs } = await operator.status();
    const asOf = async (hoursAgo: number) => {
      const found = await operator.asOf(fabricId, nowMs - hoursAgo * 3_600_000);
      return found.kind === 'run' ? found.run.runId : found.oldestKeptMs !== null;
    };
    expect([await asOf(0), await asOf(1.5), await asOf(2.5), await asOf(3.5)]).toEqual([three, two, one, true]);
  });

  test('the newest runs come first, and no more than were asked for', async () => {
    const { fabricId, two, three } = await history();
    expect((await operator.runs(fabricId, 2)).map((run) => run.runId)).toEqual([three, two]);
    expect(await operator.run('999999999')).toBeNull();
  });
});

describe('what a daemon hears', () => {
  test('each act arrives as the notice that it means', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    const heard: Notice[] = [];
    const all = Promise.withResolvers<void>();
    const hangUp = await createStore(database, { daemon: 'host/1/a' }).listen((notice) => {
      heard.push(notice);
      if (notice.what === 'everything') all.resolve();
    });
    await operator.pause(fabricId, { by: 'ann', reason: 'r', untilMs: null });
    await operator.resume(fabricId, 'ann');
    await operator.announce(fabricId);
    await operator.request([fabricId], 'ann', null);
    await operator.cancel(fabricId, 'ann');
    await operator.unlock(fabricId, 'ann');
    await operator.announce(null);
    await all.promise;
    await hangUp();
    expect(heard).toEqual([
      { what: 'changed', fabricId, by: 'ann' },
      { what: 'changed', fabricId, by: 'ann' },
      { what: 'changed', fabricId },
      { what: 'request', fabricId },
      { what: 'cancel', fabricId, by: 'ann' },
      { what: 'unlock', fabricId, by: 'ann' },
      { what: 'everything' },
    ]);
  });
});

describe('without the server', () => {
  test('every act says that Postgres does not answer, and nothing of the statement', async () => {
    const away = openDatabase({ url: 'postgres://u:secret@127.0.0.1:1/x', connectTimeoutMs: 1_000 });
    try {
      await expect(postgresOperator(away).status()).rejects.toMatchObject({
        code: 'DATABASE_UNAVAILABLE',
        message: expect.not.stringContaining('secret'),
      });
    } finally {
      await away.close();
    }
  });
});
