// Settings that anybody may have written into a row or a file, far larger than any that is meant: what reads them must not
// keep everybody else waiting. A reader that looks at such a text again and again would not end within a test.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readServerUrl, redactUrl } from '../../src/kube/address.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import { certificatesOnly, readCertificates } from '../../src/kube/tls.ts';
import { ca } from './certificates.ts';
import { temporaryFolder } from './folder.ts';
import { refusal } from './refusal.ts';

const million = 1_000_000;

test('an address of nothing but slashes is shown and refused', async () => {
  const slashes = '/'.repeat(4 * million);
  expect(redactUrl(slashes)).toMatch(/^\/{199}…$/);
  expect(redactUrl(`${slashes}@`)).toBe('//•••@');
  const { message } = await refusal(() => readServerUrl(`https://host${slashes}x`), 'SETTINGS_INVALID');
  expect(message).toMatch(/has 4000013 characters, more than 2048$/);
});

test('a CA that begins again and again and never ends is none', async () => {
  const begins = '-----BEGIN CERTIFICATE-----\n';
  const pem = begins.repeat(million / begins.length);
  const { message } = await refusal(() => readCertificates(pem, 'the CA'), 'SETTINGS_INVALID');
  expect(message).toBe('the CA is not a certificate in PEM form');
  expect(certificatesOnly(`${ca.certPem}${pem}`, 'the CA')).toBe(ca.certPem);
  const more = await refusal(() => readCertificates(pem.repeat(2), 'the CA'), 'SETTINGS_INVALID');
  expect(more.message).toMatch(/more than 1048576$/);
});

test('a kubeconfig of twenty thousand keys is read; a larger one is not', async () => {
  const path = join(await temporaryFolder(), 'kubeconfig');
  const keys = (count: number) => Array.from({ length: count }, (_, at) => `k${at.toString(36)}:\n`).join('');
  await writeFile(path, keys(20_000));
  const read = await refusal(() => readKubeconfig(path, null), 'SETTINGS_INVALID');
  expect(read.message).toMatch(/has no current-context/);
  await writeFile(path, `${keys(20_000)}k0:\n`);
  const twice = await refusal(() => readKubeconfig(path, null), 'SETTINGS_INVALID');
  expect(twice.message).toMatch(/is not YAML: DUPLICATE_KEY in line 20001$/);
  await writeFile(path, keys(100_000));
  const larger = await refusal(() => readKubeconfig(path, null), 'CREDENTIAL_UNREADABLE');
  expect(larger.message).toMatch(/is larger than 131072 bytes$/);
});
