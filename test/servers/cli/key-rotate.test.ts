import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import { openCredential, sealCredential } from '../../../src/kube/credentials.ts';
import { generateKey, keyIdOf, readKey } from '../../../src/kube/sealing.ts';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { cloneDatabase, type TestDatabase } from '../../support/postgres.ts';
import { makeFabric } from '../../support/rows.ts';
import { runFabricSyncd } from '../../support/run-program.ts';

const [oldText, newText] = [generateKey(), generateKey()];
const [oldKey, newKey] = [readKey(oldText), readKey(newText)];
let clone: TestDatabase;
let database: Database;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  database = openDatabase({ url: clone.url });
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-rotate-'));
  env = {
    DATABASE_URL: clone.url,
    REDIS_URL: 'none',
    FABRIC_SYNCD_KEY_FILE: join(folder, 'key'),
    FABRIC_SYNCD_ADMIN_SOCKET: join(folder, 'admin.sock'),
  };
});
beforeEach(async () => {
  await database.sql`delete from fabric`;
  await writeFile(join(folder, 'key'), `${newText}${oldText}`, { mode: 0o600 });
});
afterAll(async () => {
  await database.close();
  await clone.drop();
  await rm(folder, { recursive: true });
});

const rotate = (line = 'key rotate') => runFabricSyncd(line.split(' '), { env, cwd: folder });

/** A fabric whose token, `token-of-NAME`, is sealed with a key. */
const sealedWith = async (key: typeof oldKey, name: string): Promise<string> => {
  const id = await makeFabric(database.sql, name);
  const sealed = sealCredential(key, id, { kind: 'token', token: `token-of-${name}` });
  await database.sql`update fabric set credential_ref = '', credential_sealed = ${Buffer.from(sealed)} where id = ${id}`;
  return id;
};
const storedOf = async (id: string): Promise<Uint8Array> => {
  const [row] = await database.sql<
    { sealed: Uint8Array }[]
  >`select credential_sealed as sealed from fabric where id = ${id}`;
  return row?.sealed ?? new Uint8Array();
};

/** A daemon's word on which keys it has. */
const daemonWith = async (keys: readonly string[]) => {
  const server = createServer((_, response) => response.end(JSON.stringify({ daemon: 'one', keys })));
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(join(folder, 'admin.sock'), resolve);
  await promise;
  onTestFinished(() => {
    server.close();
  });
};

describe('key rotate', () => {
  test('seals every credential with the first key, says that the old one can go, and repeats harmlessly', async () => {
    const ids = [await sealedWith(oldKey, 'lab'), await sealedWith(newKey, 'done-already')];
    const byReference = await makeFabric(database.sql, 'by-reference');
    await database.sql`update fabric set credential_ref = 'file:/nowhere' where id = ${byReference}`;
    const first = await rotate();
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toContain(`1 credential(s) sealed anew with the key ${newKey.id}; 1 had been already.`);
    expect(first.stderr).toContain(`Nothing is sealed with ${oldKey.id} any more`);
    for (const id of ids) expect(keyIdOf(await storedOf(id))).toBe(newKey.id);
    // With the new key alone: the old one can really go.
    const opened = await openCredential(
      { kind: 'sealed', sealed: await storedOf(ids[0] ?? '') },
      { id: ids[0] ?? '', name: 'lab' },
      { key: newKey, credentialsDirectory: null },
    );
    expect(opened).toEqual({ kind: 'token', token: 'token-of-lab' });
    expect((await rotate('key rotate --json')).json()).toMatchObject({
      key_id: newKey.id,
      resealed: 0,
      kept: 2,
      failed: 0,
    });
    expect(first.stdout + first.stderr).not.toContain('token-of');
  });

  test('leaves what it cannot open as it is, does the rest, and says so', async () => {
    const strange = readKey(generateKey());
    const left = await sealedWith(strange, 'strange');
    const before = await storedOf(left);
    await sealedWith(oldKey, 'lab');
    const ended = await rotate('key rotate --json');
    expect(ended.code).toBe(exitCodes.some_failed.code);
    expect(ended.json()).toMatchObject({
      resealed: 1,
      failed: 1,
      failures: [{ fabric: 'strange', code: 'CREDENTIAL_UNREADABLE' }],
      older_keys_in_use: [strange.id],
    });
    expect(await storedOf(left)).toEqual(before);
  });

  test('waits for a daemon that has not read the new key yet', async () => {
    const id = await sealedWith(oldKey, 'lab');
    await daemonWith([oldKey.id]);
    const refused = await rotate();
    expect(refused.code).toBe(exitCodes.refused.code);
    expect(refused.stderr).toContain('systemctl restart fabric-syncd');
    expect(keyIdOf(await storedOf(id))).toBe(oldKey.id);
  });

  test('goes on beside a daemon that has both', async () => {
    const id = await sealedWith(oldKey, 'lab');
    await daemonWith([newKey.id, oldKey.id]);
    expect(await rotate()).toMatchObject({ code: 0 });
    expect(keyIdOf(await storedOf(id))).toBe(newKey.id);
  });

  test('without a key says where it is to be', async () => {
    const ended = await runFabricSyncd(['key', 'rotate'], { env: { ...env, FABRIC_SYNCD_KEY_FILE: '' }, cwd: folder });
    expect(ended.code).toBe(exitCodes.settings.code);
    expect(ended.stderr).toContain('FABRIC_SYNCD_KEY_FILE=FILE');
  });
});
