import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import type { SimulatedFabric } from '../../../src/demo/fabrics/fabric.ts';
import { openCredential } from '../../../src/kube/credentials.ts';
import { generateKey, readKey } from '../../../src/kube/sealing.ts';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { cloneDatabase, type TestDatabase } from '../../support/postgres.ts';
import { makeFabric, makeResource, makeRun, makeRunning } from '../../support/rows.ts';
import { type ProgramOptions, type ProgramRun, runFabricSyncd } from '../../support/run-program.ts';
import { fabricsOfThisFile } from '../../support/simulated-fabric.ts';

const start = fabricsOfThisFile();
const keyText = generateKey();
let clone: TestDatabase;
let database: Database;
let folder: string;
let env: Record<string, string>;
let fabric: SimulatedFabric;

beforeAll(async () => {
  clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  database = openDatabase({ url: clone.url });
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-settings-'));
  await writeFile(join(folder, 'key'), keyText, { mode: 0o600 });
  env = { DATABASE_URL: clone.url, REDIS_URL: 'none', FABRIC_SYNCD_KEY_FILE: join(folder, 'key') };
});
beforeEach(async () => {
  await database.sql`delete from fabric`;
  fabric = await start({ shape: 'lab' });
  await writeFile(join(folder, 'token'), fabric.token);
  await writeFile(join(folder, 'ca.crt'), fabric.caPem);
  await writeFile(join(folder, 'kubeconfig'), fabric.kubeconfig());
});
afterAll(async () => {
  await database.close();
  await clone.drop();
  await rm(folder, { recursive: true });
});

const run = async (line: string, options: ProgramOptions = {}): Promise<ProgramRun> => {
  const words = line.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [];
  const ended = await runFabricSyncd(words, { env, cwd: folder, ...options });
  // Whatever a verb says, the token is nowhere in it.
  expect(ended.stdout + ended.stderr).not.toContain(fabric.token);
  return ended;
};
const byToken = () => `--server ${fabric.url} --token-file token --ca-file ca.crt`;
const names = async () => (await database.sql<{ name: string }[]>`select name from fabric order by id`).map(nameOf);
const nameOf = ({ name }: { name: string }) => name;

const rowOf = async (name: string) => {
  const [row] = await database.sql`select f.*, c.state, c.due_at from fabric f join fabric_cycle c on c.fabric_id = f.id
                                    where f.name = ${name}`;
  if (!row) throw new Error(`there is no fabric ${name}`);
  return row;
};

