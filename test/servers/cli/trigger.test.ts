import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { AdminServer } from '../../../src/admin/server.ts';
import { Tidings } from '../../../src/admin/tidings.ts';
import { makeTriggerVerb, type RunOnce } from '../../../src/cli/trigger.ts';
import { systemClock } from '../../../src/clock.ts';
import type { Store } from '../../../src/ports/store.ts';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { createStore } from '../../../src/postgres/store.ts';
import { cloneDatabase, type TestDatabase } from '../../support/postgres.ts';
import { makeFabric, makeRunning } from '../../support/rows.ts';
import { runFabricSyncd } from '../../support/run-program.ts';
import { untold } from '../../support/untold.ts';

let clone: TestDatabase;
let database: Database;
let store: Store;
let socket: string;
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  database = openDatabase({ url: clone.url });
  store = createStore(database, { daemon: 'host/1/a' });
  socket = `/tmp/${clone.name}.sock`;
});
beforeEach(() => database.sql`delete from fabric`);
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act();
});
afterAll(async () => {
  await database.close();
  await clone.drop();
});

const nobody: RunOnce = async () => {
  throw new Error('it must not be run here');
};

const trigger = (argv: readonly string[], runOnce: RunOnce = nobody, ignoredAfterMs = 300) =>
  runFabricSyncd(['trigger', ...argv], {
    env: { DATABASE_URL: clone.url, REDIS_URL: 'none', FABRIC_SYNCD_ADMIN_SOCKET: socket },
    verbs: [makeTriggerVerb(runOnce, ignoredAfterMs)],
  });

/** One manual run by the store's own acts, as a daemon makes it. */
async function syncNow(fabricId: string, outcome: 'complete' | 'failed' = 'complete'): Promise<void> {
  const answer = await store.claim({
    fabricId,
    daemon: 'host/1/a',
    leaseTtlMs: 30_000,
    trigger: 'manual',
    servedDueMs: null,
    traceparent: null,
  });
  if (answer.kind !== 'claimed') throw new Error(`the claim was ${answer.kind}`);
  const { claim } = answer;
  if (outcome === 'failed') {
    await store.settle({
      fabricId,
      claim,
      rest: 'backoff',
      outcome,
      attempts: 1,
      failure: { code: 'UNAUTHORIZED', message: 'the token was refused', hint: 'fabric-syncd fabric set NAME --x' },
      connection: 'error',
      due: { kind: 'retry', dueAtMs: systemClock.nowMs() + 60_000 },
      approval: null,
      figures: null,
    });
    return;
  }
  const report = {
    answer: 'complete',
    listed: 36,
    created: 0,
    updated: 0,
    deleted: 0,
    touched: 0,
    quarantined: 0,
  } as const;
  const unwanted = { ...report, answer: 'unwanted', listed: 0, unsynced: 2 } as const;
  await store.commit(
    {
      fabricId,
      claim,
      outcome,
      figures: { kinds: { Switch: report, Gateway: unwanted }, requests: 1, bytesRead: 100 },
      staged: [],
      stagedCount: 0,
      touched: [],
      deletions: [],
      unsynced: [],
      kindsWanted: [],
      kindsComplete: [],
      quarantined: [],
      clusterUid: null,
      approval: null,
      next: null,
      remark: '',
    },
    new AbortController().signal,
  );
}

/** A daemon as far as `trigger` can tell: a socket that answers, and somebody who serves requests. */
async function daemon(serve: (fabricId: string, tidings: Tidings) => Promise<void>): Promise<void> {
  const tidings = new Tidings();
  const admin = new AdminServer({
    ...untold(),
    socketPath: socket,
    tidings,
    health: () => ({ ok: true, why: '', daemon: 'host/1/a', version: '0', pid: 1, uptime_ms: 1 }),
    fleet: () => ({ fabrics: [] }),
  });
  await admin.start();
  undo.push(() => admin.stop());
  undo.push(
    await store.listen((notice) => {
      if (notice.what === 'request') void serve(notice.fabricId, tidings);
    }),
  );
}

