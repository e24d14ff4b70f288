import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { AdminServer } from '../../../src/admin/server.ts';
import { Tidings } from '../../../src/admin/tidings.ts';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { cloneDatabase, emptyDatabase, type TestDatabase } from '../../support/postgres.ts';
import { makeFabric, makeRun, makeRunning } from '../../support/rows.ts';
import { type ProgramOptions, runFabricSyncd } from '../../support/run-program.ts';
import { untold } from '../../support/untold.ts';

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

describe('status', () => {
  test('one fabric in detail: its runs, counts and what could not be stored', async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab', {
      fabric: {
        cached_crd_count: 3,
        counts: sql.json({ Switch: 2, VPC: 1 }),
        sync_status: 'in_sync',
        last_sync: new Date(),
      },
    });
    const runId = await makeRun(sql, fabricId, 'complete', { created: 3 });
    await sql`insert into fabric_quarantine values (${fabricId}, 'g', 'Switch', 'default', 'bad', 'too deep', ${runId})`;
    const { stdout, code } = await run('status lab', { columns: 80 });
    expect(code).toBe(0);
    expect(stdout).toContain('3 (Switch 2, VPC 1)');
    expect(stdout).toContain('1 object could not be stored:');
    expect(stdout).toContain('Switch bad: too deep');
    const document = (await run('status lab --json')).json();
    expect(document).toMatchObject({
      fabrics: [{ name: 'lab', sync_status: 'in_sync', objects: 3, last_run: { id: runId } }],
      counts: { Switch: 2, VPC: 1 },
      runs: [{ id: runId }],
      quarantine: [{ name: 'bad', reason: 'too deep' }],
      redis: { state: 'none' },
      daemon: { answers: false },
    });
  });

  test('with Postgres down it says so in the document as well, and ends with 6', async () => {
    const down = { ...env, DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x' };
    const { code, json, stdout } = await run('status --json', { env: down });
    expect(code).toBe(6);
    expect(json()).toMatchObject({ postgres: { answers: false }, fabrics: [] });
    expect(stdout).not.toContain('hunter2');
    expect((await run('status', { env: down })).stdout).toContain('Postgres does not answer');
    expect((await run('history lab', { env: down })).code).toBe(6);
  });

  test('with Postgres down it shows what the daemon on this host remembers', async () => {
    const admin = new AdminServer({
      ...untold(),
      socketPath: env.FABRIC_SYNCD_ADMIN_SOCKET ?? '',
      tidings: new Tidings(),
      health: () => ({
        ok: false,
        why: 'Postgres does not answer',
        daemon: 'noc/1/a',
        version: '0.1.0',
        pid: 1,
        uptime_ms: 61_000,
      }),
      fleet: () => ({ fabrics: [{ id: '7', name: 'lab', state: 'scheduled', attempts: 0 }] }),
    });
    await admin.start();
    try {
      const down = { env: { ...env, DATABASE_URL: 'postgres://u@127.0.0.1:1/x' } };
      const all = await run('status', down);
      expect(all.code).toBe(6);
      expect(all.stdout).toContain('the daemon is degraded, up 1m01s');
      expect(all.stdout).toContain('What follows is what the daemon remembers.');
      expect(all.stdout).toMatch(/^lab +scheduled/m);
      expect((await run('status 7 --json', down)).json()).toMatchObject({
        fabrics: [{ name: 'lab', state: 'scheduled', sync_status: null }],
      });
      expect((await run('status other', down)).code).toBe(6);
    } finally {
      await admin.stop();
    }
  });

  test('on a database without the schema it says what to run', async () => {
    const empty = await emptyDatabase(inject('databaseUrl'));
    try {
      const { code, stderr } = await run('status', { env: { ...env, DATABASE_URL: empty.url } });
      expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('fabric-syncd migrate') });
    } finally {
      await empty.drop();
    }
  });

  test('--watch into a pipe tells a line a change until it is stopped', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    let changed: Promise<unknown> | null = null;
    const { code, stdout } = await run('status --watch', {
      until: (text) => {
        if (text.includes('lab: scheduled')) {
          changed ??= run('pause lab --reason x');
        }
        return text.includes('scheduled → idle, paused');
      },
    });
    await changed;
    expect(code).toBe(130);
    expect(stdout.split('\n').filter((line) => line.includes('lab:'))).toHaveLength(2);
    expect((await cycleOf(fabricId)).paused_by).toBe('ann@noc');
  });

  test('--watch on a terminal draws on a screen of its own and gives the old one back', async () => {
    await makeFabric(database.sql, 'lab');
    const { stdout } = await run('status --watch', { columns: 80, until: (text) => text.includes('lab ') });
    expect(stdout.startsWith('\u001b[?1049h')).toBe(true);
    expect(stdout.endsWith('\u001b[?1049l')).toBe(true);
  });

  test('--watch and --json exclude each other', async () => {
    expect(await run('status --watch --json')).toMatchObject({ code: 2 });
  });
});

describe('bootstrap', () => {
  test('plans what has no due time, says why others are skipped, and changes nothing the second time', async () => {
    const { sql } = database;
    const fresh = { state: 'idle', due_at: null, due_kind: null, tick_at: null, tick_interval: null };
    const lab = await makeFabric(sql, 'lab', { cycle: fresh });
    await makeFabric(sql, 'off', { fabric: { sync_enabled: false }, cycle: fresh });
    const overdue = await makeFabric(sql, 'overdue', {
      fabric: { last_sync: '2025-01-01T00:00Z', sync_status: 'in_sync' },
      cycle: fresh,
    });
    const first = await run('bootstrap --json');
    expect(first.code).toBe(0);
    expect(first.json()).toMatchObject({
      scheduled: 2,
      skipped: 1,
      changed: 2,
      redis: 'none',
      fabrics: [
        { fabric: 'lab', done: 'planned', why: 'never_synced' },
        { fabric: 'off', done: 'skipped', why: 'sync_disabled' },
        { fabric: 'overdue', done: 'planned', why: 'overdue' },
      ],
    });
    const rows = () =>
      sql`select fabric_id, state, due_at, due_kind, tick_at, tick_interval from fabric_cycle order by 1`;
    const planned = await rows();
    expect(planned.map((row) => row.state)).toEqual(['scheduled', 'idle', 'scheduled']);
    const second = await run('bootstrap --json');
    expect(second.json()).toMatchObject({ changed: 0 });
    expect(await rows()).toEqual(planned);
    expect([lab, overdue].every((id) => planned.some((row) => String(row.fabric_id) === id && row.due_at))).toBe(true);
    expect((await run('bootstrap')).stderr).toContain('fabric-syncd fabric set off');
  });

  test('a run whose daemon died is interrupted, and a pause whose time has come ends', async () => {
    const { sql } = database;
    const dead = await makeFabric(sql, 'dead');
    await makeRunning(sql, dead);
    await sql`update fabric_cycle set lease_until = now() - interval '1 second' where fabric_id = ${dead}`;
    const paused = await makeFabric(sql, 'paused');
    await sql`
      update fabric_cycle set paused_at = now(), paused_by = 'x', pause_reason = 'y', paused_until = now()
       where fabric_id = ${paused}`;
    expect((await run('bootstrap --json')).json()).toMatchObject({ skipped: 0 });
    expect(await cycleOf(dead)).toMatchObject({ state: 'backoff', lease_until: null });
    expect((await cycleOf(paused)).paused_at).toBeNull();
  });
});