describe('fabric add', () => {
  test('tests the connection, stores the token sealed, and says so', async () => {
    const added = await run(`fabric add lab ${byToken()} --interval 5m --description 'the lab'`);
    expect(added).toMatchObject({ code: 0 });
    expect(added.stdout).toMatch(/^lab is added as number \d+: every 5m\.\n$/);
    for (const step of ['dns', 'tcp', 'tls', 'credential', 'token', 'list Switch', 'list GatewayPeering']) {
      expect(added.stderr).toMatch(new RegExp(`^ok {4}${step} `, 'm'));
    }
    const row = await rowOf('lab');
    expect(row).toMatchObject({ sync_interval: 300, description: 'the lab', kubernetes_server: fabric.url });
    expect(Buffer.from(row.credential_sealed).includes(fabric.token)).toBe(false);
    expect(JSON.stringify(row)).not.toContain(fabric.token);
    const sources = { key: readKey(keyText), credentialsDirectory: null };
    const stored = { kind: 'sealed', sealed: row.credential_sealed } as const;
    expect(await openCredential(stored, { id: String(row.id), name: 'lab' }, sources)).toEqual({
      kind: 'token',
      token: fabric.token,
    });
    await expect(openCredential(stored, { id: '999', name: 'other' }, sources)).rejects.toMatchObject({
      code: 'CREDENTIAL_UNREADABLE',
    });
  });

  test('as a document tells the settings and each step', async () => {
    const document = (await run(`fabric add lab ${byToken()} --json --kinds +SwitchProfile,-Server`)).json();
    expect(document).toMatchObject({
      fabric: {
        name: 'lab',
        kubernetes_namespace: 'default',
        credential: { kind: 'sealed', key_id: readKey(keyText).id },
        sync_interval: 60,
        kinds_added: ['SwitchProfile'],
        kinds_removed: ['Server'],
        guard_share: 0.2,
        guard_count: 10,
      },
      test: { ok: true },
    });
  });

  test('takes the token from a pipe', async () => {
    const line = `fabric add lab --server ${fabric.url} --token-file - --ca-file ca.crt`;
    expect(await run(line, { piped: `${fabric.token}\n` })).toMatchObject({ code: 0 });
    expect(await run(line.replace('lab', 'two'), { typed: fabric.token })).toMatchObject({
      code: exitCodes.usage.code,
    });
    expect(await run(line.replace('lab', 'three'), { piped: 'x'.repeat(2 * 1024 * 1024) })).toMatchObject({
      code: exitCodes.usage.code,
      stderr: expect.stringContaining('standard input is too long to be a token'),
    });
  });

  test('reads a kubeconfig, and stores a sealed copy of its credential', async () => {
    expect(await run('fabric add lab --kubeconfig kubeconfig')).toMatchObject({ code: 0 });
    expect(await rowOf('lab')).toMatchObject({ kubernetes_server: fabric.url, credential_ref: '' });
    expect((await rowOf('lab')).credential_sealed).not.toBeNull();
  });

  test('refers to a kubeconfig that is read at each run, with the context that was meant', async () => {
    const added = await run('fabric add lab --kubeconfig kubeconfig --by-reference', {
      env: { ...env, FABRIC_SYNCD_KEY_FILE: '' },
    });
    expect(added).toMatchObject({ code: 0 });
    const { credential_ref, credential_sealed } = await rowOf('lab');
    expect(credential_ref).toMatch(new RegExp(`^kubeconfig:${folder}/kubeconfig#.+$`));
    expect(credential_sealed).toBeNull();
  });

  test('refers to a token file, which must be an absolute path', async () => {
    const way = `--server ${fabric.url} --ca-file ca.crt`;
    expect(await run(`fabric add lab ${way} --token-ref file:token`)).toMatchObject({ code: exitCodes.usage.code });
    expect(await run(`fabric add lab ${way} --token-ref file:${folder}/token`)).toMatchObject({ code: 0 });
    expect(await rowOf('lab')).toMatchObject({ credential_ref: `file:${folder}/token` });
  });

  test('without a key says how to make one, and stores nothing', async () => {
    const refused = await run(`fabric add lab ${byToken()}`, { env: { ...env, FABRIC_SYNCD_KEY_FILE: '' } });
    expect(refused.code).toBe(exitCodes.settings.code);
    expect(refused.stderr).toContain('fabric-syncd key generate > FILE');
    expect(await names()).toEqual([]);
  });

  test.each([
    ['an unknown CA', 'TLS_UNTRUSTED', 'certificate', 'unknown_ca'],
    ['an expired certificate', 'TLS_EXPIRED', 'certificate', 'expired'],
    ['a certificate for another name', 'TLS_NAME_MISMATCH', 'certificate', 'other_name'],
  ] as const)('with %s says what to do, and stores nothing', async (_, code, does, which) => {
    await fabric.faults.set({ does, which });
    const refused = await run(`fabric add lab ${byToken()} --json`);
    expect(refused.code).toBe(exitCodes.failed.code);
    const document = refused.json<{ error: { hint: string }; test: { steps: { step: string; ok: boolean }[] } }>();
    expect(document).toMatchObject({ error: { code }, test: { ok: false } });
    expect(document.test.steps.at(-1)).toMatchObject({ step: 'tls', ok: false });
    expect(document.error.hint).not.toContain('NAME ');
    expect(await names()).toEqual([]);
  });

  test('with a refused token stores nothing, unless it need not be tested', async () => {
    await writeFile(join(folder, 'token'), 'another');
    const refused = await run(`fabric add lab ${byToken()}`);
    expect(refused).toMatchObject({ code: exitCodes.failed.code, stdout: '' });
    expect(refused.stderr).toMatch(/^fail {2}token /m);
    expect(refused.stderr).toContain('--no-test');
    expect(await names()).toEqual([]);
    expect(await run(`fabric add lab ${byToken()} --no-test`)).toMatchObject({ code: 0 });
    expect(await names()).toEqual(['lab']);
  });

  test('with a kind that may not be listed is done all the same: a sync is only partial', async () => {
    await fabric.faults.set({ does: 'status', status: 403, where: { kind: 'Gateway' } });
    const added = await run(`fabric add lab ${byToken()}`);
    expect(added.code).toBe(0);
    expect(added.stderr).toMatch(/^fail {2}list Gateway /m);
    expect(await names()).toEqual(['lab']);
  });

  test('under a name that is taken is refused before anybody is asked', async () => {
    await makeFabric(database.sql, 'lab');
    fabric.forgetAccesses();
    const refused = await run(`fabric add lab ${byToken()}`);
    expect(refused.code).toBe(exitCodes.refused.code);
    expect(refused.stderr).toContain('fabric-syncd fabric set lab …');
    expect(fabric.accesses).toEqual([]);
  });
});

