// Client certificates and their keys.

import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { readCertificates } from './tls.ts';

/**
 * A certificate and a key that belong together. Whether the certificate is still valid is the server's to say.
 *
 * @param what for messages: `the client certificate of lab`
 * @throws FabricFailure `CREDENTIAL_UNREADABLE`
 */
export function assertKeyPair(certPem: string, keyPem: string, what: string): void {
  const failed = (words: string, hint?: string) =>
    new FabricFailure('CREDENTIAL_UNREADABLE', `${what} ${words}`, hint === undefined ? {} : { hint });
  let certificate: X509Certificate | undefined;
  try {
    certificate = readCertificates(certPem, what)[0];
  } catch (thrown) {
    throw failed('is not a certificate in PEM form, or is damaged', FabricFailure.from(thrown).hint);
  }
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(keyPem)) {
    throw failed('has a key with a passphrase', 'Nobody is there to type it: give the key without one.');
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(keyPem);
  } catch {
    // OpenSSL's error is about the bytes of a secret: it goes no further.
    throw failed('has a key that cannot be read', 'It is a private key in PEM form.');
  }
  if (certificate?.checkPrivateKey(key) !== true) throw failed('and its key do not belong together');
}
