import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { cloneDatabase, type TestDatabase } from '../../support/postgres.ts';
import { makeChange, makeFabric, makeResource, makeRun, makeRunning } from '../../support/rows.ts';
import { type ProgramOptions, runFabricSyncd } from '../../support/run-program.ts';

let clone: TestDatabase;
let database: Database;
let env: Record<string, string>;

beforeAll(async () => {
  clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  database = openDatabase({ url: clone.url });
  env = {
    DATABASE_URL: clone.url,
    REDIS_URL: 'none',
    FABRIC_SYNCD_ADMIN_SOCKET: `/tmp/${clone.name}.sock`,
  };
});
beforeEach(() => database.sql`delete from fabric`);
afterAll(async () => {
  await database.close();
  await clone.drop();
});

const run = (line: string, options: ProgramOptions = {}) =>
  runFabricSyncd(line.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [], { env, ...options });

const cycleOf = async (fabricId: string) => {
  const [row] = await database.sql`select * from fabric_cycle where fabric_id = ${fabricId}`;
  if (!row) throw new Error('the fabric is gone');
  return row;
};

describe('pause and resume', () => {
  test('store who, why and until when; status shows it', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    const paused = await run(`pause lab --reason 'switch upgrade' --until 2h`);
    expect(paused).toMatchObject({ code: 0, stderr: '' });
    expect(paused.stdout).toMatch(/^lab is paused until \d{4}-.*Z\.\n$/);
    expect(await cycleOf(fabricId)).toMatchObject({ paused_by: 'ann@noc', pause_reason: 'switch upgrade' });
    const status = (await run('status --json')).json<{ fabrics: object[] }>();
    expect(status.fabrics).toMatchObject([
      { name: 'lab', state: 'idle', reason: 'paused', pause: { by: 'ann@noc', reason: 'switch upgrade' } },
    ]);
    expect((await run('status')).stdout).toContain('paused by ann@noc until ');

    expect((await run('resume lab --json')).json()).toEqual({
      fabric: 'lab',
      id: fabricId,
      paused: false,
      resumed: true,
    });
    expect((await run('resume lab')).stdout).toBe('lab was not paused.\n');
  });

  test('the person behind sudo is the one who paused', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    await run('pause lab --reason x', { env: { ...env, USER: 'root', SUDO_USER: 'eve' } });
    expect((await cycleOf(fabricId)).paused_by).toBe('eve@noc');
  });

  test('a time that has passed, a time that is none and a missing reason are refused', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    expect(await run('pause lab --reason x --until 2020-01-01')).toMatchObject({ code: 2 });
    expect(await run('pause lab --reason x --until soon')).toMatchObject({ code: 2 });
    expect(await run('pause lab')).toMatchObject({ code: 2 });
    expect((await cycleOf(fabricId)).paused_at).toBeNull();
  });

  test('a run in hand is named, because it goes on', async () => {
    await makeRunning(database.sql, await makeFabric(database.sql, 'lab'));
    expect((await run('pause lab --reason x')).stderr).toContain('fabric-syncd cancel lab');
  });
});

describe('a fabric that is not there', () => {
  test.each([
    'pause nobody --reason x',
    'resume 99',
    'status nobody',
    'history 99',
    'resources nobody',
    'unlock nobody',
    'cancel 99',
    'approve nobody',
    'diff 99',
    'diff lab',
  ])('%s ends with 3 and one document', async (line) => {
    const { code, json, stderr } = await run(`${line} --json`);
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    expect(json<{ error: object }>().error).toMatchObject({ code: expect.stringMatching(/^NO_SUCH_(FABRIC|RUN)$/) });
  });
});