describe('fabric list and show', () => {
  test('tell the settings, and never a secret', async () => {
    expect((await run('fabric list')).stdout).toContain('No fabrics yet');
    await run(`fabric add lab ${byToken()} --disabled`);
    await makeFabric(database.sql, 'large one', { fabric: { sync_interval: 0, kubernetes_server: 'https://large' } });
    const list = await run('fabric list');
    expect(list.stdout).toMatch(/^ *\d+ +lab +https:\S+ +disabled +sealed/m);
    expect(list.stdout).toMatch(/^ *\d+ +large one +\S+ +manual only \(interval 0\) +file:\/token/m);
    expect((await run('fabric list --json')).json()).toMatchObject({
      fabrics: [{ name: 'lab', sync_enabled: false }, { name: 'large one' }],
    });
    const shown = await run('fabric show lab');
    expect(shown.stdout).toMatch(/^credential +sealed with the key [0-9a-f]{16}, which is here$/m);
    expect(shown.stdout).toMatch(/^CA +CN=.*SHA-256/m);
    const { id } = (await run('fabric show lab --json')).json<{ fabric: { id: string } }>().fabric;
    expect((await run(`fabric show ${id}`)).stdout).toBe(shown.stdout);
  });

  test('say when the key here is not the one that sealed the credential', async () => {
    await run(`fabric add lab ${byToken()}`);
    await writeFile(join(folder, 'other-key'), generateKey(), { mode: 0o600 });
    const other = { ...env, FABRIC_SYNCD_KEY_FILE: join(folder, 'other-key') };
    expect((await run('fabric show lab', { env: other })).stdout).toMatch(/^credential .*; the key here is /m);
    const tested = await run('fabric test lab', { env: other });
    expect(tested.code).toBe(exitCodes.failed.code);
    expect(tested.stdout).toMatch(/^fail {2}credential .*was sealed with the key/m);
  });

  test('know no fabric that is not there', async () => {
    expect(await run('fabric show nobody')).toMatchObject({ code: exitCodes.not_found.code, stdout: '' });
    expect((await run('fabric show 999999 --json')).json()).toMatchObject({ error: { code: 'NO_SUCH_FABRIC' } });
  });

  test('show what was written by other means, though it cannot be read', async () => {
    await makeFabric(database.sql, 'lab', { fabric: { kubernetes_ca_cert: 'no certificate' } });
    expect((await run('fabric show lab')).stdout).toMatch(/^CA +cannot be read$/m);
  });
});

