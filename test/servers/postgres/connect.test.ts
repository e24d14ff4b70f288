// What becomes of an act when the server, or the way to it, does not behave.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type PrivatePostgres, startPrivatePostgres } from '../../../src/demo/servers/postgres.ts';
import { parseDatabaseUrl } from '../../../src/postgres/address.ts';
import { openDatabase } from '../../../src/postgres/connect.ts';
import { createStore } from '../../../src/postgres/store.ts';
import { startFrozenProxy } from '../../support/frozen-proxy.ts';

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as { code: string; message: string; facts?: object },
  );

describe('a server that cannot be reached', () => {
  test.each([
    ['no socket there', 'postgres://localhost/x?host=/nowhere-at-all', 'ENOENT'],
    ['nobody listening', 'postgres://ann:hunter2@127.0.0.1:1/x', 'ECONNREFUSED'],
    ['no such host', 'postgres://ann:hunter2@no-such-host.invalid/x', /ENOTFOUND|EAI_AGAIN/],
  ])('%s: unavailable, at once, and without the password anywhere', async (_what, url, error) => {
    const database = openDatabase({ url, connectTimeoutMs: 3_000 });
    try {
      const failure = await failureOf(createStore(database, { daemon: 'd' }).ping());
      expect(failure).toMatchObject({ code: 'DATABASE_UNAVAILABLE', facts: { error: expect.stringMatching(error) } });
      expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('hunter2');
    } finally {
      await database.close();
    }
  });

  test('however often it was tried in vain: once the server is there, the next act works', async () => {
    const url = new URL(inject('databaseUrl'));
    const folder = url.searchParams.get('host');
    const target = folder ? { path: join(folder, '.s.PGSQL.5432') } : { port: Number(url.port || 5432) };
    const proxy = await startFrozenProxy(target);
    await proxy.close();
    const database = openDatabase({
      url: `postgres://postgres@127.0.0.1:${proxy.port}/postgres`,
      connectionsMax: 2,
    });
    const { ping } = createStore(database, { daemon: 'd' });
    try {
      for (let i = 0; i < 10; i++) expect(await failureOf(ping())).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      const back = await startFrozenProxy(target, proxy.port);
      await ping();
      await database.close();
      await back.close();
    } finally {
      await database.close();
    }
  });

  test('a database that is not there is unavailable, and named', async () => {
    const url = new URL(inject('databaseUrl'));
    url.pathname = '/no_such_database';
    const database = openDatabase({ url: String(url) });
    const failure = await failureOf(createStore(database, { daemon: 'd' }).ping());
    expect(failure).toMatchObject({ code: 'DATABASE_UNAVAILABLE', facts: { sqlstate: '3D000' } });
    expect(failure.message).toContain('no_such_database');
    await database.close();
  });
});

describe('an act that fails', () => {
  test('because it was asked wrongly is a defect, not an outage: nobody waits for a server that is well', async () => {
    const database = openDatabase({ url: inject('databaseUrl') });
    try {
      const nothing = undefined as unknown as string;
      const failure = await failureOf(database.act('try', (sql) => sql`select ${nothing}`));
      expect(failure).toMatchObject({
        code: 'INTERNAL',
        message: 'Postgres was asked wrongly to try (UNDEFINED_VALUE)',
      });
    } finally {
      await database.close();
    }
  });

  test('is refused with the SQLSTATE; neither statement nor parameters nor the row are in the error', async () => {
    const database = openDatabase({ url: inject('databaseUrl') });
    const failure = await failureOf(
      database.act(
        'try it',
        (sql) => sql`select ${'s3cret'}::text, jsonb_build_object('k', ${'s3cret'}::text)::text::int`,
      ),
    );
    expect(failure).toMatchObject({ code: 'DATABASE_REFUSED', facts: { sqlstate: '22P02' } });
    const { cause, ...rest } = failure as { cause?: Error & Record<string, unknown> };
    expect(Object.keys(cause ?? {}).sort()).toEqual(['code', 'name']);
    expect(cause).not.toHaveProperty('parameters');
    expect(cause).not.toHaveProperty('detail');
    expect(rest).toBeDefined();
    await database.close();
  });

  test('one that takes longer than the server allows is unavailable, and the connection is kept', async () => {
    const database = openDatabase({ url: inject('databaseUrl'), statementTimeoutMs: 100, connectionsMax: 1 });
    const pid = async () => (await database.sql`select pg_backend_pid() as pid`)[0]?.pid;
    const before = await pid();
    expect(await failureOf(database.act('wait', (sql) => sql`select pg_sleep(30)`))).toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      facts: { sqlstate: '57014' },
    });
    expect(await pid()).toBe(before);
    await database.close();
  });
});