describe('history, diff and resources', () => {
  const history = async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab');
    const one = await makeRun(sql, fabricId, 'complete', { created: 2 });
    const two = await makeRun(sql, fabricId, 'complete', { created: 1, updated: 1 });
    const a = await makeResource(
      sql,
      fabricId,
      'leaf-1',
      { spec: { asn: 2, vlan: 'on' } },
      { createdRun: one, changedRun: two },
    );
    const b = await makeResource(sql, fabricId, 'leaf-2', { spec: {} }, { createdRun: two, kind: 'VPC' });
    await makeChange(sql, one, a, 'created');
    await makeChange(sql, two, a, 'updated', { spec: { asn: 1, vlan: 'on' } });
    await makeChange(sql, two, b, 'created');
    return { fabricId, one, two };
  };

  test('history tells each run, the newest first', async () => {
    const { fabricId, one, two } = await history();
    const failure = { code: 'TIMED_OUT', message: 'no answer', hint: 'wait' };
    const three = await makeRun(database.sql, fabricId, 'failed', { failure: database.sql.json(failure) });
    const { runs } = (await run('history lab --json')).json<{ runs: { id: string }[] }>();
    expect(runs.map(({ id }) => id)).toEqual([three, two, one]);
    expect(runs[0]).toMatchObject({ outcome: 'failed', error: 'no answer', error_code: 'TIMED_OUT' });
    expect((await run('history lab --limit 1', { columns: 80 })).stdout.split('\n')).toHaveLength(3);
  });

  test('diff tells each field of what changed, and names what came', async () => {
    const { two } = await history();
    expect((await run(`diff ${two}`)).stdout).toBe(
      `lab, run ${two}: 1 created, 1 updated, 0 deleted\n~ Switch leaf-1 updated\n    spec.asn: 1 → 2\n+ VPC leaf-2 created\n`,
    );
    expect((await run(`diff ${two} --json`)).json()).toMatchObject({
      fabric: 'lab',
      run: { id: two },
      changes: [
        { kind: 'Switch', name: 'leaf-1', change: 'updated', fields: [{ path: 'spec.asn', before: 1, after: 2 }] },
        { kind: 'VPC', name: 'leaf-2', change: 'created', fields: [] },
      ],
    });
  });

  test('resources are rebuilt as they are and as they were', async () => {
    const { one } = await history();
    const leaf = (asn: number, resourceVersion: string, generation: object) => ({
      apiVersion: 'wiring.githedgehog.com/v1beta1',
      kind: 'Switch',
      metadata: {
        creationTimestamp: '2025-06-01T08:00:00Z',
        ...generation,
        name: 'leaf-1',
        namespace: 'default',
        resourceVersion,
        uid: 'uid-leaf-1',
      },
      spec: { asn, vlan: 'on' },
    });
    const now = await run('resources lab --kind switches -o yaml');
    expect(parse(now.stdout)).toEqual({ apiVersion: 'v1', kind: 'List', items: [leaf(2, '100', { generation: 1 })] });
    expect(now.stdout).toContain('vlan: "on"');
    const then = await run(`resources lab --at ${one} -o json`);
    expect(JSON.parse(then.stdout)).toEqual({ apiVersion: 'v1', kind: 'List', items: [leaf(1, '99', {})] });
    const document = (await run(`resources lab --at ${one} --json`)).json<{ at: object; items: object[] }>();
    expect(document).toMatchObject({ at: { run: one }, items: [{ spec: { asn: 1 } }] });
  });

  test('what left with its kind is told as unsynced, is gone now, and was there before', async () => {
    const { sql } = database;
    const { fabricId, two } = await history();
    const kinds = sql.json({ Switch: { answer: 'unwanted', unsynced: 1 }, VPC: { answer: 'complete', listed: 1 } });
    const three = await makeRun(sql, fabricId, 'complete', { kinds });
    const [leaf] = await sql<{ id: string; object: object }[]>`
      update fabric_resource set deleted_run = ${three}, deleted_at = now() where name = 'leaf-1' returning id, object`;
    await makeChange(sql, three, leaf?.id ?? '', 'unsynced', leaf?.object ?? {});

    expect((await run(`diff ${three}`)).stdout).toBe(
      `lab, run ${three}: 0 created, 0 updated, 0 deleted, 1 no longer synced\n- Switch leaf-1 unsynced\n`,
    );
    expect((await run(`diff ${three} --json`)).json()).toMatchObject({
      run: { deleted: 0, unsynced: 1 },
      changes: [{ kind: 'Switch', name: 'leaf-1', change: 'unsynced', fields: [] }],
    });
    // The change before it still knows what came of it.
    expect((await run(`diff ${two}`)).stdout).toContain('~ Switch leaf-1 updated\n    spec.asn: 1 → 2\n');
    const at = async (when: string) =>
      (await run(`resources lab ${when} --json`)).json<{ items: { kind: string }[] }>().items.map(({ kind }) => kind);
    expect(await at('')).toEqual(['VPC']);
    expect(await at(`--at ${three}`)).toEqual(['VPC']);
    expect(await at(`--at ${two}`)).toEqual(['Switch', 'VPC']);
    expect((await run('history lab')).stdout).toMatch(new RegExp(`^ *${three} .* 0/0/0 1 unsynced`, 'm'));
    const { runs } = (await run('history lab --json')).json<{ runs: object[] }>();
    expect(runs).toMatchObject([{ id: three, unsynced: 1 }, { unsynced: 0 }, { unsynced: 0 }]);
  });

  test('a table tells how old and by which run; a time before the first run is not known', async () => {
    const { two } = await history();
    const { stdout } = await run('resources lab');
    expect(stdout.split('\n')[1]).toMatch(new RegExp(`^Switch  default    leaf-1 +\\d+d\\d+h +\\d+s +${two}$`));
    expect(await run('resources lab --at 2h')).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/is not known[\s\S]*Its history begins at \d{4}-/),
    });
    expect((await run('resources lab --kind nope')).stderr).toContain('Nothing of kind "nope"');
  });
});

