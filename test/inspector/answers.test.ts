// What every answer carries, and what somebody gets who asks for too much.

import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { get, lines, loggedIn, ours } from './attacker.ts';
import { sampleRow } from './sample.ts';
import { closed, openStand, raw } from './stand.ts';

describe('every answer', () => {
  test.each(['/', '/fabrics/lab', '/assets/app.js', '/assets/none.js', '/api/fleet', '/api/nothing', '/favicon.ico'])(
    '%s carries the policy',
    async (path) => {
      const { port, host } = await openStand();
      for (const name of [host, 'evil.example']) {
        const { header } = await raw(port, get(path, { host: name }));
        const policy = header('content-security-policy');
        expect(policy).toContain(`default-src 'none'; script-src 'self'; style-src 'self'`);
        expect(policy).toContain(`base-uri 'none'; form-action 'none'; frame-ancestors 'none'`);
        expect(policy).not.toMatch(/unsafe|\*|data:|https?:/);
        expect(header('x-content-type-options')).toBe('nosniff');
        expect(header('referrer-policy')).toBe('no-referrer');
        expect(header('cross-origin-opener-policy')).toBe('same-origin');
        expect(header('cross-origin-resource-policy')).toBe('same-origin');
        expect(header('access-control-allow-origin')).toBe('');
      }
    },
  );

  test.each([
    '/assets/../server.ts',
    '/assets/%2e%2e/server.ts',
    '/assets/..%2f..%2fpackage.json',
    '/assets//etc/passwd',
    '/assets/__proto__',
    '/assets/constructor',
    '/api/__proto__',
    '/api/fabrics/lab/runs/%00',
    '/api/fabrics/lab/constructor/x',
  ])('%s is a 404, and no file', async (path) => {
    const { port, host } = await openStand();
    const { status, header } = await raw(port, get(path, { host }));
    expect(status).toBe(404);
    expect(header('content-type')).toContain('application/json');
  });

  test.each(['/%', '/api/fabrics/%ff', '/assets/%c0%ae'])('%s cannot be decoded, and is refused', async (path) => {
    const { port, host } = await openStand();
    expect((await raw(port, get(path, { host }))).status).toBe(400);
  });

  test('a fabric that is called like markup comes as JSON, which no browser takes for a page', async () => {
    const name = '<img src=x onerror=alert(1)>\n\nevent: gone';
    const { port, host } = await openStand({ rows: [sampleRow({ name, syncError: '</script>' })] });
    const { header, body } = await raw(port, get('/api/fleet', { host }));
    expect(header('content-type')).toBe('application/json; charset=utf-8');
    expect(JSON.parse(body).fabrics[0].name).toBe(name);
    const missing = await raw(port, get(`/api/fabrics/${encodeURIComponent('<script>x</script>')}`, { host }));
    expect([missing.status, missing.header('content-type')]).toEqual([404, 'application/json; charset=utf-8']);
  });
});

describe('who asks for too much', () => {
  const limits = { connections: 128, headBytes: 8 * 1024, headMs: 100, requestMs: 200, idleMs: 100 };

  test('a head that never ends is cut off', async () => {
    const { port, host } = await openStand({ limits });
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\nx-slow: `);
    await closed(socket);
    const silent = connect(port, '127.0.0.1');
    await closed(silent);
  });

  test('a body that never ends is cut off', async () => {
    const { port, host, login } = await loggedIn({ limits });
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST /api/fabrics/lab/pause HTTP/1.1\r\n${lines({ ...ours(host), ...login, 'content-length': '100' })}\r\n{`,
    );
    await closed(socket);
  });

  test('a head that is too large, or has too many lines, is refused', async () => {
    const { port, host } = await openStand();
    expect((await raw(port, get('/', { host, 'x-large': 'x'.repeat(9_000) }))).status).toBe(431);
    expect((await raw(port, get(`/${'x'.repeat(9_000)}`, { host }))).status).toBe(431);
  });

  test('connections beyond the bound are closed, and those before are served', async () => {
    const { port, host } = await openStand({
      limits: { ...limits, headMs: 10_000, requestMs: 10_000, connections: 3 },
    });
    const held = [1, 2, 3].map(() => connect(port, '127.0.0.1'));
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    const more = connect(port, '127.0.0.1');
    await closed(more);
    for (const socket of held) {
      socket.on('error', () => {});
      socket.write(get('/api/session', { host }));
      expect(String(await new Promise((resolve) => socket.once('data', resolve)))).toMatch(/^HTTP\/1\.1 200/);
      socket.destroy();
    }
  });

  test('an upgrade to something else is not spoken', async () => {
    const { port, host } = await openStand();
    const socket = connect(port, '127.0.0.1');
    socket.write(get('/api/events', { host, connection: 'upgrade', upgrade: 'websocket' }));
    await closed(socket);
  });
});
