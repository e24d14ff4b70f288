// When a credential was given: by the commands, by hand, and not by another seal around it.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { generateKey } from '../../../src/kube/sealing.ts';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { cloneDatabase, type TestDatabase } from '../../support/postgres.ts';
import { runFabricSyncd } from '../../support/run-program.ts';

let clone: TestDatabase;
let database: Database;
let folder: string;
let env: Record<string, string>;
/** Given long ago, as no test is run then. */
const longAgo = new Date('2020-02-02T02:02:02Z');

beforeAll(async () => {
  clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  database = openDatabase({ url: clone.url, connectionsMax: 1 });
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-given-'));
  await writeFile(join(folder, 'token'), 'a-token');
  env = {
    DATABASE_URL: clone.url,
    REDIS_URL: 'none',
    FABRIC_SYNCD_KEY_FILE: join(folder, 'key'),
    FABRIC_SYNCD_ADMIN_SOCKET: join(folder, 'admin.sock'),
  };
});
afterAll(async () => {
  await database.close();
  await clone.drop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await database.sql`delete from fabric`;
  await writeFile(join(folder, 'key'), generateKey(), { mode: 0o600 });
});

const run = async (line: string) => {
  const ended = await runFabricSyncd(line.split(' '), { env, cwd: folder });
  expect(ended.code, ended.stderr).toBe(0);
  return ended;
};
const add = (way: string) => run(`fabric add lab --server https://192.0.2.1:6443 ${way} --no-test`);
const given = async (): Promise<Date | null> => {
  const [row] = await database.sql<{ given: Date | null }[]>`select credential_given_at as given from fabric`;
  if (!row) throw new Error('there is no fabric');
  return row.given;
};
const age = (at: Date | null) => database.sql`update fabric set credential_given_at = ${at}`;
const isNow = async () => {
  const [{ recent } = {}] = await database.sql`
    select credential_given_at between now() - interval '1 minute' and now() as recent from fabric`;
  return recent;
};
const line = async () => /^credential given .*$/m.exec((await run('fabric show lab')).stdout)?.[0] ?? null;

describe.each(['--token-file token', '--token-ref file:/run/token'])('a credential given by %s', (way) => {
  test('is given when it is added and whenever it is set, also where it is the same again', async () => {
    await add(way);
    expect(await isNow()).toBe(true);
    await age(longAgo);
    await run(`fabric set lab ${way} --no-test`);
    expect(await isNow()).toBe(true);
  });

  test('keeps its age when something else is set', async () => {
    await add(way);
    await age(longAgo);
    await run('fabric set lab --interval 5m --namespace fab --no-test');
    expect(await given()).toEqual(longAgo);
  });
});

test('another seal around it is no new credential', async () => {
  await add('--token-file token');
  await age(longAgo);
  await writeFile(join(folder, 'key'), generateKey() + (await readFile(join(folder, 'key'), 'utf8')));
  expect((await run('key rotate')).stdout).toContain('1 credential(s) sealed anew');
  expect(await given()).toEqual(longAgo);
});

test('a reference that is written by hand is given then; the same one written again is not', async () => {
  await database.sql`
    insert into fabric (name, kubernetes_server, credential_ref) values ('lab', 'https://192.0.2.1:6443', 'file:/one')`;
  expect(await isNow()).toBe(true);
  await age(longAgo);
  await database.sql`update fabric set credential_ref = 'file:/one', sync_interval = 5`;
  expect(await given()).toEqual(longAgo);
  await database.sql`update fabric set credential_ref = 'file:/two'`;
  expect(await isNow()).toBe(true);
});

describe('fabric show', () => {
  test('says when it was given and how long ago', async () => {
    await add('--token-file token');
    await age(longAgo);
    expect(await line()).toMatch(/^credential given +2020-02-02T02:02:02\.000Z \(\d+d\w* ago\)$/);
    const { fabric } = (await run('fabric show lab --json')).json<{ fabric: { credential: object } }>();
    expect(fabric.credential).toMatchObject({ kind: 'sealed', given: '2020-02-02T02:02:02.000Z' });
  });

  test('says so where that was before it was written down, and nothing where there is none', async () => {
    await add('--token-file token');
    await age(null);
    expect(await line()).toMatch(/^credential given +before this was written down$/);
    await age(longAgo);
    await database.sql`update fabric set credential_sealed = null`;
    const { stdout } = await run('fabric show lab');
    expect(stdout).toMatch(/^credential +none$/m);
    expect(stdout).not.toMatch(/2020-02-02|before this/);
    const { fabric } = (await run('fabric show lab --json')).json<{ fabric: { credential: object } }>();
    expect(fabric.credential).toMatchObject({ kind: 'none', given: null });
  });
});