describe('approve', () => {
  const waits = async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab');
    const runId = await makeRun(sql, fabricId, 'awaiting_approval');
    const resource = await makeResource(sql, fabricId, 'leaf-1', {}, { createdRun: runId });
    const approval = {
      kind: 'deletions',
      run: runId,
      since: 5,
      deletions: { Switch: 1 },
      of: 3,
      resources: [resource],
    };
    await sql`update fabric_cycle set approval = ${sql.json(approval)} where fabric_id = ${fabricId}`;
    return fabricId;
  };

  test('shows what would go, asks, and makes a request', async () => {
    const fabricId = await waits();
    const { code, stdout, stderr } = await run('approve lab', { typed: 'yes\n' });
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('Approve it? [y/N]') });
    expect(stdout).toContain('lab would delete 1 of 3 objects (1 Switch)');
    expect(stdout).toContain('  - Switch leaf-1\n');
    expect((await cycleOf(fabricId)).approved_by).toBe('ann@noc');
    expect(await database.sql`select asked_by from fabric_request`).toEqual([{ asked_by: 'ann@noc' }]);
  });

  test('what a cluster says of itself steers no terminal', async () => {
    const { sql } = database;
    const steering = '\u001b]0;gotcha\u0007\u009b31m';
    const approval = { kind: 'cluster', run: '1', since: 5, pinned: 'c-1', found: `c-2${steering}` };
    const cycle = { approval: sql.json(approval), approved_by: `ann${steering}`, approved_at: new Date() };
    await makeFabric(sql, 'lab', { cycle });
    const { stdout } = await run('approve lab', { typed: 'no\n' });
    expect(stdout).toContain('it was c-1, and it is c-2\ufffd]0;gotcha\ufffd\ufffd31m.');
    expect(stdout).toContain('It was approved by ann\ufffd');
    expect(stdout).not.toMatch(/[^\n\P{Cc}]/u);
  });

  test.each([['n\n'], ['\n'], ['yes please\n'], ['']])('the answer %j approves nothing', async (typed) => {
    const fabricId = await waits();
    expect(await run('approve lab', { typed })).toMatchObject({ code: 4 });
    expect((await cycleOf(fabricId)).approved_by).toBeNull();
  });

  test('without a terminal it takes --yes', async () => {
    const fabricId = await waits();
    expect(await run('approve lab')).toMatchObject({ code: 4, stderr: expect.stringContaining('--yes') });
    expect(await run('approve lab --yes --json')).toMatchObject({ code: 0 });
    expect((await cycleOf(fabricId)).approved_by).toBe('ann@noc');
  });

  test('of a paused fabric it is kept for the next sync, and no sync is asked for', async () => {
    await waits();
    await run('pause lab --reason x');
    expect((await run('approve lab --yes')).stderr).toContain('fabric-syncd resume lab');
    expect(await database.sql`select from fabric_request`).toHaveLength(0);
  });

  test('refuses where nothing waits', async () => {
    await makeFabric(database.sql, 'lab');
    expect((await run('approve lab --yes --json')).json()).toMatchObject({ error: { code: 'NOTHING_WAITS' } });
  });
});

describe('unlock and cancel', () => {
  test('unlock says who held it and which run was fenced off; a second one says that nothing was locked', async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab');
    const runId = await makeRunning(sql, fabricId, 'host/9/f');
    expect((await run('unlock lab')).stdout).toBe(`lab is unlocked; host/9/f held it; run ${runId} was fenced off.\n`);
    expect((await run('unlock lab')).stdout).toBe('lab was not locked.\n');
    expect((await run('unlock lab --json')).json()).toMatchObject({ holder: null, fenced_run: null, redis: 'none' });
  });

  test('cancel says when nothing is running', async () => {
    await makeFabric(database.sql, 'lab');
    expect(await run('cancel lab')).toMatchObject({ code: 0, stdout: 'lab has no run in hand.\n' });
  });

  test('cancel tells the daemon until the run has ended, and says how', async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab');
    const runId = await makeRunning(sql, fabricId);
    const heard: object[] = [];
    const listening = await sql.listen('fabric_syncd', async (payload) => {
      heard.push(JSON.parse(payload) as object);
      await sql`update fabric_run set outcome = 'cancelled', finished_at = now() where id = ${runId}`;
      await sql`
        update fabric_cycle set state = 'scheduled', lease_holder = null, lease_until = null, run_id = null
         where fabric_id = ${fabricId}`;
    });
    const { code, json } = await run('cancel lab --json');
    await listening.unlisten();
    expect(heard[0]).toEqual({ what: 'cancel', fabric: fabricId, by: 'ann@noc' });
    expect(code).toBe(0);
    expect(json()).toMatchObject({ cancelled: true, run: runId, outcome: 'cancelled' });
  });

  test('cancel gives up at its deadline and names the harder way', async () => {
    await makeRunning(database.sql, await makeFabric(database.sql, 'lab'), 'host/9/f');
    expect(await run('cancel lab --timeout 1s')).toMatchObject({
      code: 9,
      stderr: expect.stringMatching(
        /^Waiting for host\/9\/f to stop it\.\n[^\n]*still being synced by host\/9\/f\n[^\n]*fabric-syncd unlock lab/,
      ),
    });
  });
});
