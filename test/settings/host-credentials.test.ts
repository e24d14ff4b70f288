// The sealing key concerns those whose credential is sealed, and nobody else.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { credentialSources } from '../../src/host-credentials.ts';
import { openCredential, sealCredential } from '../../src/kube/credentials.ts';
import { generateKey, readKey } from '../../src/kube/sealing.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-key-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const fabric = { id: '7', name: 'lab' };

test('a credential by reference is opened although the key file is missing', async () => {
  const path = join(folder, 'token');
  await writeFile(path, 'a-token\n');
  const sources = credentialSources({ keyFile: join(folder, 'nowhere'), credentialsDirectory: null });
  const opened = await openCredential({ kind: 'ref', ref: `file:${path}` }, fabric, sources);
  expect(opened).toEqual({ kind: 'token', token: 'a-token' });
});

test('a sealed one is not, and the path of the key is told', async () => {
  const sealed = sealCredential(readKey(generateKey()), fabric.id, { kind: 'token', token: 'a-token' });
  const sources = credentialSources({ keyFile: join(folder, 'nowhere'), credentialsDirectory: null });
  const opening = openCredential({ kind: 'sealed', sealed }, fabric, sources);
  await expect(opening).rejects.toMatchObject({
    code: 'CREDENTIAL_UNREADABLE',
    message: `the key file ${join(folder, 'nowhere')} does not exist`,
  });
});

test('a key that was renewed is used from then on', async () => {
  const [first, second] = [generateKey(), generateKey()];
  const keyFile = join(folder, 'key');
  const sealed = sealCredential(readKey(second), fabric.id, { kind: 'token', token: 'a-token' });
  const sources = credentialSources({ keyFile, credentialsDirectory: null });
  await writeFile(keyFile, first);
  await expect(openCredential({ kind: 'sealed', sealed }, fabric, sources)).rejects.toMatchObject({
    code: 'CREDENTIAL_UNREADABLE',
  });
  await writeFile(keyFile, second);
  expect(await openCredential({ kind: 'sealed', sealed }, fabric, sources)).toMatchObject({ token: 'a-token' });
});
