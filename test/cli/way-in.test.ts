// A file that is named on the command line is read by whoever named it: what is wrong with it is told to them.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readWayIn } from '../../src/cli/way-in.ts';
import type { World } from '../../src/cli/world.ts';
import { readConfig } from '../../src/config.ts';
import { generateKey } from '../../src/kube/sealing.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-way-in-'));
  await writeFile(join(folder, 'key'), generateKey(), { mode: 0o600 });
  await writeFile(join(folder, 'text'), 'no mapping');
});
afterAll(() => rm(folder, { recursive: true }));

const read = (options: object) => {
  const config = readConfig({ DATABASE_URL: 'postgres://nowhere/none', FABRIC_SYNCD_KEY_FILE: join(folder, 'key') });
  return readWayIn(options as Parameters<typeof readWayIn>[0], config, { cwd: folder } as World);
};
const server = 'https://192.0.2.1:6443';

test.each([
  ['the token file', 'nofile', { server, tokenFile: 'nofile' }],
  ['the CA file', 'nofile', { server, tokenFile: 'text', caFile: 'nofile' }],
  ['the kubeconfig', 'nofile', { kubeconfig: 'nofile' }],
  ['the token file', '.', { server, tokenFile: '.' }],
])('%s %s that cannot be read: nobody is told to look at the daemon', async (what, _file, options) => {
  const refused = await read(options).catch((thrown: unknown) => thrown);
  expect(refused).toMatchObject({
    exit: 'usage',
    code: 'CREDENTIAL_UNREADABLE',
    message: expect.stringContaining(what),
  });
  expect((refused as { hint: string }).hint).toBe('It is read now, by you: look at the path, and at who may read it.');
});

test('a kubeconfig that says nothing of use is to be corrected, not the settings of a fabric', async () => {
  const refused = { exit: 'usage', code: 'SETTINGS_INVALID', hint: 'Correct the file, or name another one.' };
  await expect(read({ kubeconfig: 'text' })).rejects.toMatchObject(refused);
});

test('a hint that is about the file itself stays', async () => {
  const refused = read({ server, tokenFile: 'text', caFile: 'text' });
  await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining('-----BEGIN CERTIFICATE-----') });
});
