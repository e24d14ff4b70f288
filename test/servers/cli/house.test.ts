import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import { generateKey } from '../../../src/kube/sealing.ts';
import { openDatabase } from '../../../src/postgres/connect.ts';
import { cloneDatabase, emptyDatabase, type TestDatabase } from '../../support/postgres.ts';
import { makeFabric, makeRun, makeRunning } from '../../support/rows.ts';
import { runFabricSyncd } from '../../support/run-program.ts';

interface Finding {
  readonly check: string;
  readonly level: string;
  readonly detail: string;
  readonly hint: string;
}

let folder: string;
let databases: TestDatabase[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-house-'));
});
afterEach(async () => {
  await Promise.all(databases.splice(0).map((each) => each.drop()));
  databases = [];
  await rm(folder, { recursive: true });
});

const kept = async (made: Promise<TestDatabase>) => {
  const database = await made;
  databases.push(database);
  return database;
};
const migrated = () => kept(cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') }));
const empty = () => kept(emptyDatabase(inject('databaseUrl')));
const envOf = (url: string, more: Record<string, string> = {}) => ({
  DATABASE_URL: url,
  REDIS_URL: 'none',
  FABRIC_SYNCD_ADMIN_SOCKET: join(folder, 'admin.sock'),
  ...more,
});
const on = async <T>(url: string, act: (sql: ReturnType<typeof openDatabase>['sql']) => Promise<T>): Promise<T> => {
  const database = openDatabase({ url, connectionsMax: 1 });
  try {
    return await act(database.sql);
  } finally {
    await database.close();
  }
};

describe('migrate', () => {
  test('says what it would do, does it, and has nothing to do then', async () => {
    const env = envOf((await empty()).url);
    const dry = await runFabricSyncd(['migrate', '--dry-run'], { env });
    expect(dry).toMatchObject({ code: 0 });
    expect(dry.stdout).toMatch(/^pending {2}0001_fabric\.sql$/m);
    const done = await runFabricSyncd(['migrate'], { env });
    expect(done.stdout).toMatch(/^applied {2}0001_fabric\.sql$/m);
    expect((await runFabricSyncd(['migrate', '--json'], { env })).json()).toMatchObject({ applied: [], pending: [] });
  });

  test('leaves a newer schema alone, with an exit code of its own', async () => {
    const { url } = await migrated();
    await on(
      url,
      (sql) => sql`insert into fabric_migration (number, name, hash)
                                select max(number) + 1, '9999_later.sql', 'x' from fabric_migration`,
    );
    for (const line of ['migrate', 'migrate --dry-run', 'fabric list', 'fabric add lab --kubeconfig k']) {
      const refused = await runFabricSyncd(line.split(' '), { env: envOf(url) });
      expect(refused).toMatchObject({ code: exitCodes.schema_newer.code, stdout: '' });
      expect(refused.stderr).toContain('install a newer fabric-syncd');
    }
  });
});

describe('an empty database', () => {
  test('is told from one with no fabrics, with what to do', async () => {
    const env = envOf((await empty()).url);
    const refused = await runFabricSyncd(['fabric', 'list', '--json'], { env });
    expect(refused.code).toBe(exitCodes.failed.code);
    expect(refused.json()).toMatchObject({ error: { code: 'SCHEMA_OUTDATED', hint: 'Run: fabric-syncd migrate' } });
  });

  test('is made ready by the first fabric that is added', async () => {
    const env = envOf((await empty()).url);
    await writeFile(join(folder, 'token'), 'abc');
    const words = ['fabric', 'add', 'lab', '--server', 'https://127.0.0.1:1', '--no-test'];
    const added = await runFabricSyncd([...words, '--token-ref', `file:${folder}/token`], { env });
    expect(added).toMatchObject({ code: 0 });
    expect((await runFabricSyncd(['fabric', 'list'], { env })).stdout).toContain('lab');
  });
});

test('a Postgres that does not answer has an exit code of its own, and nothing is said to happen by itself', async () => {
  const env = envOf('postgres://canary:canary@127.0.0.1:1/d');
  for (const line of ['fabric list', 'fabric show lab', 'migrate', 'fabric remove lab --yes']) {
    const { code, stderr, stdout } = await runFabricSyncd(line.split(' '), { env });
    expect(code).toBe(exitCodes.database_unavailable.code);
    expect(stderr).toContain('ECONNREFUSED');
    expect(stderr).toContain('hint: Check DATABASE_URL and the server, and try again.\n');
    expect(stdout + stderr).not.toContain('canary');
  }
});

describe('doctor', () => {
  const doctor = async (env: Record<string, string>) => {
    const ended = await runFabricSyncd(['doctor', '--json'], { env });
    const { findings, ...rest } = ended.json<{ findings: Finding[]; ok: boolean }>();
    const of = (check: string, level: string) =>
      findings.filter((finding) => finding.check === check && finding.level === level);
    return { code: ended.code, findings, of, ...rest };
  };

  test('finds nothing to mend where all is well but a daemon that is not there', async () => {
    const { url } = await migrated();
    await writeFile(join(folder, 'key'), generateKey(), { mode: 0o600 });
    const { code, ok, findings } = await doctor(envOf(url, { FABRIC_SYNCD_KEY_FILE: join(folder, 'key') }));
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    const sound = findings.filter(({ detail }) => !detail.includes('may lose commits'));
    // Tests are a superuser of their server.
    const watched = sound.filter(({ level }) => level !== 'ok').map(({ check, detail }) => `${check}: ${detail}`);
    expect(watched).toEqual([expect.stringMatching(/^rights: .* superuser/), expect.stringMatching(/^daemon: /)]);
    const checks = new Set(findings.map(({ check }) => check));
    expect(checks).toEqual(
      new Set(['node', 'config', 'key', 'postgres', 'schema', 'rights', 'rows', 'redis', 'daemon']),
    );
  });

  test('says it in lines for people, with what to do below', async () => {
    const { url } = await migrated();
    const { stdout, code } = await runFabricSyncd(['doctor'], { env: envOf(url) });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {4}postgres +127\.0\.0\.1|^ok {4}postgres +\S+ is PostgreSQL \d+/m);
    expect(stdout).toMatch(/^warn {2}daemon .*\n {20}Start it: systemctl start fabric-syncd/m);
  });

  test('tells every problem of the configuration, and stops there', async () => {
    const { code, of } = await doctor({ FABRIC_SYNCD_CONCURRENCY: 'many', FABRIC_SYNCD_LEASE_TTL: 'soon' });
    expect(code).toBe(exitCodes.failed.code);
    expect(of('config', 'fail')).toHaveLength(2);
  });

  test('goes on where Postgres does not answer', async () => {
    const { code, of, findings } = await doctor(envOf('postgres://u@127.0.0.1:1/d'));
    expect(code).toBe(exitCodes.failed.code);
    expect(of('postgres', 'fail')).toHaveLength(1);
    expect(findings.at(-1)?.check).toBe('daemon');
  });

  test('warns of a schema that is not there yet', async () => {
    const { of } = await doctor(envOf((await empty()).url));
    expect(of('schema', 'warn')).toMatchObject([{ detail: 'there is none yet' }]);
  });

  test('fails for a user who may not write', async () => {
    const { url, name } = await migrated();
    const user = `reader_${name.slice(-8)}`;
    await on(url, (sql) =>
      sql.unsafe(`create role ${user} login; grant select on all tables in schema public to ${user}`),
    );
    try {
      const asReader = url.replace(/\/\/([^@/]*@)?/, `//${user}@`);
      const { code, of } = await doctor(envOf(asReader));
      expect(code).toBe(exitCodes.failed.code);
      expect(of('rights', 'fail')[0]?.hint).toMatch(new RegExp(`^grant .* on fabric, .* to ${user};$`));
    } finally {
      await on(url, (sql) => sql.unsafe(`drop owned by ${user}; drop role ${user}`));
    }
  });

  test.skipIf(process.getuid?.() === undefined)('warns of a key that others may read', async () => {
    const path = join(folder, 'key');
    await writeFile(path, generateKey());
    await chmod(path, 0o644);
    const { of } = await doctor(envOf((await migrated()).url, { FABRIC_SYNCD_KEY_FILE: path }));
    expect(of('key', 'warn')[0]?.hint).toBe(`Make it yours alone: chmod 600 ${path}`);
  });

  test('fails for a key that is none', async () => {
    const path = join(folder, 'key');
    await writeFile(path, 'canary', { mode: 0o600 });
    const { of, findings } = await doctor(envOf((await migrated()).url, { FABRIC_SYNCD_KEY_FILE: path }));
    expect(of('key', 'fail')).toHaveLength(1);
    expect(JSON.stringify(findings)).not.toContain('canary');
  });

  test('says of each fabric what of its rows does not fit together', async () => {
    const { url } = await migrated();
    await on(url, async (sql) => {
      await makeFabric(sql, 'due', { cycle: { due_at: null, due_kind: null } });
      await makeFabric(sql, 'off', { fabric: { sync_enabled: false } });
      const stuck = await makeFabric(sql, 'stuck');
      await makeRunning(sql, stuck);
      await sql`update fabric_cycle set lease_until = now() - interval '2 minutes' where fabric_id = ${stuck}`;
      const back = await makeFabric(sql, 'back');
      await makeRun(sql, back, 'failed');
      await sql`update fabric_cycle set epoch = 0 where fabric_id = ${back}`;
      const moved = await makeFabric(sql, 'moved', { fabric: { last_sync: new Date(0) } });
      await makeRun(sql, moved, 'complete');
      await makeRunning(sql, await makeFabric(sql, 'works'));
    });
    const { of } = await doctor(envOf(url));
    const told = [...of('rows', 'warn'), ...of('rows', 'fail')].map(({ detail }) => detail);
    expect(told).toEqual([
      'due: it may sync, and has no due time',
      expect.stringMatching(/^off: it may not sync, and is due at /),
      expect.stringMatching(/^stuck: sync_status syncing, state syncing, lease until /),
      'back: epoch 0, a run has 1',
      expect.stringMatching(/^moved: last_sync 1970-.*, committed /),
    ]);
    expect(of('rows', 'fail')[0]?.hint).toContain('fabric-syncd history back');
  });

  test('says of each fabric whether what is stored of it can be used here', async () => {
    const { url } = await migrated();
    await writeFile(join(folder, 'token'), 'abc');
    await on(url, async (sql) => {
      await makeFabric(sql, 'good', { fabric: { credential_ref: `file:${folder}/token` } });
      await makeFabric(sql, 'gone', { fabric: { credential_ref: `file:${folder}/nothing` } });
      await makeFabric(sql, 'bare', { fabric: { kubernetes_server: '', credential_ref: '' } });
      await makeFabric(sql, 'unit', { fabric: { credential_ref: 'credential:unit.token' } });
      await makeFabric(sql, 'off', { fabric: { sync_enabled: false, credential_ref: 'file:/nothing' } });
    });
    const { code, of } = await doctor(envOf(url));
    expect(code).toBe(exitCodes.failed.code);
    expect(of('fabric good', 'ok')).toHaveLength(1);
    expect(of('fabric gone', 'fail')[0]?.hint).toContain('fabric-syncd fabric set gone');
    expect(of('fabric bare', 'warn')[0]?.detail).toContain('no server');
    expect(of('fabric unit', 'ok')).toHaveLength(1);
    expect(of('fabric off', 'ok')).toHaveLength(1);
  });

  test.skipIf(!inject('redisUrl'))('looks at the Redis of the timers and at every lock node', async () => {
    const { url } = await migrated();
    const redis = inject('redisUrl') ?? '';
    const nodes = `${redis},redis://:canary@127.0.0.1:1`;
    const { of, findings, code } = await doctor(envOf(url, { REDIS_URL: redis, FABRIC_SYNCD_LOCK_REDIS_URLS: nodes }));
    expect(of('redis', 'ok').map(({ detail }) => detail)).toContainEqual(expect.stringMatching(/^(redis|valkey) \d/));
    expect(of('lock node 1', 'fail')).toHaveLength(1);
    expect(of('redis', 'warn')).toContainEqual(expect.objectContaining({ detail: expect.stringMatching(/^2 lock/) }));
    expect(JSON.stringify(findings)).not.toContain('canary');
    expect(code).toBe(exitCodes.failed.code);
  });
});