describe('fabric set', () => {
  test('changes what is given and leaves the rest', async () => {
    await run(`fabric add lab ${byToken()} --interval 5m --kinds +SwitchProfile`);
    const before = await rowOf('lab');
    fabric.forgetAccesses();
    const changed = await run(`fabric set lab --interval 1h --scheduler off --guard-share 50% --name 'lab 2' --json`);
    expect(changed.json()).toMatchObject({
      fabric: { name: 'lab 2', sync_interval: 3600, scheduler_enabled: false, guard_share: 0.5, guard_count: 10 },
      test: null,
    });
    expect(fabric.accesses).toEqual([]);
    const after = await rowOf('lab 2');
    expect(after.credential_sealed).toEqual(before.credential_sealed);
    expect(after.kinds_added).toEqual(['SwitchProfile']);
    expect((await run(`fabric set 'lab 2' --disable --kinds default`)).stdout).toBe('lab 2 is changed: disabled.\n');
    expect(await rowOf('lab 2')).toMatchObject({ sync_enabled: false, kinds_added: [] });
    await run(`fabric set 'lab 2' --enable`);
    expect(await rowOf('lab 2')).toMatchObject({ sync_enabled: true });
  });

  test('tests a new way in first, and changes nothing where it does not work', async () => {
    await run(`fabric add lab ${byToken()}`);
    await writeFile(join(folder, 'new-token'), 'another');
    const refused = await run('fabric set lab --token-file new-token');
    expect(refused.code).toBe(exitCodes.failed.code);
    expect(refused.stderr).toContain('nothing was changed');
    expect(await run('fabric test lab')).toMatchObject({ code: 0 });
  });

  test('with a new way in makes a fabric in trouble due at once, and with other settings does not', async () => {
    await run(`fabric add lab ${byToken()}`);
    const later = new Date('2099-01-01T00:00:00Z');
    await database.sql`update fabric_cycle set state = 'errored', due_at = ${later}, due_kind = 'probe'`;
    await run('fabric set lab --interval 5m');
    expect(await rowOf('lab')).toMatchObject({ state: 'errored', due_at: later });
    await run('fabric set lab --token-file token');
    expect((await rowOf('lab')).due_at.getTime()).toBeLessThan(later.getTime());
  });

  test('never touches what a live lease is for', async () => {
    await run(`fabric add lab ${byToken()}`);
    const { id } = await rowOf('lab');
    await makeRunning(database.sql, String(id));
    const before = await rowOf('lab');
    await run('fabric set lab --token-file token');
    expect(await rowOf('lab')).toMatchObject({ state: 'syncing', due_at: before.due_at });
  });

  test('replaces a sealed copy by a reference, and the other way round', async () => {
    await run(`fabric add lab ${byToken()}`);
    await run(`fabric set lab --token-ref file:${folder}/token`);
    expect(await rowOf('lab')).toMatchObject({ credential_sealed: null, credential_ref: `file:${folder}/token` });
    await run('fabric set lab --token-file token');
    expect(await rowOf('lab')).toMatchObject({ credential_ref: '' });
    expect(await run('fabric test lab')).toMatchObject({ code: 0 });
  });

  test('to a name that is taken is refused', async () => {
    await makeFabric(database.sql, 'lab');
    await makeFabric(database.sql, 'medium');
    expect(await run('fabric set lab --name medium')).toMatchObject({ code: exitCodes.refused.code });
    expect(await names()).toEqual(['lab', 'medium']);
  });

  test('is heard by every daemon, whoever writes', async () => {
    await makeFabric(database.sql, 'lab');
    const heard = Promise.withResolvers<string>();
    const listening = await database.sql.listen('fabric_syncd', heard.resolve);
    await run('fabric set lab --interval 5m');
    expect(JSON.parse(await heard.promise)).toMatchObject({ what: 'update' });
    await listening.unlisten();
  });
});

