// What a client meets that gets no answer of a fabric: thrown as Node, OpenSSL and undici throw it, so that the product's own
// table (`src/kube/errors.ts`) says what it means.

import { FabricFailure, type FailureCode } from '../../machines/fabric/failure.ts';
import { tooLarge } from '../../src/kube/body.ts';
import { reachFailure } from '../../src/kube/errors.ts';

const vendorCodes: Partial<Record<FailureCode, string>> = {
  ADDRESS_UNKNOWN: 'ENOTFOUND',
  UNREACHABLE: 'ECONNREFUSED',
  TIMED_OUT: 'UND_ERR_CONNECT_TIMEOUT',
  TLS_UNTRUSTED: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  TLS_NAME_MISMATCH: 'ERR_TLS_CERT_ALTNAME_INVALID',
  TLS_EXPIRED: 'CERT_HAS_EXPIRED',
  TLS_FAILED: 'ERR_SSL_WRONG_VERSION_NUMBER',
};
const bodyBytesMax = 1024 ** 2;

/** @returns what is thrown where a fabric is in that trouble */
export function thrownBy(code: FailureCode): Error {
  if (code === 'BODY_TOO_LARGE') return tooLarge('the fabric', bodyBytesMax);
  const vendorCode = vendorCodes[code];
  if (vendorCode === undefined) throw new Error(`nothing that a client throws means ${code}`);
  return Object.assign(new Error(`the client says ${vendorCode}`), { code: vendorCode });
}

/** As the transport puts it. */
export function asFailure(place: string, thrown: unknown): FabricFailure {
  return thrown instanceof FabricFailure ? thrown : reachFailure(place, thrown, 'asking');
}
