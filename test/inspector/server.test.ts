// Where the inspector's server listens, and what it serves.

import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { libraries, readPageFiles } from '../../src/inspector/page-files.ts';
import { NotListening } from '../../src/not-listening.ts';
import { openStand } from './stand.ts';

describe('on a Unix socket', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-inspector-'));
    path = join(folder, 'inspector.sock');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const ask = (host: string): Promise<[number | undefined, string]> => {
    const { promise, resolve, reject } = Promise.withResolvers<[number | undefined, string]>();
    const asked = request({ socketPath: path, path: '/api/session', headers: { host }, agent: false }, (response) => {
      text(response).then((body) => resolve([response.statusCode, body]), reject);
    });
    asked.once('error', reject).end();
    return promise;
  };

  test('its owner and group may look, nobody else; it is gone when the server is', async () => {
    const { server } = await openStand({ address: { kind: 'unix', path } });
    expect((await stat(path)).mode & 0o777).toBe(0o660);
    expect((await ask('localhost:9190'))[0]).toBe(200);
    expect((await ask('evil.example'))[0]).toBe(421);
    await server.stop();
    expect(await readdir(folder)).toEqual([]);
  });

  test('forwarded to one host, two daemons have a cookie each: by the port that was asked for', async () => {
    const { desk } = await openStand({ address: { kind: 'unix', path } });
    const cookieAt = async (host: string) => {
      const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
      const headers = { host, origin: `http://${host}`, 'content-type': 'application/json' };
      const asked = request(
        { socketPath: path, path: '/api/login', method: 'POST', headers, agent: false },
        (response) => resolve(response.resume().headers['set-cookie']?.[0]),
      );
      asked.once('error', reject).end(JSON.stringify({ token: desk.issue('ann@host').token }));
      return promise;
    };
    expect(await cookieAt('localhost:9191')).toMatch(/^fabric_syncd_9191=/);
    expect(await cookieAt('localhost:9192')).toMatch(/^fabric_syncd_9192=/);
    expect(await cookieAt('localhost')).toMatch(/^fabric_syncd_80=/);
  });

  test('a socket that somebody listens on is left to them', async () => {
    const { server } = await openStand({ address: { kind: 'unix', path } });
    await expect(openStand({ address: { kind: 'unix', path } })).rejects.toThrow(NotListening);
    expect((await ask('localhost'))[0]).toBe(200);
    await server.stop();
  });

  test('what a process that died has left there is taken away', async () => {
    const dead = await openStand({ address: { kind: 'unix', path } });
    // Closing removes the path that was listened on; one that has moved meanwhile stays, and nobody listens on it.
    await rename(path, `${path}.moved`);
    await dead.server.stop();
    await rename(`${path}.moved`, path);
    await openStand({ address: { kind: 'unix', path } });
    expect((await ask('localhost'))[0]).toBe(200);
  });

  test('a file in its place is left as it is', async () => {
    await writeFile(path, 'precious');
    await expect(openStand({ address: { kind: 'unix', path } })).rejects.toThrow(/no socket is there/);
    expect(await readFile(path, 'utf8')).toBe('precious');
  });
});

test('a port that is taken is told with what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    await expect(openStand({ address: { kind: 'tcp', host: '127.0.0.1', port } })).rejects.toThrow(
      new RegExp(`cannot listen on http://127.0.0.1:${port} \\(EADDRINUSE\\): free it, or set FABRIC_SYNCD_INSPECTOR`),
    );
  } finally {
    other.close();
  }
});

describe('the page', () => {
  test('a deep link is the page; a file that did not change is not sent again', async () => {
    const { base } = await openStand();
    for (const path of ['/', '/fabrics/lab', '/timers', '/login']) {
      const response = await fetch(`${base}${path}`);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(await response.text()).toContain('the page');
    }
    const first = await fetch(`${base}/assets/app.js`);
    const again = await fetch(`${base}/assets/app.js`, {
      headers: { 'if-none-match': first.headers.get('etag') ?? '' },
    });
    expect([first.status, again.status, await again.text()]).toEqual([200, 304, '']);
  });

  const page = readPageFiles();

  test('is whole: each file that it names is there, and no library of it asks for another', () => {
    const sources = [...page.files].filter(([url]) => /\.(?:js|html|css)$/.test(url));
    expect(sources.length).toBeGreaterThan(Object.keys(libraries).length);
    for (const [url, { body }] of sources) {
      const named = body
        .toString('utf8')
        .matchAll(/(?:from\s*|import\s*|\ssrc=|\shref=)["'](\.{0,2}\/[^"']+\.(?:js|css|svg))["']/g);
      for (const [, name = ''] of named) {
        const { pathname } = new URL(name, `http://page${url}`);
        expect([...page.files.keys()], `${url} names ${name}`).toContain(pathname);
      }
      if (url.endsWith('.js'))
        expect(body.toString('utf8'), url).not.toMatch(/^\s*(?:import|export)[^;]*\sfrom\s*["'][^./]/m);
    }
  });

  test('serves what a browser needs, and nothing that only its makers do', () => {
    const served = [...page.files.keys()].map((url) => url.replace('/assets/', ''));
    for (const url of Object.keys(libraries)) expect(page.files.get(url)?.body.length).toBeGreaterThan(500);
    expect(served.filter((url) => /\.(?:ts|md|map)$|tsconfig/.test(url))).toEqual([]);
  });

  test('asks no other host for anything', () => {
    for (const [url, { body }] of page.files) {
      if (url in libraries) continue;
      expect(body.toString('utf8'), url).not.toMatch(
        /(?:src|href|url\(|from|import\()\s*=?\s*["']?(?:https?:)?\/\/(?!www\.w3\.org)/,
      );
    }
  });
});