describe('a server that hangs', () => {
  let server: PrivatePostgres;
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'fabric-syncd-connect-'));
    server = await startPrivatePostgres({ dir });
  });

  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const socketPath = () => join(new URL(server.url).searchParams.get('host') ?? '', '.s.PGSQL.5432');

  test('every wait ends at its deadline, its connections are cut, and afterwards everything works again', async () => {
    const proxy = await startFrozenProxy({ path: socketPath() });
    const database = openDatabase({
      url: `postgres://postgres@127.0.0.1:${proxy.port}/postgres`,
      connectTimeoutMs: 2_000,
    });
    const { ping } = createStore(database, { daemon: 'd' });
    await ping();
    proxy.freeze();
    const acts = [
      database.act('answer', (sql) => sql`select 1`, 200),
      database.transact('write', (tx) => tx.run((sql) => sql`select 1`), { deadlineMs: 200 }),
    ];
    for (const act of acts) {
      expect(await failureOf(act)).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    }
    database.cut();
    proxy.thaw();
    await ping();
    expect(
      await database.transact('write', (tx) => tx.run((sql) => sql`select 1 as one`), { deadlineMs: 5_000 }),
    ).toEqual([{ one: 1 }]);
    await database.close();
    await proxy.close();
  });

  test('one that is killed in a transaction and comes back costs that transaction and nothing else', async () => {
    const database = openDatabase({ url: server.url });
    await database.sql`create table if not exists mark (n int)`;
    const failure = await failureOf(
      database.transact(
        'write',
        async (tx) => {
          await tx.run((sql) => sql`insert into mark values (1)`);
          await server.kill();
          await tx.run((sql) => sql`insert into mark values (2)`);
        },
        { deadlineMs: 10_000 },
      ),
    );
    expect(failure).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await server.restart();
    // The driver keeps a little distance between two attempts to connect.
    expect(await database.act('count', (sql) => sql`select count(*)::int as n from mark`)).toEqual([{ n: 0 }]);
    await database.close();
  });

  test('more transactions than writers wait in line; one that gives up leaves it', async () => {
    const database = openDatabase({ url: server.url, writersMax: 1 });
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const work = (n: number) => (tx: Parameters<Parameters<typeof database.transact<number>>[1]>[0]) =>
      tx.run((sql) => sql<{ n: number }[]>`select ${n}::int as n`).then((rows) => rows[0]?.n ?? 0);
    const first = database.transact('hold', () => gate, { deadlineMs: 20_000 });
    const abort = new AbortController();
    const second = database.transact('two', work(2), { deadlineMs: 20_000, signal: abort.signal });
    const third = database.transact('three', work(3), { deadlineMs: 20_000 });
    const reason = new Error('no longer');
    abort.abort(reason);
    await expect(second).rejects.toBe(reason);
    release();
    await first;
    expect(await third).toBe(3);
    await database.close();
  });
});

describe('a database URL', () => {
  test.each([
    [
      'postgres://localhost',
      { hosts: [{ host: 'localhost', port: 5432 }], user: null, password: null, database: null },
    ],
    [
      'postgresql://ann:p%40ss%3Aword@db.example:6543/inv',
      { hosts: [{ host: 'db.example', port: 6543 }], user: 'ann', password: 'p@ss:word', database: 'inv' },
    ],
    [
      'postgres://ann@/inv?host=/run/postgresql&port=5433',
      { hosts: [{ host: '/run/postgresql', port: 5433 }], user: 'ann', database: 'inv' },
    ],
    ['postgres://%2Frun%2Fpostgresql/inv', { hosts: [{ host: '/run/postgresql', port: 5432 }] }],
    ['postgres://[::1]:5433/inv', { hosts: [{ host: '::1', port: 5433 }] }],
    [
      'postgres://a:1,b/inv',
      {
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 5432 },
        ],
      },
    ],
    [
      'postgres://h/d?sslmode=verify-full&sslrootcert=/ca',
      { tls: { kind: 'verified', hostname: true, caFile: '/ca' } },
    ],
    ['postgres://h/d', { tls: { kind: 'off' } }],
    ['postgres://h/d?sslmode=require', { tls: { kind: 'unverified', mode: 'require' } }],
    ['postgres://h/d?sslmode=require&sslrootcert=/ca', { tls: { kind: 'verified', hostname: false, caFile: '/ca' } }],
    ['postgres://h/d?search_path=inv&connect_timeout=3', { settings: { search_path: 'inv' } }],
  ])('%s', (url, address) => {
    expect(parseDatabaseUrl(url)).toMatchObject(address);
  });

  test.each([
    ['mysql://ann:hunter2@h/d', /expected postgres:/],
    ['postgres://ann:hunter2@h:99999/d', /port/],
    ['postgres://ann:hunter2@h/d?sslmode=maybe', /sslmode/],
    ['postgres://ann:hunter2%zz@h/d', /%25/],
    ['', /expected postgres:/],
  ])('%s is refused in words that do not repeat it', (url, why) => {
    expect(() => parseDatabaseUrl(url)).toThrow(why);
    try {
      parseDatabaseUrl(url);
    } catch (error) {
      expect(String(error)).not.toContain('hunter2');
    }
  });
});
