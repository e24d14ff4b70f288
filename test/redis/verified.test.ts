// Whom `rediss://` gives the password to, over real TLS; by a process of its own, as the environment says what it trusts.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startTlsServer, tlsServerCaPem } from '../support/tls-server.ts';

const redis = new URL('../../src/redis/', import.meta.url).href;
let folder: string;
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-verified-'));
  await writeFile(join(folder, 'ca.pem'), tlsServerCaPem);
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a server on 127.0.0.1, with a certificate for that name, is told by a client of ours. */
async function toldTo(name: string, env: Readonly<Record<string, string>>): Promise<string | null> {
  const server = await startTlsServer({ names: [name], talk: 'redis' });
  undo.push(() => server.close());
  const script = `
    import { readRedisUrl } from '${redis}address.ts';
    import { createClient } from '${redis}client.ts';
    const url = 'rediss://ann:hunter2@127.0.0.1:${server.port}';
    createClient(readRedisUrl(url), 'test', { commandMs: 5_000, connectMs: 5_000 }).on('error', () => {});`;
  const client = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  undo.push(() => client.kill());
  return server.told();
}

test('the certificate is for the address, where the host is one', async () => {
  const env = { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') };
  expect(await toldTo('127.0.0.1', env)).toContain('hunter2');
  expect(await toldTo('localhost', env)).toBeNull();
});

test('NODE_TLS_REJECT_UNAUTHORIZED=0 opens nothing to a server that is not known', async () => {
  expect(await toldTo('127.0.0.1', { NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toBeNull();
});