interface Requests {
  readonly requests: { fabric: string; answer: string; outcome: string | null; run: object | null; refusal: string }[];
}

describe('with a daemon', () => {
  test('the request is made, the run awaited, and its figures told', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    await daemon((id) => syncNow(id));
    const { code, stdout, stderr } = await trigger(['lab']);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(
      /^lab: complete: 0 created, 0 updated, 0 deleted, 2 no longer synced, 36 unchanged in \d+ms\n$/,
    );
    expect(await database.sql`select asked_by, refusal from fabric_request where fabric_id = ${fabricId}`).toEqual([
      { asked_by: 'ann@noc', refusal: null },
    ]);
  });

  test('progress is shown kind by kind on the way, beside the answer', async () => {
    await makeFabric(database.sql, 'lab');
    const asked = Promise.withResolvers<void>();
    await daemon(async (fabricId, tidings) => {
      tidings.tell(() => ({
        type: 'progress',
        fabric: 'lab',
        fabric_id: fabricId,
        run: '1',
        kind: 'Switch',
        listed: 36,
        done: true,
      }));
      tidings.tell(() => ({
        type: 'progress',
        fabric: 'other',
        fabric_id: '0',
        run: '1',
        kind: 'VPC',
        listed: 1,
        done: true,
      }));
      await syncNow(fabricId);
      asked.resolve();
    });
    const { stdout, stderr } = await trigger(['lab']);
    await asked.promise;
    expect(stderr).toBe('lab: 36 Switch\n');
    expect(stdout).toContain('lab: complete');
  });

  test('a failed run ends with 1, its cause and what to do; beside one that is complete with 5', async () => {
    const lab = await makeFabric(database.sql, 'lab');
    await makeFabric(database.sql, 'well');
    await daemon((id) => syncNow(id, id === lab ? 'failed' : 'complete'));
    const alone = await trigger(['lab', '--json']);
    expect(alone.code).toBe(1);
    expect(alone.json<Requests>().requests).toMatchObject([
      {
        fabric: 'lab',
        answer: 'ran',
        outcome: 'failed',
        run: { error: 'the token was refused', error_code: 'UNAUTHORIZED' },
      },
    ]);
    const both = await trigger(['--all']);
    expect(both.code).toBe(5);
    expect(both.stdout).toContain('  fabric-syncd fabric set lab --x\n');
  });

  test('what the daemon refuses is told with its words', async () => {
    await makeFabric(database.sql, 'lab');
    await daemon(async (id) => void (await store.refuseRequests(id, 'the daemon is stopping')));
    expect(await trigger(['lab'])).toMatchObject({ code: 4, stdout: 'lab: refused: the daemon is stopping\n' });
  });

  test('--no-wait says only that it was asked for', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    const [first] = (await trigger(['lab', '--no-wait', '--json'])).json<Requests>().requests;
    expect(first).toMatchObject({ fabric: 'lab', id: fabricId, request: expect.any(String) });
  });

  test('a run that does not end in time is told as such, and may still end', async () => {
    await makeFabric(database.sql, 'lab');
    await daemon(async () => {});
    const { code, stdout } = await trigger(['lab', '--timeout', '1s']);
    expect({ code, stdout }).toMatchObject({
      code: 9,
      stdout: expect.stringContaining('not taken up when the time was over'),
    });
  });

  test('a request made while a run is in hand is answered by that run', async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab');
    const runId = await makeRunning(sql, fabricId);
    await daemon(async () => {
      await sql`update fabric_run set outcome = 'complete', finished_at = now() where id = ${runId}`;
      await sql`update fabric_request set run_id = ${runId}, settled_at = now() where fabric_id = ${fabricId}`;
    });
    expect((await trigger(['lab', '--json'])).json<Requests>().requests).toMatchObject([{ run: { id: runId } }]);
  });
});

