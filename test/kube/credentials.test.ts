import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCredential, readRef, sealCredential } from '../../src/kube/credentials.ts';
import { generateKey, readKey, seal } from '../../src/kube/sealing.ts';
import type { Credential } from '../../src/ports/fabric-api.ts';
import { issued } from './certificates.ts';
import { temporaryFolder } from './folder.ts';
import { refusal } from './refusal.ts';

const key = readKey(generateKey());
const lab = { id: '35', name: 'lab' };
const nowhere = { key: null, credentialsDirectory: null };
const ref = (text: string) => ({ kind: 'ref', ref: text }) as const;
const sealed = (payload: string) => ({ kind: 'sealed', sealed: seal(key, lab.id, payload) }) as const;

describe('references', () => {
  test.each([
    ['file:/etc/token', { kind: 'file', path: '/etc/token' }],
    ['file:/etc/to#ken', { kind: 'file', path: '/etc/to#ken' }],
    ['credential:lab-token', { kind: 'credential', name: 'lab-token' }],
    ['kubeconfig:/etc/kube', { kind: 'kubeconfig', path: '/etc/kube', context: null }],
    ['kubeconfig:/etc/kube#admin@lab', { kind: 'kubeconfig', path: '/etc/kube', context: 'admin@lab' }],
  ])('%s', (text, expected) => expect(readRef(text)).toEqual(expected));

  test.each([
    ['', 'begins with none of'],
    ['eyJhbGciOi.secret.x', 'begins with none of'],
    ['File:/x', 'begins with none of'],
    ['file:', 'names nothing'],
    ['file:token', 'not an absolute path'],
    ['file:/a\0b', 'NUL'],
    ['credential:../../etc/shadow', 'character that such a name cannot have'],
    ['credential:..', 'character that such a name cannot have'],
    ['kubeconfig:kube', 'not an absolute path'],
    ['kubeconfig:#ctx', 'not an absolute path'],
    ['kubeconfig:/kube#', 'no context'],
  ])('%j is refused', async (text, says) => {
    const failure = await refusal(() => readRef(text), 'SETTINGS_INVALID');
    expect(failure.message).toContain(says);
    expect(failure.message).not.toContain('secret');
  });
});

describe('token files', () => {
  test.each(['abc.def', 'abc.def\n', 'abc.def\r\n'])('%j is a token', async (text) => {
    const path = join(await temporaryFolder(), 'token');
    await writeFile(path, text);
    expect(await openCredential(ref(`file:${path}`), lab, nowhere)).toEqual({ kind: 'token', token: 'abc.def' });
  });

  test.each([
    ['', 'is empty'],
    ['\n', 'is empty'],
    ['canary\n\n', 'line end inside'],
    ['cana\nry', 'line end inside'],
    ['canary ', 'space inside'],
    [' canary', 'space inside'],
    ['Bearer canary', 'space inside'],
    ['cana\u00a0ry', 'space inside'],
    ['\ufeffcanary', 'inside'],
    ['canäry', 'not printable ASCII'],
    ['cana\0ry', 'not printable ASCII'],
    ['cana\u007fry', 'not printable ASCII'],
    [Buffer.from('eyJhbGciOiJSUzI1NiJ9.canary.x').toString('base64'), 'still in Base64'],
  ])('%j is refused in words that do not repeat it', async (text, says) => {
    const path = join(await temporaryFolder(), 'file');
    await writeFile(path, text);
    const failure = await refusal(() => openCredential(ref(`file:${path}`), lab, nowhere), 'CREDENTIAL_UNREADABLE');
    expect(failure.message).toContain(`the token file ${path}`);
    expect(failure.message).toContain(says);
    expect(failure.message + failure.hint).not.toMatch(/canary|cana|ZXlK/);
  });

  test('a rotated file is read anew, a missing one and a pipe say so at once', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'token');
    const opening = () => openCredential(ref(`file:${path}`), lab, nowhere);
    expect((await refusal(opening, 'CREDENTIAL_UNREADABLE')).message).toContain('does not exist');
    await writeFile(path, 'one\n');
    expect(await opening()).toEqual({ kind: 'token', token: 'one' });
    await writeFile(path, 'two\n');
    expect(await opening()).toEqual({ kind: 'token', token: 'two' });
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await refusal(() => openCredential(ref(`file:${join(folder, 'pipe')}`), lab, nowhere), 'CREDENTIAL_UNREADABLE');
  });
});

describe('systemd credentials', () => {
  test('one is read from the directory that systemd made', async () => {
    const credentialsDirectory = await temporaryFolder();
    await writeFile(join(credentialsDirectory, 'lab-token'), 'abc\n');
    const sources = { key: null, credentialsDirectory };
    expect(await openCredential(ref('credential:lab-token'), lab, sources)).toEqual({ kind: 'token', token: 'abc' });
    const missing = await refusal(() => openCredential(ref('credential:other'), lab, sources), 'CREDENTIAL_UNREADABLE');
    expect(missing.message).toContain(`the systemd credential ${join(credentialsDirectory, 'other')} does not exist`);
  });

  test('outside of systemd there is none, and what to do is told', async () => {
    const failure = await refusal(() => openCredential(ref('credential:x'), lab, nowhere), 'CREDENTIAL_UNREADABLE');
    expect(failure.hint).toContain('LoadCredential=x:');
  });
});

describe('sealed credentials', () => {
  const pair = issued('client');

  test.each<Credential>([
    { kind: 'token', token: 'abc.def' },
    { kind: 'client_certificate', ...pair },
  ])('a $kind comes back as it was', async (credential) => {
    const stored = { kind: 'sealed', sealed: sealCredential(key, lab.id, credential) } as const;
    expect(await openCredential(stored, lab, { ...nowhere, key })).toEqual(credential);
  });

  test('it needs the key', async () => {
    const failure = await refusal(() => openCredential(sealed('{"token":"x"}'), lab, nowhere), 'CREDENTIAL_UNREADABLE');
    expect(failure.hint).toContain('FABRIC_SYNCD_KEY_FILE');
  });

  test('it belongs to its fabric', async () => {
    const opening = () => openCredential(sealed('{"token":"x"}'), { ...lab, id: '36' }, { ...nowhere, key });
    await refusal(opening, 'CREDENTIAL_UNREADABLE');
  });

  test.each([
    ['no JSON', 'canary'],
    ['another shape', '{"password":"canary"}'],
    ['no object', '["canary"]'],
    ['a token that cannot be sent', '{"token":"cana\\nry"}'],
    ['a certificate without a key', JSON.stringify({ certPem: pair.certPem })],
    ['another’s key', JSON.stringify({ certPem: pair.certPem, keyPem: issued('other').keyPem })],
    ['no certificate', JSON.stringify({ certPem: 'canary', keyPem: pair.keyPem })],
    ['no key', JSON.stringify({ certPem: pair.certPem, keyPem: 'canary' })],
  ])('%s inside is refused and not repeated', async (_what, payload) => {
    const failure = await refusal(
      () => openCredential(sealed(payload), lab, { ...nowhere, key }),
      'CREDENTIAL_UNREADABLE',
    );
    expect(failure.message + String(failure.cause)).not.toMatch(/canary|BEGIN PRIVATE/);
  });
});

test('a fabric without a credential says how to give it one', async () => {
  const failure = await refusal(() => openCredential({ kind: 'none' }, lab, nowhere), 'CREDENTIAL_UNREADABLE');
  expect(failure.message).toBe('lab has no credential');
});
