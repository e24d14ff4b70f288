// The least that `doctor --grants` prints, in earnest: a role of Postgres that owns nothing and users of Redis that may do
// what they are told and no more, and under them all that a daemon and its verbs ever do.

import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase } from '../../src/postgres/connect.ts';
import { runtimeRole } from '../../src/postgres/grants.ts';
import { aclLine } from '../../src/redis/acl.ts';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';
import { meddler, ownRedis, redisFound } from '../support/redis.ts';
import { type ProgramRun, runFabricSyncd } from '../support/run-program.ts';

const openBed = bedsOfThisFile();
const password = randomBytes(12).toString('hex');
const withinMs = 300_000;

/** A Redis whose users are made by these lines; the first is us. */
async function redisWithUser(line: string) {
  const server = await ownRedis();
  onTestFinished(() => server.remove());
  const admin = await meddler(server.url);
  onTestFinished(() => admin.disconnect());
  const [command = '', ...rest] = line.replace('PASSWORD', password).split(' ');
  expect(await admin.call(command, ...rest)).toBe('OK');
  const url = server.url.replace('redis://', `redis://fabric-syncd:${password}@`);
  return { url, admin, refused: async () => (await admin.call('ACL', 'LOG')) as unknown[] };
}

type Refusals = Awaited<ReturnType<typeof redisWithUser>>;

/** The same address, as another role. */
const asRole = (url: string, role: string) => url.replace(/^([a-z]+:\/\/)(?:[^@/]*@)?/, `$1${role}:${password}@`);

test.skipIf(redisFound === null)(
  'what doctor --grants prints is enough for everything, and leaves nothing over',
  { timeout: withinMs },
  async () => {
    const bed = await openBed({ redis: 'none' });
    const prefix = 'least';
    const nodes: readonly Refusals[] = await Promise.all([
      redisWithUser(aclLine('fabric-syncd', prefix, 'timers')),
      redisWithUser(aclLine('fabric-syncd', prefix, 'lock')),
      redisWithUser(aclLine('fabric-syncd', prefix, 'lock')),
    ]);
    const [timers, ...others] = nodes;
    const role = `least_${randomBytes(6).toString('hex')}`;
    const [{ database }] = await bed.sql<[{ database: string }]>`select current_database()::text as database`;
    for (const statement of runtimeRole(role, database, 'public')) {
      await bed.sql.unsafe(statement.replace('PASSWORD', password));
    }
    // The test's own witnesses write down what happens to the rows, as whoever makes it happen.
    await bed.sql.unsafe(`grant insert on witness_cycle, witness_fabric to ${role}`);
    bed.onClose(async () => {
      await bed.sql.unsafe(`drop owned by ${role}`);
      await bed.sql.unsafe(`drop role ${role}`);
    });
    const keyFile = join(bed.folder, 'key');
    await writeFile(keyFile, (await bed.cli('key', 'generate')).stdout, { mode: 0o600 });
    const env = {
      ...bed.env(),
      DATABASE_URL: asRole(bed.databaseUrl, role),
      REDIS_URL: timers?.url ?? '',
      FABRIC_SYNCD_LOCK_REDIS_URLS: nodes.map(({ url }) => url).join(','),
      FABRIC_SYNCD_REDIS_PREFIX: prefix,
      FABRIC_SYNCD_KEY_FILE: keyFile,
      // Everything is too old as soon as it is there.
      FABRIC_SYNCD_HISTORY_KEEP: '1s',
    };
    const cli = async (...argv: readonly string[]): Promise<ProgramRun> => {
      const run = await runFabricSyncd(argv, { env });
      expect([0, 4], `${argv.join(' ')}: ${run.stdout}${run.stderr}`).toContain(run.code);
      return run;
    };

    const lab = await bed.fabric('lab');
    const daemon = await bed.daemon(env, 1).ready();
    await lab.synced();
    const way = [
      ...['--server', lab.cluster.url, '--token-file', lab.tokenFile],
      ...['--ca-file', join(bed.folder, 'ca.pem'), '--interval', '1h'],
    ];
    await writeFile(join(bed.folder, 'ca.pem'), lab.cluster.caPem);
    await cli('fabric', 'add', 'sealed', ...way);
    expect((await cli('trigger', 'sealed', '--json')).stdout).toContain('complete');

    // A list that is suddenly empty waits for a person, and goes through at the person's word.
    await lab.cluster.faults.set({ does: 'empty' });
    await vi.waitFor(async () => expect((await lab.runs()).at(-1)?.outcome).toBe('awaiting_approval'), eventually);
    await cli('approve', 'lab', '--yes');
    await vi.waitFor(async () => {
      const [{ live }] = await bed.sql<[{ live: number }]>`
        select count(*)::int as live from fabric_resource where fabric_id = ${lab.id} and deleted_at is null`;
      expect(live).toBe(0);
    }, eventually);
    await lab.cluster.faults.clear();

    // A run is taken from its holder.
    await lab.cluster.faults.set({ does: 'hang', times: 1 });
    await vi.waitFor(async () => {
      await lab.working();
      // It hangs this run and not the next one.
      expect(lab.cluster.faults.list(), 'it has struck').toEqual([]);
    }, eventually);
    await cli('unlock', 'lab');
    await lab.cluster.faults.clear();
    const { id } = (await lab.runs()).at(-1) ?? { id: '0' };
    await lab.synced(id);

    // Timers that are lost are armed again by the sweep, and one that is broken is dropped.
    await timers?.admin.flushall();
    await lab.synced((await lab.runs()).at(-1)?.id);
    await vi.waitFor(async () => {
      // Again and again: a run that ends just now arms its next timer over it before anybody has read it.
      await timers?.admin.hset(`{${prefix}}:timer`, lab.id, 'broken');
      expect(daemon.log.map(({ msg }) => msg)).toContainEqual(
        expect.stringContaining('a timer in Redis could not be read'),
      );
    }, eventually);
    await lab.synced((await lab.runs()).at(-1)?.id);

    for (const argv of [
      ['pause', 'lab', '--reason', 'a look'],
      ['resume', 'lab'],
      ['cancel', 'lab'],
      ['status'],
      ['fabric', 'list'],
      ['fabric', 'show', 'sealed'],
      ['fabric', 'set', 'sealed', '--interval', '2h'],
      ['fabric', 'test', 'sealed'],
      ['history', 'lab'],
      ['resources', 'lab'],
      ['bootstrap'],
      ['migrate'],
    ]) {
      await cli(...argv);
    }
    const [runs] = await bed.sql<[{ id: string }]>`select max(id)::text as id from fabric_run`;
    await cli('diff', runs.id);
    await writeFile(keyFile, `${(await bed.cli('key', 'generate')).stdout}${await readFile(keyFile, 'utf8')}`);
    expect((await cli('key', 'rotate', '--json')).json()).toMatchObject({ resealed: 1, failed: 0 });
    await cli('trigger', 'sealed');
    await cli('fabric', 'remove', 'sealed', '--yes');

    for (const { refused } of nodes) expect(await refused(), 'what Redis refused').toEqual([]);
    expect(daemon.output).not.toMatch(/NOPERM|SQLSTATE 42501|permission denied/);
    const doctor = await cli('doctor');
    expect(doctor.stdout).toContain(`${role} has no more than is needed`);
    expect(doctor.stdout).toContain('its user may do little more than is needed');
    expect(await daemon.stop()).toBe(0);
    expect(daemon.output).not.toMatch(/NOPERM|SQLSTATE 42501|permission denied/);

    await expectNothingMore(env.DATABASE_URL, timers, others);
  },
);