describe('without a daemon', () => {
  const waits = 'No daemon answers here; one elsewhere has a moment to take it up.';

  test('it is run here, under the request that was made', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    const ran: string[] = [];
    const { code, stdout, stderr } = await trigger(['lab'], async (_world, fabricIds, tell) => {
      ran.push(...fabricIds);
      tell({ type: 'progress', fabric: 'lab', fabric_id: fabricId, run: '1', kind: 'VPC', listed: 2, done: true });
      await syncNow(fabricId);
    });
    expect({ code, ran }).toEqual({ code: 0, ran: [fabricId] });
    expect(stderr.split('\n')).toEqual([waits, 'None takes it up; it is run here.', 'lab: 2 VPC', '']);
    expect(stdout).toContain('lab: complete');
  });

  test('a daemon on another host that takes it up in time is left to it', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    const hangUp = await store.listen((notice) => {
      if (notice.what === 'request') void syncNow(fabricId);
    });
    undo.push(hangUp);
    expect(await trigger(['lab'], nobody, 30_000)).toMatchObject({ code: 0, stderr: `${waits}\n` });
  });

  test('what goes wrong here is told, and does not wait for the deadline', async () => {
    await makeFabric(database.sql, 'lab');
    const broken: RunOnce = async () => {
      throw new Error('no key file');
    };
    expect(await trigger(['lab', '--json'], broken)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('no key file'),
    });
  });

  test('a socket that hangs is no daemon', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    const hanging = createServer(() => {});
    const listening = Promise.withResolvers<void>();
    hanging.listen(socket, listening.resolve);
    await listening.promise;
    undo.push(async () => {
      hanging.closeAllConnections();
      await new Promise((resolve) => hanging.close(resolve));
    });
    const { code } = await trigger(['lab'], async () => syncNow(fabricId));
    expect(code).toBe(0);
  });
});

describe('refusals come at once, with what to do', () => {
  test.each([
    [{ sync_enabled: false }, 'SYNC_DISABLED', 'fabric-syncd fabric set lab'],
    [{ kubernetes_server: '', credential_ref: '' }, 'NOT_CONFIGURED', 'fabric-syncd fabric set lab --server'],
  ])('%o', async (fabric, code, hint) => {
    await makeFabric(database.sql, 'lab', { fabric });
    const refused = await trigger(['lab', '--json']);
    expect(refused.code).toBe(4);
    expect(refused.json()).toMatchObject({ error: { code, hint: expect.stringContaining(hint) } });
    expect(await database.sql`select from fabric_request`).toHaveLength(0);
  });

  test('one of several that is paused keeps all of them from being asked for', async () => {
    await makeFabric(database.sql, 'well');
    await makeFabric(database.sql, 'lab', { cycle: { paused_at: new Date(), paused_by: 'x', pause_reason: 'y' } });
    expect(await trigger(['well', 'lab', '--json'])).toMatchObject({ code: 4 });
    expect(await database.sql`select from fabric_request`).toHaveLength(0);
  });

  test('--all leaves out what cannot be synced, and says so; a scheduler that is off keeps nobody from it', async () => {
    const byHand = await makeFabric(database.sql, 'by hand', { fabric: { scheduler_enabled: false } });
    await makeFabric(database.sql, 'off', { fabric: { sync_enabled: false } });
    const { code, stderr } = await trigger(['--all', '--no-wait']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'off: left out, sync disabled\n' });
    expect(await database.sql`select fabric_id::text from fabric_request`).toEqual([{ fabric_id: byHand }]);
  });

  test('names and --all exclude each other, and one of them must be given', async () => {
    expect(await trigger([])).toMatchObject({ code: 2 });
    expect(await trigger(['lab', '--all'])).toMatchObject({ code: 2 });
  });
});
