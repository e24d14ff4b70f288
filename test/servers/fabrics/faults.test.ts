import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { ask, listAll, listPage } from '../../support/kube-client.ts';
import { fabricsOfThisFile } from '../../support/simulated-fabric.ts';

const start = fabricsOfThisFile();
const servers = '/apis/wiring.githedgehog.com/v1beta1/namespaces/default/servers';
const switches = '/apis/wiring.githedgehog.com/v1beta1/namespaces/default/switches';
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (cause: NodeJS.ErrnoException) => cause.code ?? cause.name,
  );

describe('a fault of the listener', () => {
  test('refuse: nobody is at the port, and afterwards the same fabric is there again', async () => {
    const fabric = await start({ shape: 'tiny' });
    const id = await fabric.faults.set({ does: 'refuse' });
    expect(await codeOf(ask(fabric, '/version'))).toBe('ECONNREFUSED');
    await fabric.faults.clear(id);
    expect((await ask(fabric, '/version')).status).toBe(200);
  });

  test('refuse: a fabric that is stopped while it comes back stays away', async () => {
    const fabric = await start({ shape: 'tiny' });
    const id = await fabric.faults.set({ does: 'refuse' });
    await Promise.all([fabric.faults.clear(id), fabric.stop()]);
    expect(await codeOf(ask(fabric, '/version'))).toBe('ECONNREFUSED');
    await fabric.faults.clear();
    await fabric.faults.set({ does: 'certificate', which: 'expired' });
    expect(await codeOf(ask(fabric, '/version'))).toBe('ECONNREFUSED');
  });

  test('silent: TCP connects, and the handshake never begins', async () => {
    const fabric = await start({ shape: 'tiny' });
    await fabric.faults.set({ does: 'silent' });
    const socket = connect(fabric.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.destroy();
    const giveUp = new AbortController();
    const asked = codeOf(ask(fabric, '/version', { signal: giveUp.signal }));
    await expect.poll(() => fabric.connections.open).toBe(1);
    giveUp.abort();
    expect(await asked).toBe('ABORT_ERR');
    expect(fabric.counts.requests).toBe(0);
  });

  test.each([
    ['expired', 'CERT_HAS_EXPIRED'],
    ['not_yet_valid', 'CERT_NOT_YET_VALID'],
    ['other_name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['unknown_ca', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ] as const)('certificate: %s is refused by the client as %s', async (which, code) => {
    const fabric = await start({ shape: 'tiny' });
    await fabric.faults.set({ does: 'certificate', which });
    expect(await codeOf(ask(fabric, '/version'))).toBe(code);
    await fabric.faults.clear();
    expect((await ask(fabric, '/version')).status).toBe(200);
  });
});

describe('a fault of the answer', () => {
  test.each([
    [401, 'Unauthorized'],
    [403, 'Forbidden'],
    [404, 'NotFound'],
    [500, 'InternalError'],
    [503, 'ServiceUnavailable'],
  ])('status: %i on one kind leaves the others alone', async (status, reason) => {
    const fabric = await start({ shape: 'lab' });
    await fabric.faults.set({ does: 'status', status, where: { kind: 'Server' } });
    const struck = await ask(fabric, servers);
    expect([struck.status, JSON.parse(struck.text).reason]).toEqual([status, reason]);
    expect((await ask(fabric, switches)).status).toBe(200);
  });

  test('status: 403 names the user, the verb and the resource', async () => {
    const fabric = await start({ shape: 'lab' });
    await fabric.faults.set({ does: 'status', status: 403 });
    expect(JSON.parse((await ask(fabric, servers)).text).message).toBe(
      'servers.wiring.githedgehog.com is forbidden: User "system:serviceaccount:default:fabric-syncd" cannot list resource "servers" in API group "wiring.githedgehog.com" in the namespace "default"',
    );
  });

  test('status: 429 says when to come back, for so many requests', async () => {
    const fabric = await start({ shape: 'lab' });
    await fabric.faults.set({ does: 'status', status: 429, retryAfterS: 7, times: 2 });
    const seen = [await ask(fabric, servers), await ask(fabric, servers), await ask(fabric, servers)];
    expect(seen.map(({ status, headers }) => [status, headers['retry-after']])).toEqual([
      [429, '7'],
      [429, '7'],
      [200, undefined],
    ]);
    expect(fabric.faults.list()).toEqual([]);
  });

  test('status: 500 on page 3 only', async () => {
    const fabric = await start({ shape: 'lab' });
    await fabric.faults.set({ does: 'status', status: 500, where: { page: 3 } });
    const first = await listPage(fabric, `${servers}?limit=2`);
    const second = await listPage(fabric, `${servers}?limit=2&continue=${first.metadata.continue}`);
    expect(second.items).toHaveLength(2);
    expect((await ask(fabric, `${servers}?limit=2&continue=${second.metadata.continue}`)).status).toBe(500);
  });

  test('expire: 410 strikes in the middle of a list, never at its beginning', async () => {
    const fabric = await start({ shape: 'lab' });
    await fabric.faults.set({ does: 'expire', times: 1 });
    const first = await listPage(fabric, `${servers}?limit=2`);
    expect((await ask(fabric, `${servers}?limit=2&continue=${first.metadata.continue}`)).status).toBe(410);
    expect((await listAll(fabric, servers, 2)).flatMap(({ items }) => items)).toHaveLength(6);
  });

  test('hang: the request arrives and nothing comes back', async () => {
    const fabric = await start({ shape: 'lab' });
    await fabric.faults.set({ does: 'hang' });
    const giveUp = new AbortController();
    const asked = codeOf(ask(fabric, servers, { signal: giveUp.signal }));
    await expect.poll(() => fabric.counts.inFlight).toBe(1);
    giveUp.abort();
    expect(await asked).toBe('ABORT_ERR');
    await expect.poll(() => fabric.accesses.map(({ status }) => status)).toEqual([0]);
  });

  test('truncate: a whole answer whose JSON ends in the middle', async () => {
    const fabric = await start({ shape: 'lab' });
    await fabric.faults.set({ does: 'truncate' });
    const { status, text } = await ask(fabric, servers);
    expect(status).toBe(200);
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
  });

  test('reset: half of the body, and the connection is cut', async () => {
    const fabric = await start({ shape: 'lab' });
    await fabric.faults.set({ does: 'reset' });
    let bytes = 0;
    const asked = ask(fabric, servers, {
      onData: (piece) => {
        bytes += piece.length;
      },
    });
    expect(await codeOf(asked)).toBe('ECONNRESET');
    expect(bytes).toBeGreaterThan(100);
  });

  test.each([{ does: 'stall' }, { does: 'drip', bytesPerSecond: 1 }] as const)(
    '$does: the body begins and does not end',
    async (fault) => {
      const fabric = await start({ shape: 'lab' });
      await fabric.faults.set(fault);
      const giveUp = new AbortController();
      const began = Promise.withResolvers<void>();
      const asked = codeOf(ask(fabric, servers, { signal: giveUp.signal, onData: () => began.resolve() }));
      await began.promise;
      expect(fabric.counts.inFlight).toBe(1);
      giveUp.abort();
      expect(await asked).not.toBe('answered');
    },
  );

  test('html, redirect, body: something other than the API answers', async () => {
    const fabric = await start({ shape: 'lab' });
    await fabric.faults.set({ does: 'html', times: 1, where: { kind: 'Server' } });
    expect((await ask(fabric, servers)).headers['content-type']).toBe('text/html; charset=utf-8');
    await fabric.faults.set({ does: 'redirect', location: 'https://elsewhere.example/', times: 1 });
    const moved = await ask(fabric, servers);
    expect([moved.status, moved.headers.location]).toEqual([302, 'https://elsewhere.example/']);
    await fabric.faults.set({ does: 'body', text: '[]', times: 1 });
    expect((await ask(fabric, servers)).text).toBe('[]');
  });

  test('empty: a complete list of nothing, for one kind or for all', async () => {
    const fabric = await start({ shape: 'lab' });
    const id = await fabric.faults.set({ does: 'empty', where: { kind: 'Server' } });
    expect(await listPage(fabric, servers)).toMatchObject({ items: [], metadata: { continue: '' } });
    expect((await listPage(fabric, switches)).items).toHaveLength(5);
    await fabric.faults.clear(id);
    await fabric.faults.set({ does: 'empty' });
    expect((await listPage(fabric, switches)).items).toHaveLength(0);
  });

  test('pad: one object of 900 KB', async () => {
    const fabric = await start({ shape: 'lab' });
    await fabric.faults.set({ does: 'pad', bytes: 900_000 });
    const { items } = await listPage(fabric, servers);
    expect(JSON.stringify(items[0]).length).toBeGreaterThan(900_000);
    expect(JSON.stringify(items[1]).length).toBeLessThan(5_000);
  });

  test('poison: keys that reach for prototypes, a NUL, half a surrogate pair', async () => {
    const fabric = await start({ shape: 'lab' });
    await fabric.faults.set({ does: 'poison' });
    const { text } = await ask(fabric, servers);
    expect(text).toContain('"__proto__":{"polluted":true}');
    expect(text).toContain(String.raw`"a\u0000b"`);
    expect(text).toContain(String.raw`"\ud800"`);
    expect(JSON.parse(text).items).toHaveLength(6);
    expect({}).not.toHaveProperty('polluted');
  });

  test('endless: every page says that there is another', async () => {
    const fabric = await start({ shape: 'lab' });
    await fabric.faults.set({ does: 'endless' });
    const first = await listPage(fabric, servers);
    const second = await listPage(fabric, `${servers}?continue=${first.metadata.continue}`);
    expect(second.metadata.continue).toBe(first.metadata.continue);
    expect(second.items).toHaveLength(6);
  });

  test('other_cluster: the same names, and not one uid is the same', async () => {
    const fabric = await start({ shape: 'lab' });
    const uids = async () => (await listPage(fabric, servers)).items.map(({ metadata }) => metadata.uid);
    const before = await uids();
    const id = await fabric.faults.set({ does: 'other_cluster' });
    const elsewhere = await uids();
    expect(new Set([...before, ...elsewhere]).size).toBe(12);
    expect(await uids()).toEqual(elsewhere);
    const { text } = await ask(fabric, '/api/v1/namespaces/kube-system');
    expect(JSON.parse(text).metadata.uid).not.toBe(fabric.clusterUid);
    await fabric.faults.clear(id);
    expect(await uids()).toEqual(before);
  });
});
