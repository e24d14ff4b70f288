// What a connection to a fabric trusts and shows.
//
//   T1. No request goes over a connection that is not verified, whatever the environment says.
//   T2. A given CA is the only one trusted; without one, Node's own store (NODE_EXTRA_CA_CERTS and
//       NODE_USE_SYSTEM_CA=1 add to it).

import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, createSecureContext, type SecureContext } from 'node:tls';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Credential, FabricAddress } from '../ports/fabric-api.ts';
import type { ServerUrl } from './address.ts';
import { plainCause } from './errors.ts';

const begins = '-----BEGIN CERTIFICATE-----';
const ends = '-----END CERTIFICATE-----';
/** As large as the file that a CA may be given in: hundreds of certificates. */
const pemLengthMax = 1024 * 1024;

/**
 * The certificates in a PEM text. OpenSSL takes a text without one as "trust nobody" and says so only at the first
 * handshake, as an unknown CA; it is refused here with its true reason.
 *
 * @param what for the message: `the CA of lab`
 * @throws FabricFailure `SETTINGS_INVALID`
 */
export function readCertificates(pem: string, what: string): readonly X509Certificate[] {
  if (pem.length > pemLengthMax) {
    throw new FabricFailure('SETTINGS_INVALID', `${what} has ${pem.length} characters, more than ${pemLengthMax}`, {
      hint: 'Give the one certificate that signed the API’s: k3s keeps it in server-ca.crt, a Secret in ca.crt.',
    });
  }
  const blocks = certificateBlocks(pem);
  if (blocks.length === 0) {
    throw new FabricFailure('SETTINGS_INVALID', `${what} is not a certificate in PEM form`, {
      hint: 'It begins with -----BEGIN CERTIFICATE-----; k3s keeps it in server-ca.crt, a Secret in ca.crt.',
    });
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new FabricFailure('SETTINGS_INVALID', `${what}: certificate ${index + 1} in it cannot be read`, {
        cause: plainCause(cause),
      });
    }
  });
}

/**
 * The certificates of a PEM text and nothing else of it: a file may hold a private key beside them.
 *
 * @param what for the message: `the CA file /etc/ca.pem`
 * @throws FabricFailure `SETTINGS_INVALID`
 */
export function certificatesOnly(pem: string, what: string): string {
  readCertificates(pem, what);
  return certificateBlocks(pem)
    .map((block) => `${block}\n`)
    .join('');
}

/** Each text is looked at once, also one that begins a certificate again and again and ends none. */
function certificateBlocks(pem: string): readonly string[] {
  const blocks: string[] = [];
  let at = pem.indexOf(begins);
  while (at >= 0) {
    const end = pem.indexOf(ends, at);
    if (end < 0) break;
    blocks.push(pem.slice(at, end + ends.length));
    at = pem.indexOf(begins, end);
  }
  return blocks;
}

/** Built once a fabric and credential: parsing PEM for each connection costs more than the handshake's own work. */
export function secureContextFor(address: FabricAddress, credential: Credential | null): SecureContext {
  if (address.caPem !== null) readCertificates(address.caPem, `the CA of ${address.fabricName}`);
  try {
    return createSecureContext({
      minVersion: 'TLSv1.2',
      // As kubectl does: a given certificate is an anchor even where it is not self-signed.
      ...(address.caPem !== null && { ca: address.caPem, allowPartialTrustChain: true }),
      ...(credential?.kind === 'client_certificate' && { cert: credential.certPem, key: credential.keyPem }),
    });
  } catch (cause) {
    throw new FabricFailure('CREDENTIAL_UNREADABLE', `${address.fabricName}: the client certificate cannot be used`, {
      cause: plainCause(cause),
    });
  }
}

/** The options that decide whom we speak to. */
export function identityOptions(server: ServerUrl, tlsServerName: string | null): ConnectionOptions {
  const expected = tlsServerName ?? server.hostname;
  return {
    host: server.hostname,
    port: server.port,
    rejectUnauthorized: true,
    // An address is not allowed as a server name in TLS (RFC 6066), but a certificate may be for one.
    servername: isIP(expected) === 0 ? expected : '',
    checkServerIdentity: (_host, certificate) => checkServerIdentity(expected, certificate),
    ALPNProtocols: ['http/1.1'],
  };
}