describe('fabric remove', () => {
  const withInventory = async () => {
    const id = await makeFabric(database.sql, 'lab');
    const createdRun = await makeRun(database.sql, id, 'complete');
    await makeResource(database.sql, id, 'leaf-01', {}, { createdRun });
    await makeResource(database.sql, id, 'leaf-02', {}, { createdRun, deletedRun: createdRun });
    return id;
  };

  test('asks on a terminal, and says what would go', async () => {
    await withInventory();
    const kept = await run('fabric remove lab', { typed: 'n\n' });
    expect(kept.code).toBe(exitCodes.refused.code);
    expect(kept.stderr).toContain('Remove lab with 1 objects, 1 tombstones, 1 runs and 0 changes?');
    expect(await names()).toEqual(['lab']);
    const removed = await run('fabric remove lab', { typed: 'yes\n' });
    expect(removed).toMatchObject({ code: 0 });
    expect(await names()).toEqual([]);
    expect(await database.sql`select from fabric_resource`).toHaveLength(0);
  });

  test('does nothing where there is nobody to ask, unless --yes', async () => {
    const id = await withInventory();
    expect(await run('fabric remove lab')).toMatchObject({ code: exitCodes.refused.code, stdout: '' });
    expect((await run('fabric remove lab --json', { typed: 'yes\n' })).json()).toMatchObject({
      error: { code: 'NOT_CONFIRMED' },
    });
    expect(await names()).toEqual(['lab']);
    expect((await run('fabric remove lab --yes --json')).json()).toEqual({
      removed: { id, name: 'lab', objects: 1, tombstones: 1, runs: 1, changes: 0 },
    });
  });

  test('says when somebody is syncing it just now', async () => {
    await makeRunning(database.sql, await makeFabric(database.sql, 'lab'), 'noc/7/x');
    expect((await run('fabric remove lab', { typed: '\n' })).stderr).toContain('noc/7/x is syncing it just now');
  });
});

describe('fabric test', () => {
  test('tells each step as it ends, and that everything works', async () => {
    await run(`fabric add lab ${byToken()} --no-test`);
    const tested = await run('fabric test lab');
    expect(tested).toMatchObject({ code: 0, stderr: '' });
    expect(tested.stdout).toMatch(/^ok {4}token /m);
    expect(tested.stdout.trimEnd().split('\n').at(-1)).toBe('lab: everything works.');
    expect((await run('fabric test lab --json')).json()).toMatchObject({ fabric: 'lab', ok: true });
  });

  test('says that a sync is partial where a kind may not be listed', async () => {
    await run(`fabric add lab ${byToken()} --no-test`);
    await fabric.faults.set({ does: 'status', status: 403, where: { kind: 'Gateway' } });
    const tested = await run('fabric test lab');
    expect(tested.code).toBe(exitCodes.failed.code);
    expect(tested.stdout).toContain('fabric-syncd rbac lab');
    expect(tested.stdout).toContain('lab: a sync works, but is partial: 1 of');
  });

  test('says that a sync cannot work where nobody listens', async () => {
    await run(`fabric add lab ${byToken()} --no-test`);
    await fabric.faults.set({ does: 'refuse' });
    const tested = await run('fabric test lab');
    expect(tested.code).toBe(exitCodes.failed.code);
    expect(tested.stdout).toMatch(/^fail {2}tcp /m);
    expect(tested.stdout.trimEnd().split('\n').at(-1)).toBe('lab: a sync cannot work.');
  });

  test('of a fabric without an address or a credential says what is missing', async () => {
    await makeFabric(database.sql, 'bare', { fabric: { kubernetes_server: '', credential_ref: '' } });
    const tested = await run('fabric test bare');
    expect(tested.code).toBe(exitCodes.failed.code);
    expect(tested.stdout).toContain('fabric-syncd fabric set bare --server');
  });
});

describe('rbac of a fabric', () => {
  test('is for its namespace and its kinds', async () => {
    await makeFabric(database.sql, 'lab', {
      fabric: { kubernetes_namespace: 'wiring', kinds_added: ['SwitchProfile'], kinds_removed: ['Server'] },
    });
    const { stdout } = await run('rbac lab');
    expect(stdout).toContain('namespace: wiring');
    expect(stdout).toContain('- switchprofiles');
    expect(stdout).not.toContain('- servers\n');
  });
});

describe('complete-fabrics', () => {
  test('names every fabric', async () => {
    await makeFabric(database.sql, 'medium');
    await makeFabric(database.sql, 'lab 1', { fabric: { kubernetes_server: '' } });
    expect(await run('complete-fabrics')).toMatchObject({ code: 0, stdout: 'lab 1\nmedium\n', stderr: '' });
  });
});
