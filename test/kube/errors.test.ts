import { describe, expect, test } from 'vitest';
import { readRetryAfter } from '../../src/kube/answers.ts';
import { plainCause, reachFailure } from '../../src/kube/errors.ts';

const systemError = (code: string, more: object = {}) => Object.assign(new Error(`boom ${code}`), { code, ...more });
const where = 'lab (control.example:6443)';

describe('what Node and undici throw', () => {
  test.each([
    ['ENOTFOUND', 'ADDRESS_UNKNOWN'],
    ['EAI_AGAIN', 'ADDRESS_UNKNOWN'],
    ['ECONNREFUSED', 'UNREACHABLE'],
    ['ECONNRESET', 'UNREACHABLE'],
    ['EHOSTUNREACH', 'UNREACHABLE'],
    ['ENETUNREACH', 'UNREACHABLE'],
    ['EACCES', 'UNREACHABLE'],
    ['UND_ERR_SOCKET', 'UNREACHABLE'],
    ['ETIMEDOUT', 'TIMED_OUT'],
    ['UND_ERR_CONNECT_TIMEOUT', 'TIMED_OUT'],
    ['UND_ERR_HEADERS_TIMEOUT', 'TIMED_OUT'],
    ['UND_ERR_BODY_TIMEOUT', 'TIMED_OUT'],
    ['CERT_HAS_EXPIRED', 'TLS_EXPIRED'],
    ['CERT_NOT_YET_VALID', 'TLS_EXPIRED'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TLS_NAME_MISMATCH'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'TLS_UNTRUSTED'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'TLS_UNTRUSTED'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'TLS_UNTRUSTED'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'TLS_UNTRUSTED'],
    ['CERT_SIGNATURE_FAILURE', 'TLS_UNTRUSTED'],
    ['EPROTO', 'TLS_FAILED'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLS_FAILED'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'TLS_FAILED'],
    ['UND_ERR_HEADERS_OVERFLOW', 'NOT_KUBERNETES'],
    ['ERR_NOBODY_KNOWS', 'INTERNAL'],
  ])('%s is %s', (vendor, code) => {
    const failure = reachFailure(where, systemError(vendor), 'asking');
    expect(failure.code).toBe(code);
    expect(failure.message.startsWith(`${where}: `)).toBe(true);
    expect(failure.facts).toEqual({ cause: vendor });
  });

  test('a connection that is lost in the middle of an answer is a broken answer, not an absent server', () => {
    expect(reachFailure(where, systemError('ECONNRESET'), 'reading').code).toBe('BODY_BROKEN');
    expect(reachFailure(where, systemError('UND_ERR_BODY_TIMEOUT'), 'reading').code).toBe('TIMED_OUT');
  });

  test('a host with several addresses is refused by all of them, and they are named', () => {
    const each = ['::1', '127.0.0.1'].map((address) => systemError('ECONNREFUSED', { address }));
    const failure = reachFailure(where, new AggregateError(each), 'asking');
    expect(failure.code).toBe('UNREACHABLE');
    expect(failure.message).toBe(`${where}: the connection was refused (tried ::1, 127.0.0.1)`);
  });

  test('the names of a certificate come from a stranger: they are one line and bounded', () => {
    const cert = { subjectaltname: `DNS:a\u001b[2Jb\n${'x'.repeat(5_000)}` };
    const failure = reachFailure(where, systemError('ERR_TLS_CERT_ALTNAME_INVALID', { host: 'c', cert }), 'asking');
    expect(failure.message).toContain('is not for c; it is for DNS:a [2Jb x');
    expect(failure.message.length).toBeLessThan(500);
  });

  test.each([
    [{ host: 'c', cert: { subject: { CN: 'old' } } }, 'no alternative names, only CN=old'],
    [{}, 'has no names'],
  ])('a certificate without names: %j', (more, says) => {
    expect(reachFailure(where, systemError('ERR_TLS_CERT_ALTNAME_INVALID', more), 'asking').message).toContain(says);
  });

  test('a cause keeps its text and its code and nothing else', () => {
    const deep = systemError('ECONNRESET', { headers: { authorization: 'Bearer secret' }, cause: new Error('secret') });
    const cause = plainCause(deep);
    expect(Object.keys(cause)).toEqual(['name', 'code']);
    expect(cause).toMatchObject({ message: 'boom ECONNRESET', code: 'ECONNRESET' });
    expect(cause.cause).toBeUndefined();
    expect(plainCause('a text').message).toBe('a text');
  });
});

describe('Retry-After', () => {
  const nowMs = Date.UTC(2026, 10, 23, 12, 0, 0);
  test.each([
    ['0', 0],
    ['7', 7_000],
    [' 120 ', 120_000],
    ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
    ['Monday, 23-Nov-26 12:00:30 GMT', 30_000],
    ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
    ['-1', null],
    ['1.5', null],
    ['soon', null],
    ['1e9', null],
    ['99999999999999999999', null],
    ['', null],
    [null, null],
  ])('%j means %j ms', (header, expected) => expect(readRetryAfter(header, nowMs)).toBe(expected));
});
