// What Node and undici throw, in the project's words. This is the only place that knows their codes.
//
//   E1. A code (or a class, where undici gives no code) decides, never the text of a message.
//   E2. What becomes the `cause` is a plain copy (name, message, code, stack): a vendor's error may hold a socket, a
//       certificate or the bytes of an answer.

import { errors } from 'undici';
import { FabricFailure, type FailureCode, oneLine } from '../../machines/fabric/failure.ts';

/** How far a request had come: it decides whether a lost connection is an absent server or a broken answer. */
export type Phase = 'asking' | 'reading';

const table: Readonly<Record<string, readonly [FailureCode, string]>> = {
  ENOTFOUND: ['ADDRESS_UNKNOWN', 'the host name is not known to DNS'],
  EAI_AGAIN: ['ADDRESS_UNKNOWN', 'the name server did not answer'],
  EAI_FAIL: ['ADDRESS_UNKNOWN', 'the name server failed'],
  EAI_NODATA: ['ADDRESS_UNKNOWN', 'the host name has no address'],
  EAI_NONAME: ['ADDRESS_UNKNOWN', 'the host name is not known to DNS'],
  ENODATA: ['ADDRESS_UNKNOWN', 'the host name has no address'],
  ECONNREFUSED: ['UNREACHABLE', 'the connection was refused'],
  ECONNRESET: ['UNREACHABLE', 'the connection was reset'],
  ECONNABORTED: ['UNREACHABLE', 'the connection was aborted'],
  EPIPE: ['UNREACHABLE', 'the connection was closed'],
  EHOSTUNREACH: ['UNREACHABLE', 'there is no route to the host'],
  EHOSTDOWN: ['UNREACHABLE', 'the host is down'],
  ENETUNREACH: ['UNREACHABLE', 'the network cannot be reached'],
  ENETDOWN: ['UNREACHABLE', 'the network is down'],
  EADDRNOTAVAIL: ['UNREACHABLE', 'this host has no free address or port to connect from'],
  EACCES: ['UNREACHABLE', 'this host may not connect there (a local firewall or policy)'],
  EPERM: ['UNREACHABLE', 'this host may not connect there (a local firewall or policy)'],
  EMFILE: ['UNREACHABLE', 'this process has no file descriptor left'],
  ENFILE: ['UNREACHABLE', 'this host has no file descriptor left'],
  UND_ERR_SOCKET: ['UNREACHABLE', 'the other side closed the connection'],
  ETIMEDOUT: ['TIMED_OUT', 'the connection timed out'],
  ERR_SOCKET_CONNECTION_TIMEOUT: ['TIMED_OUT', 'the connection timed out'],
  UND_ERR_CONNECT_TIMEOUT: ['TIMED_OUT', 'the connection timed out'],
  UND_ERR_HEADERS_TIMEOUT: ['TIMED_OUT', 'no answer came in time'],
  UND_ERR_BODY_TIMEOUT: ['TIMED_OUT', 'the answer stalled'],
  CERT_HAS_EXPIRED: ['TLS_EXPIRED', 'the certificate has expired'],
  CERT_NOT_YET_VALID: ['TLS_EXPIRED', 'the certificate is not valid yet'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['TLS_UNTRUSTED', 'the certificate is signed by itself and is not the given CA'],
  SELF_SIGNED_CERT_IN_CHAIN: ['TLS_UNTRUSTED', 'the certificate’s CA is not the given one'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['TLS_UNTRUSTED', 'the certificate is not signed by a known CA'],
  UNABLE_TO_GET_ISSUER_CERT: ['TLS_UNTRUSTED', 'the certificate is not signed by a known CA'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['TLS_UNTRUSTED', 'the certificate is not signed by a known CA'],
  CERT_SIGNATURE_FAILURE: ['TLS_UNTRUSTED', 'the certificate is signed by another CA of the same name'],
  CERT_UNTRUSTED: ['TLS_UNTRUSTED', 'the certificate’s CA is not trusted'],
  CERT_REJECTED: ['TLS_UNTRUSTED', 'the certificate’s CA is not meant for this use'],
  CERT_REVOKED: ['TLS_UNTRUSTED', 'the certificate was revoked'],
  CERT_CHAIN_TOO_LONG: ['TLS_UNTRUSTED', 'the certificate chain is too long'],
  INVALID_CA: ['TLS_UNTRUSTED', 'the certificate is signed by one that is no CA'],
  INVALID_PURPOSE: ['TLS_UNTRUSTED', 'the certificate is not meant for a server'],
  PATH_LENGTH_EXCEEDED: ['TLS_UNTRUSTED', 'the certificate chain is longer than its CA allows'],
  EPROTO: ['TLS_FAILED', 'the TLS handshake failed'],
  UND_ERR_HEADERS_OVERFLOW: ['NOT_KUBERNETES', 'the headers of the answer are too large'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['BODY_BROKEN', 'the answer is not as long as it said'],
};

/**
 * Translates what a request threw.
 *
 * @param place the fabric and its address, as `placeOf` writes it
 */
export function reachFailure(place: string, thrown: unknown, phase: Phase): FabricFailure {
  if (thrown instanceof FabricFailure) return thrown;
  const vendorCode = codeOf(thrown);
  const failed = (code: FailureCode, words: string) =>
    new FabricFailure(code, `${place}: ${words}`, {
      cause: plainCause(thrown),
      ...(vendorCode !== null && { facts: { cause: vendorCode } }),
    });
  if (vendorCode === 'ERR_TLS_CERT_ALTNAME_INVALID') return failed('TLS_NAME_MISMATCH', namesOf(thrown));
  if (vendorCode?.startsWith('ERR_SSL_')) return failed('TLS_FAILED', `the TLS handshake failed (${vendorCode})`);
  if (thrown instanceof errors.HTTPParserError) {
    return phase === 'reading'
      ? failed('BODY_BROKEN', 'the answer breaks the rules of HTTP in its middle')
      : failed('NOT_KUBERNETES', 'the answer is not HTTP');
  }
  const [code, words] = (vendorCode === null ? undefined : table[vendorCode]) ?? [];
  if (code === undefined || words === undefined) {
    return failed('INTERNAL', `an unforeseen error (${vendorCode ?? plainCause(thrown).message})`);
  }
  if (phase === 'reading' && code === 'UNREACHABLE')
    return failed('BODY_BROKEN', `in the middle of an answer ${words}`);
  return failed(code, vendorCode === 'EPROTO' ? words : `${words}${addressesTried(thrown)}`);
}

/** A copy that holds nothing but text (E2). */
export function plainCause(thrown: unknown): Error & { code?: string } {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const parts = error instanceof AggregateError ? error.errors.map((each) => plainCause(each).message) : [];
  const copy: Error & { code?: string } = new Error(oneLine(error.message || parts.join('; ') || error.name));
  copy.name = error.name;
  if (error.stack !== undefined) copy.stack = error.stack;
  const code = codeOf(error);
  if (code !== null) copy.code = code;
  return copy;
}

/** The `code` of a system or undici error; of the first inner one where several addresses were tried. */
export function codeOf(thrown: unknown): string | null {
  if (!(thrown instanceof Error)) return null;
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code;
  if (thrown instanceof AggregateError) return codeOf(thrown.errors[0]);
  return null;
}

/** Which names the certificate does have: what an operator needs for `tlsSAN` or `--tls-server-name`. */
function namesOf(thrown: unknown): string {
  const { host, cert } = thrown as { host?: unknown; cert?: { subjectaltname?: unknown; subject?: { CN?: unknown } } };
  const asked = typeof host === 'string' ? host : 'the name asked for';
  const { subjectaltname, subject } = cert ?? {};
  if (typeof subjectaltname === 'string' && subjectaltname !== '') {
    return `the certificate is not for ${asked}; it is for ${oneLine(subjectaltname, 300)}`;
  }
  if (typeof subject?.CN === 'string') {
    return `the certificate is not for ${asked}; it has no alternative names, only CN=${oneLine(subject.CN, 200)}`;
  }
  return `the certificate is not for ${asked}, and has no names`;
}

function addressesTried(thrown: unknown): string {
  if (!(thrown instanceof AggregateError)) return '';
  const tried = thrown.errors.flatMap((each) =>
    each instanceof Error && 'address' in each && typeof each.address === 'string' ? [each.address] : [],
  );
  return tried.length > 0 ? ` (tried ${tried.join(', ')})` : '';
}
