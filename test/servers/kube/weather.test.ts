// What goes wrong between us and a fabric: each ends in its own code, in time, and without the token.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { FailureCode } from '../../../machines/fabric/failure.ts';
import {
  createCa,
  expired,
  issueServerCertificate,
  notYetValid,
  validFrom,
} from '../../../src/demo/fabrics/certificates.ts';
import type { Fault } from '../../../src/demo/fabrics/faults.ts';
import { raw, rawCaName, startRawApi } from '../../support/raw-api.ts';
import {
  atEnd,
  canary,
  everythingIn,
  failureOf,
  first,
  limits,
  never,
  type Opening,
  opened,
  rawFabric,
  simulated,
  switches,
} from './opened.ts';

/** A TCP server that reads and throws away. */
async function plainServer(greet: (socket: Socket) => void = () => {}) {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => {}).resume();
    greet(socket);
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  return { port: (server.address() as AddressInfo).port, open };
}

const emptyList = JSON.stringify({
  apiVersion: 'wiring.githedgehog.com/v1beta1',
  kind: 'SwitchList',
  metadata: { resourceVersion: '7' },
  items: [],
});

describe('a fabric that cannot be reached', () => {
  test('a name that nobody knows', async () => {
    const api = opened({ url: 'https://fabric.invalid:6443' });
    const failure = await failureOf(api.groups(never()), 'ADDRESS_UNKNOWN');
    expect(failure.message).toContain('lab (fabric.invalid:6443)');
  });

  test('a refused connection says where', async () => {
    const { fabric, api } = await simulated();
    await fabric.faults.set({ does: 'refuse' });
    const failure = await failureOf(api.groups(never()), 'UNREACHABLE');
    expect(failure.message).toContain(`lab (127.0.0.1:${fabric.port}): the connection was refused`);
  });

  test('a host that accepts and never speaks: the connecting has its own limit, and the phase is told', async () => {
    const { fabric, api } = await simulated({ limits: { connectTimeoutMs: 200 } });
    await fabric.faults.set({ does: 'silent' });
    const failure = await failureOf(api.groups(never()), 'TIMED_OUT');
    expect(failure.message).toContain('the TLS handshake took longer than 200 ms');
  });

  test('a fabric that comes back is reached again through the same door', async () => {
    const { fabric, api } = await simulated();
    await api.groups(never());
    const id = await fabric.faults.set({ does: 'refuse' });
    await failureOf(api.groups(never()), 'UNREACHABLE');
    await fabric.faults.clear(id);
    expect((await api.groups(never())).size).toBeGreaterThan(0);
  });

  test('a port that speaks no TLS', async () => {
    const { port } = await plainServer((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'));
    const failure = await failureOf(opened({ url: `https://127.0.0.1:${port}` }).groups(never()), 'TLS_FAILED');
    expect(failure.facts?.cause).toMatch(/^ERR_SSL_/);
  });
});

describe('certificates', () => {
  const nowMs = Date.now();
  const ca = createCa(rawCaName, nowMs);
  const stranger = createCa('stranger', nowMs);
  const sameName = createCa(rawCaName, nowMs);
  const here = ['localhost', '127.0.0.1'];
  const issue = (from: typeof ca, names: readonly string[], validity = validFrom(nowMs, 1)) =>
    issueServerCertificate(from, { caName: rawCaName, names, validity });
  const serve = async (certificate: typeof ca, more: Partial<Opening> = {}) => {
    const server = await startRawApi((_request, socket) => socket.write(raw(200, '{"gitVersion":"v1"}')), {
      certificate,
    });
    atEnd(() => server.stop());
    return { server, api: opened({ url: server.url, caPem: ca.certPem, ...more }) };
  };

  test.each<[string, typeof ca, FailureCode, string]>([
    ['expired', issue(ca, here, expired(nowMs)), 'TLS_EXPIRED', 'has expired'],
    ['not valid yet', issue(ca, here, notYetValid(nowMs)), 'TLS_EXPIRED', 'not valid yet'],
    [
      'for other names',
      issue(ca, ['control.example', '10.1.2.3']),
      'TLS_NAME_MISMATCH',
      'DNS:control.example, IP Address:10.1.2.3',
    ],
    ['of an unknown CA', issue(stranger, here), 'TLS_UNTRUSTED', 'CA'],
    ['of another CA with the same name', issue(sameName, here), 'TLS_UNTRUSTED', 'CA'],
    ['signed by itself', stranger, 'TLS_UNTRUSTED', 'signed by itself'],
  ])('one that is %s is refused, and no request is sent', async (_what, certificate, code, says) => {
    const { server, api } = await serve(certificate);
    const failure = await failureOf(api.serverVersion(never()), code);
    expect(failure.message).toContain(says);
    expect(server.requests).toEqual([]);
  });

  test('without a CA, one that only the fabric’s own CA vouches for is refused', async () => {
    const { server, api } = await serve(issue(ca, here), { caPem: null });
    await failureOf(api.serverVersion(never()), 'TLS_UNTRUSTED');
    expect(server.requests).toEqual([]);
  });

  test('NODE_TLS_REJECT_UNAUTHORIZED does not switch verification off', async () => {
    const { api } = await serve(issue(stranger, here));
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    atEnd(async () => {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    });
    await failureOf(api.serverVersion(never()), 'TLS_UNTRUSTED');
  });

  test.each(['TLSv1', 'TLSv1.1'] as const)('a server that speaks %s and nothing newer is refused', async (version) => {
    const { certPem, keyPem } = issue(ca, here);
    const old = { minVersion: 'TLSv1', maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    let spoken = 0;
    const server = createTlsServer({ cert: certPem, key: keyPem, ...old }, () => spoken++).listen(0, '127.0.0.1');
    server.on('tlsClientError', () => {});
    await once(server, 'listening');
    atEnd(async () => void server.close());
    const { port } = server.address() as AddressInfo;
    const api = opened({ url: `https://127.0.0.1:${port}`, caPem: ca.certPem });
    await failureOf(api.serverVersion(never()), 'TLS_FAILED');
    expect(spoken, 'handshakes that were ended').toBe(0);
  });

  test.each([
    ['a name', ['control.example'], 'control.example'],
    ['an address', ['10.1.2.3'], '10.1.2.3'],
  ])('a TLS server name that is %s stands in for the one in the URL', async (_what, names, tlsServerName) => {
    const { api } = await serve(issue(ca, names), { tlsServerName });
    expect(await api.serverVersion(never())).toBe('v1');
  });

  test('a TLS server name that the certificate does not have is a mismatch', async () => {
    const { api } = await serve(issue(ca, here), { tlsServerName: 'control.example' });
    const failure = await failureOf(api.serverVersion(never()), 'TLS_NAME_MISMATCH');
    expect(failure.message).toContain('is not for control.example; it is for DNS:localhost, IP Address:127.0.0.1');
  });

  test('the server’s own certificate as the CA is enough, as with kubectl', async () => {
    const leaf = issue(ca, here);
    const { api } = await serve(leaf, { caPem: leaf.certPem });
    expect(await api.serverVersion(never())).toBe('v1');
  });

  test.each<['expired' | 'other_name' | 'unknown_ca', FailureCode]>([
    ['expired', 'TLS_EXPIRED'],
    ['other_name', 'TLS_NAME_MISMATCH'],
    ['unknown_ca', 'TLS_UNTRUSTED'],
  ])('one that turns %s after a good connection is noticed at the next one', async (which, code) => {
    const { fabric, api } = await simulated();
    await api.groups(never());
    const id = await fabric.faults.set({ does: 'certificate', which });
    await failureOf(api.groups(never()), code);
    await fabric.faults.clear(id);
    expect((await api.groups(never())).size).toBeGreaterThan(0);
  });

  test('a CA that is no certificate is the settings’ fault, not the server’s', async () => {
    const { api } = await serve(issue(ca, here), { caPem: 'not a certificate' });
    await failureOf(api.serverVersion(never()), 'SETTINGS_INVALID');
  });
});

describe('answers that are none', () => {
  test.each<[Fault, FailureCode, number | undefined]>([
    [{ does: 'status', status: 401 }, 'UNAUTHORIZED', undefined],
    [{ does: 'status', status: 429, retryAfterS: 7 }, 'THROTTLED', 7000],
    [{ does: 'status', status: 429 }, 'THROTTLED', undefined],
    [{ does: 'status', status: 500 }, 'SERVER_ERROR', undefined],
    [{ does: 'status', status: 503, retryAfterS: 3 }, 'SERVER_ERROR', 3000],
    [{ does: 'redirect', location: 'https://login.example/?token=x' }, 'REDIRECTED', undefined],
    [{ does: 'html' }, 'NOT_KUBERNETES', undefined],
    [{ does: 'truncate' }, 'BODY_BROKEN', undefined],
    [{ does: 'reset' }, 'BODY_BROKEN', undefined],
  ])('%o is %s', async (fault, code, retryAfterMs) => {
    const { fabric, api } = await simulated();
    await fabric.faults.set(fault);
    const failure = await failureOf(api.page(switches, first, never()), code);
    expect(failure.retryAfterMs).toBe(retryAfterMs);
    expect(failure.message).toContain(`lab (127.0.0.1:${fabric.port})`);
    expect(failure.message).not.toContain('token=');
  });

  test('a Retry-After may be a date', async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    const { api } = await rawFabric((_request, socket) => socket.write(raw(429, '', { 'retry-after': date })));
    const failure = await failureOf(api.groups(never()), 'THROTTLED');
    expect(failure.retryAfterMs).toBeGreaterThan(50_000);
    expect(failure.retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  test('a redirect is not followed, wherever it leads', async () => {
    const other = await startRawApi((_request, socket) => socket.write(raw(200, emptyList)));
    atEnd(() => other.stop());
    const { api } = await rawFabric((_request, socket) =>
      socket.write(raw(307, '', { location: `${other.url}/apis` })),
    );
    const failure = await failureOf(api.groups(never()), 'REDIRECTED');
    expect(failure.message).toContain(other.url);
    expect(other.connections).toBe(0);
  });

  test.each<[string, string, FailureCode]>([
    ['a body shorter than it said', `${raw(200, emptyList, { 'content-length': '9999' })}CLOSE`, 'BODY_BROKEN'],
    [
      'a chunk that breaks off',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{"kind"CLOSE',
      'BODY_BROKEN',
    ],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}', 'BODY_BROKEN'],
    ['JSON that ends early', raw(200, emptyList.slice(0, -9)), 'BODY_BROKEN'],
    ['an empty body', raw(200, ''), 'BODY_BROKEN'],
    ['no answer at all', 'CLOSE', 'UNREACHABLE'],
    ['no HTTP', 'hello\r\n\r\n', 'NOT_KUBERNETES'],
    ['endless headers', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(40_000)}`, 'NOT_KUBERNETES'],
    ['204', raw(204, ''), 'NOT_KUBERNETES'],
    [
      '403 and a web page',
      raw(403, '<html>blocked by policy</html>', { 'content-type': 'text/html' }),
      'NOT_KUBERNETES',
    ],
    ['404 and a web page', raw(404, '<html>nothing here</html>', { 'content-type': 'text/html' }), 'NOT_KUBERNETES'],
    ['502 and a web page', raw(502, '<html>bad gateway</html>', { 'content-type': 'text/html' }), 'SERVER_ERROR'],
  ])('%s', async (_what, bytes, code) => {
    const { api } = await rawFabric((_request, socket) => {
      socket.write(bytes.replace(/CLOSE$/, ''));
      if (bytes.endsWith('CLOSE')) socket.end();
    });
    await failureOf(api.page(switches, first, never()), code);
  });

  test('bytes that are not UTF-8 are not guessed at', async () => {
    const body = Buffer.from('{"kind":"\xff\xfe"}', 'latin1');
    const { api } = await rawFabric((_request, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.byteLength}\r\n\r\n`);
      socket.write(body);
    });
    const failure = await failureOf(api.page(switches, first, never()), 'BODY_BROKEN');
    expect(failure.message).toContain('UTF-8');
  });

  test('a token that the server repeats in its error is not repeated by us', async () => {
    const status = JSON.stringify({ kind: 'Status', code: 401, message: `who is Bearer ${canary}?` });
    const { api } = await rawFabric((_request, socket) => socket.write(raw(401, status)));
    const failure = await failureOf(api.groups(never()), 'UNAUTHORIZED');
    expect(failure.message).toContain('who is Bearer •••?');
  });

  test.each([
    ['where a long text is cut', raw(500, JSON.stringify({ kind: 'Status', message: 'x'.repeat(290) + canary }))],
    ['in the address of a redirect', raw(302, '', { location: `https://${canary}.example/` })],
    ['as the kind of a list', raw(200, JSON.stringify({ kind: canary }))],
    ['as a plain text', raw(404, canary, { 'content-type': 'text/plain' })],
  ])('nor %s, not even its beginning', async (_what, answer) => {
    const { api } = await rawFabric((_request, socket) => socket.write(answer));
    const failure = await api.page({ ...switches, plural: 'x' }, first, never()).then(
      (page) => page,
      (thrown: unknown) => thrown,
    );
    expect(everythingIn(failure)).not.toContain(canary.slice(0, 8));
  });
});

describe('limits', () => {
  test.each([
    ['as announced', (body: string) => raw(200, body)],
    ['as it comes', (body: string) => `HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${body}`],
  ])('a body that is too large, %s, is given up', async (_what, answer) => {
    const { api } = await rawFabric((_request, socket) => socket.write(answer(emptyList + ' '.repeat(5_000))), {
      limits: { bodyBytesMax: 4_096 },
    });
    const failure = await failureOf(api.page(switches, first, never()), 'BODY_TOO_LARGE');
    expect(failure.message).toContain('4096');
  });

  test('a body of exactly the limit is taken', async () => {
    const { api } = await rawFabric((_request, socket) => socket.write(raw(200, emptyList)), {
      limits: { bodyBytesMax: Buffer.byteLength(emptyList) },
    });
    expect(await api.page(switches, first, never())).toMatchObject({ kind: 'page' });
  });

  test('silence in a body has its own limit', async () => {
    const { fabric, api } = await simulated({ limits: { idleTimeoutMs: 60 } });
    await fabric.faults.set({ does: 'stall' });
    const failure = await failureOf(api.page(switches, first, never()), 'TIMED_OUT');
    expect(failure.message).toContain('stalled');
  });

  test('a body that drips meets the deadline of the whole request, not that of silence', async () => {
    const { fabric, api } = await simulated({ limits: { requestTimeoutMs: 400 } });
    await fabric.faults.set({ does: 'drip', bytesPerSecond: 10 });
    const failure = await failureOf(api.page(switches, first, never()), 'TIMED_OUT');
    expect(failure.message).toMatch(/sent \d+ bytes and did not finish within 400 ms/);
  });

  test('a request that is read and never answered meets the deadline', async () => {
    const { fabric, api } = await simulated({ limits: { requestTimeoutMs: 100 } });
    await fabric.faults.set({ does: 'hang' });
    const failure = await failureOf(api.groups(never()), 'TIMED_OUT');
    expect(failure.message).toContain('did not answer within 100 ms (/apis)');
  });

  test('a credential that never comes meets the deadline', async () => {
    const { api } = await simulated({ credential: () => new Promise(() => {}), limits: { requestTimeoutMs: 30 } });
    const failure = await failureOf(api.groups(never()), 'TIMED_OUT');
    expect(failure.message).toContain('the credential was not read');
  });

  test('no more connections than allowed, and as few as are needed', async () => {
    const { fabric, api } = await simulated({ limits: { connectionsMax: 3 } });
    await api.groups(never());
    await api.groups(never());
    expect(fabric.connections.accepted).toBe(1);
    await Promise.all(Array.from({ length: 12 }, () => api.page(switches, first, never())));
    expect(fabric.connections.accepted).toBe(3);
    expect(fabric.counts.inFlightMax).toBeLessThanOrEqual(3);
  });
});

describe('giving up', () => {
  test('the caller’s abort comes out as its own reason, in the middle of an answer and before one', async () => {
    const { fabric, api } = await simulated();
    for (const does of ['hang', 'stall'] as const) {
      await fabric.faults.set({ does });
      const stop = new AbortController();
      const reason = new Error('the lease is lost');
      const inFlight = fabric.counts.requests + 1;
      const asked = api.page(switches, first, stop.signal);
      while (fabric.counts.requests < inFlight) await turn();
      stop.abort(reason);
      await expect(asked).rejects.toBe(reason);
      await fabric.faults.clear();
    }
  });

  test('an abort that came first asks nothing', async () => {
    const { fabric, api } = await simulated();
    const reason = { why: 'any value is a reason' };
    await expect(api.groups(AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(fabric.connections.accepted).toBe(0);
  });

  test('closing leaves no connection behind, also none that is still being made', async () => {
    const { fabric, api } = await simulated();
    await api.groups(never());
    const silent = await plainServer();
    const connecting = opened({ url: `https://127.0.0.1:${silent.port}` });
    const asked = failureOf(connecting.groups(never()), 'CANCELLED');
    while (silent.open.size === 0) await turn();
    await Promise.all([api.close(), connecting.close()]);
    await asked;
    while (silent.open.size + fabric.connections.open > 0) await turn();
    await failureOf(api.groups(never()), 'CANCELLED');
    await api.close();
  });

  test('a request in hand when the door closes is cancelled', async () => {
    const { fabric, api } = await simulated({ limits });
    await fabric.faults.set({ does: 'hang' });
    const asked = failureOf(api.groups(never()), 'CANCELLED');
    while (fabric.counts.requests === 0) await turn();
    await api.close();
    await asked;
  });
});