/** What whoever steals these passwords cannot do. */
async function expectNothingMore(databaseUrl: string, timers: Refusals | undefined, others: readonly Refusals[]) {
  const thief = openDatabase({ url: databaseUrl, connectionsMax: 1 });
  onTestFinished(() => thief.close());
  for (const statement of [
    'drop table fabric',
    'alter table fabric add column x int',
    'create table mine (x int)',
    'create function f() returns int language sql as $$ select 1 $$',
    'truncate fabric_resource',
    "update fabric_act set by = 'somebody else'",
    "update fabric_migration set hash = 'x'",
    'delete from fabric_migration',
    'create role another',
    "copy fabric to program 'cat'",
    "select pg_read_file('/etc/passwd')",
  ]) {
    await expect(
      thief.act('steal', (sql) => sql.unsafe(statement)),
      statement,
    ).rejects.toMatchObject({ facts: { sqlstate: '42501' } });
  }
  const denied = async (url: string, ...command: readonly string[]) => {
    const client = await meddler(url);
    try {
      const [name = '', ...rest] = command;
      await expect(client.call(name, ...rest), command.join(' ')).rejects.toThrow(/NOPERM|can't run this command/);
    } finally {
      client.disconnect();
    }
  };
  for (const command of ['FLUSHALL', 'KEYS *', 'CONFIG GET *', 'ACL WHOAMI', 'GET other', 'SET other 1', 'MONITOR']) {
    for (const node of [...(timers ? [timers] : []), ...others]) await denied(node.url, ...command.split(' '));
  }
  for (const node of others) await denied(node.url, 'ZRANGE', '{least}:timers', '0', '-1');
}

test('doctor --grants asks nobody, and says the same in words and as JSON', async () => {
  const env = {
    DATABASE_URL: 'postgres://owner:secret@127.0.0.1:1/inventory',
    REDIS_URL: 'redis://:secret@127.0.0.1:1',
    FABRIC_SYNCD_LOCK_REDIS_URLS: 'redis://127.0.0.1:1,redis://127.0.0.1:2,redis://127.0.0.1:3',
  };
  const words = await runFabricSyncd(['doctor', '--grants'], { env });
  expect([words.code, words.stderr]).toEqual([0, '']);
  const { postgres, redis } = (await runFabricSyncd(['doctor', '--grants', '--json'], { env })).json<{
    postgres: string[];
    redis: { timers: string; lock_node: string };
  }>();
  expect(postgres).toContain('grant connect, temporary on database inventory to fabric_syncd_run;');
  for (const line of [...postgres, redis.timers, redis.lock_node]) expect(words.stdout).toContain(`${line}\n`);
  expect(words.stdout).not.toContain('secret');
});
