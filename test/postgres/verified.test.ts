// Whom `sslmode=verify-full` gives the password to, over real TLS.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/postgres/connect.ts';
import { startTlsServer, type TlsServer, tlsServerCaPem } from '../support/tls-server.ts';

let folder: string;
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-verified-'));
  await writeFile(join(folder, 'ca.pem'), tlsServerCaPem);
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function server(names: readonly string[], where: { host?: string; port?: number } = {}): Promise<TlsServer> {
  const started = await startTlsServer({ names, talk: 'postgres', ...where });
  undo.push(() => started.close());
  return started;
}

/** @returns how it fails, when it has: nobody here lets anybody in */
async function connect(hosts: string, mode: string): Promise<unknown> {
  const url = `postgres://ann:hunter2@${hosts}/x?sslmode=${mode}&sslrootcert=${join(folder, 'ca.pem')}`;
  const database = openDatabase({ url, connectionsMax: 1 });
  try {
    return await database.act('ask', (sql) => sql`select 1`).catch((error: unknown) => error);
  } finally {
    await database.close();
  }
}

const wrongName = { facts: { error: 'ERR_TLS_CERT_ALTNAME_INVALID' } };
const wrongPassword = { facts: { sqlstate: '28P01' } };

describe.each([
  ['127.0.0.1', ['127.0.0.1'], ['localhost']],
  ['localhost', ['localhost'], ['127.0.0.1', 'db.example']],
])('of %s', (host, right, wrong) => {
  test(`a certificate for ${right} is the right one`, async () => {
    const { told, port } = await server(right);
    expect(await connect(`${host}:${port}`, 'verify-full')).toMatchObject(wrongPassword);
    expect(await told()).toContain('hunter2');
  });

  test(`one for ${wrong} is not: the password stays here`, async () => {
    const { told, port } = await server(wrong);
    expect(await connect(`${host}:${port}`, 'verify-full')).toMatchObject(wrongName);
    expect(await told()).toBeNull();
  });

  test('verify-ca asks for no name, as libpq has it', async () => {
    const { told, port } = await server(wrong);
    expect(await connect(`${host}:${port}`, 'verify-ca')).toMatchObject(wrongPassword);
    expect(await told()).toContain('hunter2');
  });
});

test('of several hosts each is verified by its own name', async () => {
  const first = await server(['127.0.0.2']);
  const second = await server(['127.0.0.2'], { host: '127.0.0.2', port: first.port });
  const hosts = [`127.0.0.1:${first.port}`, `127.0.0.2:${first.port}`];
  await connect(hosts.join(), 'verify-full');
  expect(await first.told()).toBeNull();
  await connect(hosts.reverse().join(), 'verify-full');
  expect(await second.told()).toContain('hunter2');
});
