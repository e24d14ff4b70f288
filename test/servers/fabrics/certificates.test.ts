import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import {
  createCa,
  expired,
  issueServerCertificate,
  type KeyedCertificate,
  localNames,
  notYetValid,
  validFrom,
} from '../../../src/demo/fabrics/certificates.ts';

const nowMs = systemClock.nowMs();
const ca = createCa('ca@test', nowMs);
const issue = (more: { names?: readonly string[]; validity?: ReturnType<typeof validFrom> } = {}) =>
  issueServerCertificate(ca, { caName: 'ca@test', names: localNames, validity: validFrom(nowMs, 365), ...more });

/** How a client that trusts only `caPem` fares: `secure`, or the code of its error. */
async function handshake(certificate: KeyedCertificate, caPem: string, servername?: string): Promise<string> {
  const server = createServer({ key: certificate.keyPem, cert: certificate.certPem });
  server.listen(0, '127.0.0.1');
  const { promise, resolve } = Promise.withResolvers<string>();
  server.once('listening', () => {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ host: '127.0.0.1', port, ca: caPem, ...(servername !== undefined && { servername }) });
    socket.once('secureConnect', () => resolve(socket.authorized ? 'secure' : String(socket.authorizationError)));
    socket.once('error', (cause: NodeJS.ErrnoException) => resolve(cause.code ?? cause.message));
    promise.then(() => socket.destroy());
  });
  const seen = await promise;
  server.close();
  return seen;
}

describe('the certificates of a simulated fabric', () => {
  test('a client that trusts the CA connects, by each of the names', async () => {
    expect(await handshake(issue(), ca.certPem)).toBe('secure');
    expect(await handshake(issue(), ca.certPem, 'localhost')).toBe('secure');
    expect(await handshake(issue({ names: ['control.example.com'] }), ca.certPem, 'control.example.com')).toBe(
      'secure',
    );
  });

  test('a certificate is refused when it is too old, too new, for another name, or of another CA', async () => {
    expect(await handshake(issue({ validity: expired(nowMs) }), ca.certPem)).toBe('CERT_HAS_EXPIRED');
    expect(await handshake(issue({ validity: notYetValid(nowMs) }), ca.certPem)).toBe('CERT_NOT_YET_VALID');
    expect(await handshake(issue({ names: ['elsewhere.example'] }), ca.certPem)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await handshake(issue(), createCa('ca@stranger', nowMs).certPem)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  test('addresses of both families stand in the certificate as addresses', () => {
    const names = ['::1', '2001:db8::17', 'fe80:0:0:0:1:2:3:4', '10.0.0.1', 'a.example'];
    const certificate = new X509Certificate(issue({ names }).certPem);
    expect(certificate.subjectAltName).toBe(
      'IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:0:0:17, IP Address:FE80:0:0:0:1:2:3:4, IP Address:10.0.0.1, DNS:a.example',
    );
  });

  test('dates past 2049 are written in their own form', () => {
    const farMs = Date.UTC(2061, 4, 6);
    const certificate = new X509Certificate(issue({ validity: { notBeforeMs: nowMs, notAfterMs: farMs } }).certPem);
    expect(Date.parse(certificate.validTo)).toBe(farMs);
  });

  test('two certificates have different serial numbers and keys', () => {
    const [one, other] = [new X509Certificate(issue().certPem), new X509Certificate(issue().certPem)];
    expect(one.serialNumber).not.toBe(other.serialNumber);
    expect(one.publicKey.equals(other.publicKey)).toBe(false);
    expect(one.checkIssued(new X509Certificate(ca.certPem))).toBe(true);
  });

  test.skipIf(!existsSync('/usr/bin/openssl'))('openssl finds nothing to object to, strictly', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'certificates-'));
    try {
      await writeFile(join(folder, 'ca.pem'), ca.certPem);
      await writeFile(join(folder, 'server.pem'), issue().certPem);
      const said = execFileSync(
        '/usr/bin/openssl',
        ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'server.pem'],
        { cwd: folder, encoding: 'utf8' },
      );
      expect(said.trim()).toBe('server.pem: OK');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
