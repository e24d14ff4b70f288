// Attacks on the inspector's server, with the bytes that an attacker would send.

import { describe, expect, test } from 'vitest';
import { get, type Headers, lines, loggedIn, ours, post } from './attacker.ts';
import { sampleRow } from './sample.ts';
import { openStand, raw, rawAll } from './stand.ts';

const named = (key: string): Headers => ({ 'x-fabric-syncd-key': key });

describe('a name that somebody else points at loopback (DNS rebinding)', () => {
  test.each([
    'evil.example',
    'evil.example:PORT',
    'localhost.evil.example:PORT',
    '127.0.0.1.evil.example:PORT',
    'localhost:1',
    '127.0.0.1',
    'localhost.:PORT',
    '127.1:PORT',
    '0.0.0.0:PORT',
    '2130706433:PORT',
    '[::ffff:127.0.0.1]:PORT',
    'user@127.0.0.1:PORT',
    '127.0.0.1:PORT, evil.example',
    '',
  ])('a request for "%s" is refused, whatever it asks', async (name) => {
    const { port, did } = await openStand();
    const host = name.replace('PORT', String(port));
    for (const path of ['/', '/assets/app.js', '/api/fleet', '/api/session', '/nothing']) {
      const { status, body } = await raw(port, get(path, { host }));
      expect([path, status]).toEqual([path, 421]);
      expect(body).not.toContain('lab');
    }
    expect((await raw(port, post('/api/fabrics/lab/trigger', { ...ours(host), host }))).status).toBe(421);
    expect(did).toEqual([]);
  });

  test.each(['127.0.0.1:PORT', 'localhost:PORT', '[::1]:PORT'])('a request for %s is answered', async (name) => {
    const { port } = await openStand();
    expect((await raw(port, get('/api/fleet', { host: name.replace('PORT', String(port)) }))).status).toBe(200);
  });

  test('two Host headers, or none, are refused', async () => {
    const { port, host } = await openStand();
    expect(
      (await raw(port, `GET /api/fleet HTTP/1.1\r\nhost: ${host}\r\nhost: evil.example\r\n\r\n`)).status,
    ).toBeGreaterThanOrEqual(400);
    expect((await raw(port, 'GET /api/fleet HTTP/1.1\r\n\r\n')).status).toBe(400);
    expect((await raw(port, 'GET /api/fleet HTTP/1.0\r\n\r\n')).status).toBe(421);
  });

  test('a whole URL as the target does not stand in for the Host', async () => {
    const { port, host } = await openStand();
    for (const target of [`http://${host}/api/fleet`, `http://evil.example/api/fleet`, `//${host}/api/fleet`, '*']) {
      expect((await raw(port, get(target, { host }))).status).toBeGreaterThanOrEqual(400);
    }
  });

  test('each request of a connection is judged by itself', async () => {
    const { port, host } = await openStand();
    const good = `GET /api/session HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
    const bad = `GET /api/fleet HTTP/1.1\r\nhost: evil.example:${port}\r\n\r\n`;
    expect((await rawAll(port, good + bad, 2)).map(({ status }) => status)).toEqual([200, 421]);
  });
});

describe('a page of another site', () => {
  const cross: Headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };

  test('reads nothing and loads nothing', async () => {
    const { port, host } = await openStand();
    for (const site of ['cross-site', 'same-site']) {
      for (const path of ['/api/fleet', '/api/events', '/api/fabrics/lab', '/assets/app.js']) {
        const { status, head } = await raw(port, get(path, { host, ...cross, 'sec-fetch-site': site }));
        expect([site, path, status]).toEqual([site, path, 403]);
        expect(head.toLowerCase()).not.toContain('access-control-');
      }
    }
  });

  test('may lead a person here by a link, but not into a frame', async () => {
    const { port, host } = await openStand();
    const led = { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await raw(port, get('/fabrics/lab', { ...led, 'sec-fetch-dest': 'document' }))).status).toBe(200);
    for (const dest of ['iframe', 'frame', 'embed', 'object', 'script', 'image']) {
      expect((await raw(port, get('/fabrics/lab', { ...led, 'sec-fetch-dest': dest }))).status).toBe(403);
    }
    // A link to the API is no page.
    expect((await raw(port, get('/api/fleet', { ...led, 'sec-fetch-dest': 'document' }))).status).toBe(403);
  });

  test('from another port of this host it reads nothing either', async () => {
    const { port, host } = await openStand();
    expect((await raw(port, get('/api/fleet', { host, origin: 'http://127.0.0.1:3000' }))).status).toBe(403);
  });

  test.each<[string, Headers]>([
    ['its own origin', { origin: 'https://evil.example' }],
    ['another port of this host', { origin: 'http://127.0.0.1:3000' }],
    ['our host by another scheme', { origin: 'https://HOST' }],
    ['a null origin (a sandbox, a file)', { origin: 'null' }],
    ['our origin, and a browser that knows better', { 'sec-fetch-site': 'cross-site' }],
    ['our origin, and a browser that says same-site', { 'sec-fetch-site': 'same-site' }],
    ['our origin, typed by hand', { 'sec-fetch-site': 'none' }],
  ])('changes nothing, though the cookie is sent: %s', async (_, wrong) => {
    const { port, host, login, did } = await loggedIn();
    const headers: Headers = { ...ours(host), ...login, ...wrong };
    const origin = headers.origin?.replace('HOST', host) ?? '';
    const { status } = await raw(port, post('/api/fabrics/lab/trigger', { ...headers, origin }));
    expect(status).toBe(403);
    expect(did).toEqual([]);
  });

  test('changes nothing without an Origin, by a form, or as plain text', async () => {
    const { port, host, login, did } = await loggedIn();
    const { origin: _, ...without } = ours(host);
    expect((await raw(port, post('/api/fabrics/lab/trigger', { ...without, ...login }))).status).toBe(403);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/json, text/plain',
      '',
    ]) {
      const headers = { ...ours(host), ...login, 'content-type': type };
      expect((await raw(port, post('/api/fabrics/lab/trigger', headers))).status).toBe(415);
    }
    expect(did).toEqual([]);
  });

  test('a preflight is not answered with any permission', async () => {
    const { port, host } = await openStand();
    const asked = `OPTIONS /api/fabrics/lab/trigger HTTP/1.1\r\n${lines({
      host,
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
      'access-control-request-private-network': 'true',
    })}connection: close\r\n\r\n`;
    const { status, head } = await raw(port, asked);
    expect(status).toBe(405);
    expect(head.toLowerCase()).not.toContain('access-control-');
  });
});

describe('a change', () => {
  test.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'TRACE'])('is not made by %s', async (method) => {
    const { port, host, login, did } = await loggedIn();
    for (const act of ['trigger', 'pause', 'resume', 'approve', 'unlock', 'cancel', 'retry']) {
      const asked = `${method} /api/fabrics/lab/${act}?reason=x HTTP/1.1\r\n${lines({ ...ours(host), ...login })}connection: close\r\n\r\n`;
      const { status } = await raw(port, asked);
      expect([act, status]).toEqual([act, 405]);
    }
    expect(did).toEqual([]);
  });

  test('is not made by who has not logged in, or has not logged in here', async () => {
    const { port, host, cookie, login, did } = await loggedIn();
    const [name = '', secret = ''] = cookie.split('=');
    for (const wrong of [
      '',
      `${name}=`,
      `${name}=${secret.slice(1)}`,
      `${name}=${'A'.repeat(43)}`,
      `${name}1=${secret}`,
      // One of two was put there by somebody else.
      `${name}=${secret}; ${name}=${'A'.repeat(43)}`,
    ]) {
      const { status } = await raw(port, post('/api/fabrics/lab/trigger', { ...ours(host), ...login, cookie: wrong }));
      expect([wrong, status]).toEqual([wrong, 401]);
    }
    expect(did).toEqual([]);
    expect((await raw(port, post('/api/fabrics/lab/trigger', { ...ours(host), ...login }))).status).toBe(200);
    expect(did).toEqual([['request', ['1'], 'ann@host', 'trace of trigger']]);
  });

  test('is not made by a program on another port of this host, which the browser gave the cookie to', async () => {
    const { port, host, cookie, login, did } = await loggedIn();
    const { token } = (await loggedIn()).desk.issue('mallory@host');
    const key = login['x-fabric-syncd-key'] ?? '';
    const session = async (headers: Headers) =>
      JSON.parse((await raw(port, get('/api/session', { host, ...headers }))).body).who;
    // It is no browser: it may say that it is a page of ours.
    for (const guess of [{}, ...['', 'A'.repeat(43), key.slice(1), `${key}, ${key}`, token].map(named)]) {
      const headers = { ...ours(host), cookie, ...guess };
      for (const path of ['/api/fabrics/lab/trigger', '/api/logout']) {
        expect([guess, (await raw(port, post(path, headers))).status]).toEqual([guess, 401]);
      }
      expect(await session({ cookie, ...guess })).toBeNull();
    }
    expect(did).toEqual([]);
    expect(await session(login)).toBe('ann@host');
  });

  test('is not made by the key without the cookie', async () => {
    const { port, host, login, did } = await loggedIn();
    const { cookie: _, ...key } = login;
    expect((await raw(port, post('/api/fabrics/lab/trigger', { ...ours(host), ...key }))).status).toBe(401);
    expect(did).toEqual([]);
  });

  test('is not possible where the daemon only shows, not even with a login', async () => {
    const { port, host, desk, did } = await openStand({ control: false });
    const { token } = desk.issue('ann@host');
    for (const path of ['/api/login', '/api/logout', '/api/fabrics/lab/trigger']) {
      const { status, body } = await raw(port, post(path, ours(host), JSON.stringify({ token })));
      expect([path, status, JSON.parse(body).error.code]).toEqual([path, 403, 'CONTROL_OFF']);
    }
    expect(did).toEqual([]);
  });

  test.each([
    ['[]', 400],
    ['null', 400],
    ['"x"', 400],
    ['{', 400],
    ['', 400],
    ['{"reason": 7}', 400],
    ['{"reason": "\\u0000\\n"}', 400],
    ['{"reason": "x", "until": "tomorrow"}', 400],
    ['{"reason": "x", "until": 1e99}', 400],
    ['{"reason": "x", "until": "2001-01-01T00:00:00Z"}', 400],
  ])('that says %s is answered with %d', async (body, status) => {
    const { port, host, login, did } = await loggedIn();
    const answer = await raw(port, post('/api/fabrics/lab/pause', { ...ours(host), ...login }, body));
    expect(answer.status).toBe(status);
    expect(did).toEqual([]);
  });

  test('with a large body is refused, said beforehand or not', async () => {
    const { port, host, login, did } = await loggedIn();
    const headers = { ...ours(host), ...login };
    const large = JSON.stringify({ reason: 'x'.repeat(5_000) });
    expect((await raw(port, post('/api/fabrics/lab/pause', headers, large))).status).toBe(413);
    const said = post('/api/fabrics/lab/pause', { ...headers, 'content-length': '99999999999' }, '');
    expect((await raw(port, said)).status).toBe(413);
    const piece = `400\r\n${'x'.repeat(1_024)}\r\n`;
    const chunked = `POST /api/fabrics/lab/pause HTTP/1.1\r\n${lines({ ...headers, 'transfer-encoding': 'chunked' })}\r\n${piece.repeat(5)}`;
    expect((await raw(port, chunked)).status).toBe(413);
    expect(did).toEqual([]);
  });

  test('with two lengths, or with a length and chunks, is not taken apart in two ways', async () => {
    const { port, host, login, did } = await loggedIn();
    const headers = { ...ours(host), ...login };
    const smuggled = 'POST /api/fabrics/lab/unlock HTTP/1.1\r\n\r\n';
    const both = `POST /api/fabrics/lab/pause HTTP/1.1\r\n${lines({ ...headers, 'content-length': '4', 'transfer-encoding': 'chunked' })}\r\n0\r\n\r\n${smuggled}`;
    expect((await raw(port, both)).status).toBe(400);
    const two = `POST /api/fabrics/lab/pause HTTP/1.1\r\n${lines(headers)}content-length: 2\r\ncontent-length: 60\r\n\r\n{}${smuggled}`;
    expect((await raw(port, two)).status).toBe(400);
    expect(did).toEqual([]);
  });

  test('is told in the log, with who, and also where it was refused', async () => {
    const { port, host, login, log } = await loggedIn({ rows: [sampleRow({ syncEnabled: false })] });
    await raw(port, post('/api/fabrics/lab/trigger', { ...ours(host), ...login }));
    await raw(
      port,
      post('/api/fabrics/lab/pause', { ...ours(host), ...login }, '{"reason":"x\\nforged line","until":null}'),
    );
    const told = log.lines.filter(({ fields }) => fields.via === 'inspector');
    expect(told.map(({ level, fields }) => [level, fields.act, fields.by, fields.code])).toEqual([
      ['warn', 'trigger', 'ann@host', 'SYNC_DISABLED'],
      ['info', 'pause', 'ann@host', undefined],
    ]);
  });
});

describe('a login', () => {
  test('is a cookie that no script reads, no other site sends, and that ends', async () => {
    const { setCookie, port } = await loggedIn();
    expect(setCookie).toMatch(
      new RegExp(`^fabric_syncd_${port}=[A-Za-z0-9_-]{43}; Path=/api; Max-Age=28800; HttpOnly; SameSite=Strict$`),
    );
  });

  test('opens once, and neither a guess nor a session opens it', async () => {
    const { port, host, token, cookie, log } = await loggedIn();
    for (const guess of [token, cookie.split('=')[1], '', 'A'.repeat(43), token.slice(1), `${token} `]) {
      const { status } = await raw(port, post('/api/login', ours(host), JSON.stringify({ token: guess })));
      expect([guess, status]).toEqual([guess, 401]);
    }
    expect((await raw(port, post('/api/login', ours(host), JSON.stringify({ token: [token] })))).status).toBe(401);
    expect(JSON.stringify(log.lines)).not.toContain(token);
  });

  test('is not stolen by a page of another site that knows a token', async () => {
    const { port, host, desk } = await openStand();
    const { token } = desk.issue('ann@host');
    const foreign = { ...ours(host), origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect((await raw(port, post('/api/login', foreign, JSON.stringify({ token })))).status).toBe(403);
    expect((await raw(port, post('/api/login', ours(host), JSON.stringify({ token })))).status).toBe(200);
  });
});
