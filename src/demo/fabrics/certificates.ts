// The certificates of a simulated fabric: an own CA, as k3s makes one for each cluster, and what it signs.
//
//   X1. Keys are ECDSA P-256: a fabric has its certificates within a millisecond or two.
//   X2. A CA is nobody's but its fabric's: two fabrics never trust each other's certificates.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import * as der from './der.ts';

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface Validity {
  /** Epoch milliseconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const dayMs = 24 * 60 * 60_000;
/** From an hour before `nowMs`, so that a clock slightly behind still accepts it, for `days` days. */
export const validFrom = (nowMs: number, days: number): Validity => ({
  notBeforeMs: nowMs - 60 * 60_000,
  notAfterMs: nowMs + days * dayMs,
});
export const expired = (nowMs: number): Validity => ({
  notBeforeMs: nowMs - 30 * dayMs,
  notAfterMs: nowMs - dayMs,
});
export const notYetValid = (nowMs: number): Validity => ({
  notBeforeMs: nowMs + dayMs,
  notAfterMs: nowMs + 30 * dayMs,
});

/** The names that a server certificate carries unless told otherwise. */
export const localNames: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** @param name goes into the subject, as in `k3s-server-ca@lab` */
export function createCa(name: string, nowMs: number): KeyedCertificate {
  const keys = generateKeys();
  const certPem = certificate({
    subject: name,
    issuer: name,
    publicKeyDer: keys.publicDer,
    signerKeyPem: keys.keyPem,
    validity: validFrom(nowMs, 3650),
    extensions: [
      extension('2.5.29.19', der.sequence(der.boolean(true)), 'critical'),
      // Digital signature, certificate signing, revocation list signing.
      extension('2.5.29.15', der.bits(Buffer.from([0b1000_0110]), 1), 'critical'),
      extension('2.5.29.14', der.octets(keyIdentifier(keys.publicDer))),
    ],
  });
  return { certPem, keyPem: keys.keyPem };
}

/** A server certificate. `names`: host names and addresses, as they stand in the URLs of clients. */
export function issueServerCertificate(
  ca: KeyedCertificate,
  request: { readonly caName: string; readonly names: readonly string[]; readonly validity: Validity },
): KeyedCertificate {
  const keys = generateKeys();
  const caPublicDer = createPublicKey(createPrivateKey(ca.keyPem)).export({ type: 'spki', format: 'der' });
  const certPem = certificate({
    subject: 'k3s',
    issuer: request.caName,
    publicKeyDer: keys.publicDer,
    signerKeyPem: ca.keyPem,
    validity: request.validity,
    extensions: [
      extension('2.5.29.15', der.bits(Buffer.from([0b1010_0000]), 5), 'critical'),
      // Server authentication.
      extension('2.5.29.37', der.sequence(der.oid('1.3.6.1.5.5.7.3.1'))),
      extension('2.5.29.35', der.sequence(der.implicit(0, keyIdentifier(caPublicDer)))),
      extension('2.5.29.17', der.sequence(...request.names.map(alternativeName))),
    ],
  });
  return { certPem, keyPem: keys.keyPem };
}

function generateKeys(): { readonly publicDer: Buffer; readonly keyPem: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    publicDer: publicKey.export({ type: 'spki', format: 'der' }),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const ecdsaWithSha256 = der.sequence(der.oid('1.2.840.10045.4.3.2'));

function certificate(parts: {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKeyDer: Buffer;
  readonly signerKeyPem: string;
  readonly validity: Validity;
  readonly extensions: readonly der.Der[];
}): string {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01;
  const signed = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    der.integer(serial),
    ecdsaWithSha256,
    distinguishedName(parts.issuer),
    der.sequence(der.time(parts.validity.notBeforeMs), der.time(parts.validity.notAfterMs)),
    distinguishedName(parts.subject),
    parts.publicKeyDer,
    der.explicit(3, der.sequence(...parts.extensions)),
  );
  const signature = sign('sha256', signed, parts.signerKeyPem);
  const whole = der.sequence(signed, ecdsaWithSha256, der.bits(signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${whole.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string): der.Der {
  return der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.utf8(commonName))));
}

function extension(id: string, value: der.Der, critical?: 'critical'): der.Der {
  return der.sequence(der.oid(id), ...(critical ? [der.boolean(true)] : []), der.octets(value));
}

/** SHA-1 of the public key, as RFC 5280 suggests: a label that ties a certificate to its CA, not a protection. */
function keyIdentifier(spki: Buffer): Buffer {
  return createHash('sha1').update(spki).digest();
}

function alternativeName(name: string): der.Der {
  return isIP(name) === 0 ? der.implicit(2, Buffer.from(name, 'latin1')) : der.implicit(7, addressBytes(name));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = groups(tail ?? '');
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
