import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { openCredential } from '../../src/kube/credentials.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import { ca, issued } from './certificates.ts';
import { temporaryFolder } from './folder.ts';
import { refusal } from './refusal.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const pair = issued('admin');

interface Parts {
  readonly cluster?: object;
  readonly user?: object | null;
  readonly context?: object;
  readonly root?: object;
}

const config = ({ cluster = {}, user = { token: 'abc.def' }, context = {}, root = {} }: Parts = {}) => ({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'lab',
  clusters: [
    { name: 'c-other', cluster: { server: 'https://other.example' } },
    { name: 'c-lab', cluster: { server: 'https://lab.example:6443', ...cluster } },
  ],
  users: [{ name: 'u-lab', user }],
  contexts: [{ name: 'lab', context: { cluster: 'c-lab', user: 'u-lab', ...context } }],
  ...root,
});

async function written(content: object | string): Promise<string> {
  const path = join(await temporaryFolder(), 'config');
  await writeFile(path, typeof content === 'string' ? content : stringify(content));
  return path;
}

const read = async (parts: Parts, context: string | null = null) =>
  readKubeconfig(await written(config(parts)), context);

describe('a kubeconfig', () => {
  test('gives the server, what to trust and who we are', async () => {
    const found = await read({
      cluster: { 'certificate-authority-data': base64(ca.certPem), 'tls-server-name': 'kubernetes' },
      context: { namespace: 'fabric-1' },
    });
    expect(found).toEqual({
      context: 'lab',
      server: 'https://lab.example:6443',
      caPem: ca.certPem,
      tlsServerName: 'kubernetes',
      namespace: 'fabric-1',
      credential: { kind: 'token', token: 'abc.def' },
    });
  });

  test('is read where the context is named, too, and as JSON', async () => {
    const path = await written(JSON.stringify(config({ root: { 'current-context': '' } })));
    expect(await readKubeconfig(path, 'lab')).toMatchObject({ server: 'https://lab.example:6443', caPem: null });
  });

  test('may hold a client certificate inline', async () => {
    const user = { 'client-certificate-data': base64(pair.certPem), 'client-key-data': base64(pair.keyPem) };
    expect((await read({ user })).credential).toEqual({ kind: 'client_certificate', ...pair });
  });

  test('names files by paths that start at its own folder; what is inline counts first', async () => {
    const path = await written(
      config({
        cluster: { 'certificate-authority': 'pki/ca.crt' },
        user: {
          'client-certificate': './pki/client.crt',
          'client-certificate-data': base64(pair.certPem),
          'client-key': 'pki/client.key',
        },
      }),
    );
    const pki = join(path, '../pki');
    await mkdir(pki);
    await writeFile(join(pki, 'ca.crt'), ca.certPem);
    await writeFile(join(pki, 'client.key'), pair.keyPem);
    const found = await readKubeconfig(path, null);
    expect(found.caPem).toBe(ca.certPem);
    expect(found.credential).toEqual({ kind: 'client_certificate', ...pair });
  });

  test('may name a token file, which counts before a token and is read anew at each call', async () => {
    const path = await written(config({ user: { tokenFile: 'token', token: 'old' } }));
    const opening = () =>
      openCredential(
        { kind: 'ref', ref: `kubeconfig:${path}#lab` },
        { id: '1', name: 'lab' },
        { key: null, credentialsDirectory: null },
      );
    await refusal(opening, 'CREDENTIAL_UNREADABLE');
    for (const token of ['one', 'two']) {
      await writeFile(join(path, '../token'), `${token}\n`);
      expect(await opening()).toEqual({ kind: 'token', token });
    }
  });

  test.each<[string, Parts, string]>([
    ['verification switched off', { cluster: { 'insecure-skip-tls-verify': true } }, 'TLS verification off'],
    [
      'verification switched off as a text',
      { cluster: { 'insecure-skip-tls-verify': 'true' } },
      'TLS verification off',
    ],
    ['a plain URL', { cluster: { server: 'http://lab.example' } }, 'not encrypted'],
    ['a password in the URL', { cluster: { server: 'https://a:canary@lab.example' } }, 'user name or password'],
    ['no server', { cluster: { server: '' } }, 'has no server'],
    ['a proxy', { cluster: { 'proxy-url': 'socks5://x' } }, 'needs a proxy'],
    ['a CA that is no Base64', { cluster: { 'certificate-authority-data': '-----BEGIN' } }, 'is not Base64'],
    ['a CA that is no certificate', { cluster: { 'certificate-authority-data': base64('x') } }, 'is not a certificate'],
    ['a program', { user: { exec: { command: 'aws' } } }, 'from a program (exec)'],
    ['an auth-provider', { user: { 'auth-provider': { name: 'oidc' } } }, 'auth-provider'],
    ['a password', { user: { username: 'admin', password: 'canary' } }, 'user name and password'],
    ['acting as somebody else', { user: { token: 'canary', as: 'root' } }, 'acts as somebody else'],
    ['acting as a group', { user: { token: 'canary', 'as-groups': ['system:masters'] } }, 'acts as somebody else'],
    [
      'two credentials',
      { user: { token: 'canary', 'client-certificate-data': base64(pair.certPem) } },
      'a token and a client certificate',
    ],
    ['no credential', { user: {} }, 'neither a token nor'],
    ['a user that is null', { user: null }, 'neither a token nor'],
    ['a certificate without a key', { user: { 'client-certificate-data': base64(pair.certPem) } }, 'but no client-key'],
    ['a key without a certificate', { user: { 'client-key-data': base64(pair.keyPem) } }, 'but no client-certificate'],
    ['no context', { root: { 'current-context': '' } }, 'has no current-context'],
    ['a context that is not there', { root: { 'current-context': 'prod' } }, 'has no context "prod"'],
    ['a cluster that is not there', { context: { cluster: 'x' } }, 'has no cluster "x"'],
    ['a user that is not there', { context: { user: 'x' } }, 'has no user "x"'],
    ['a context without a cluster', { context: { cluster: null } }, 'names no cluster'],
    ['lists that are none', { root: { contexts: 'lab' } }, 'has no context "lab"'],
  ])('with %s is refused', async (_what, parts, says) => {
    const failure = await refusal(() => read(parts), 'SETTINGS_INVALID');
    expect(failure.message).toContain(says);
    expect(failure.message + failure.hint).not.toContain('canary');
  });

  test('a missing context comes with the ones that are there', async () => {
    const failure = await refusal(() => read({}, 'prod'), 'SETTINGS_INVALID');
    expect(failure.hint).toBe('It has: "lab".');
  });

  test.each<[string, string, string]>([
    ['nothing', '', 'is empty'],
    ['a list', '- a', 'no mapping'],
    ['tabs', 'users:\n\t- token: canary', 'in line 2'],
    ['a key twice', 'token: canary\ntoken: canary2', 'is not YAML: DUPLICATE_KEY in line 2'],
    ['an unknown alias', 'a: *canary', 'aliases'],
    [
      'a billion laughs',
      [
        'a: &a [x, x]',
        ...'bcdefghij'.split('').map((name, index) => {
          const before = 'abcdefghi'[index];
          return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`;
        }),
      ].join('\n'),
      'too many aliases',
    ],
  ])('%s is no kubeconfig, and no line of it is repeated', async (_what, text, says) => {
    const path = await written(text);
    const failure = await refusal(() => readKubeconfig(path, null), 'SETTINGS_INVALID');
    expect(failure.message).toContain(says);
    expect(failure.message + String(failure.cause)).not.toContain('canary');
  });

  test('hostile keys change nothing of ours', async () => {
    const path = await written(`${stringify(config())}__proto__:\n  polluted: true\n`);
    expect(await readKubeconfig(path, null)).toMatchObject({ context: 'lab' });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
