// Bytes at the admin socket: whatever comes, the next one who asks properly is answered.

import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdminServer } from '../../../src/admin/server.ts';
import { Tidings } from '../../../src/admin/tidings.ts';
import { systemClock } from '../../../src/clock.ts';
import { SocketApi } from '../../../src/inspector/socket-api.ts';
import type { Target } from '../target.ts';

const asked = (head: string, body = '') =>
  `${head} HTTP/1.1\r\nhost: localhost\r\n${body === '' ? '' : `content-length: ${body.length}\r\n`}\r\n${body}`;

export const adminSocket: Target = {
  name: 'admin',
  about: 'bytes at the admin socket',
  seeds: [
    asked('GET /v1/health'),
    asked('GET /v1/fleet'),
    asked('GET /v1/events?fabric=7'),
    asked('GET /v1/metrics'),
    asked('HEAD /metrics'),
    asked('POST /v1/log-level', '{"level":"debug","for_ms":600000}'),
    asked('POST /v1/log-level', '{"level":"debug","for_ms":1e999,"by":"\\u0000"}'),
    asked('POST /v1/log-level', '[]'),
    asked('POST /api/link', '{"who":"ann@noc"}'),
    asked('POST /api/link', '{"who":{"__proto__":[]}}'),
    asked('GET /api/fabrics/%ff/runs'),
    asked('GET /api/events?after=x-1'),
    asked('GET /../../etc/passwd'),
    asked('GET http://elsewhere.example/v1/health'),
    'GET /v1/health HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n',
  ],
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-fuzz-'));
    const socketPath = join(folder, 'admin.sock');
    let level = 'info';
    const view = () => ({ level, configured: 'info', until: null }) as never;
    const api = new SocketApi({
      api: { document: async () => ({}), stream: async (response: { end(): void }) => response.end() } as never,
      link: (who) => ({ url: 'http://127.0.0.1:1', who, token: 'x', untilMs: 0 }),
      inspector: () => null,
    });
    const server = new AdminServer({
      inspector: (request, response) => api.answer(request, response),
      socketPath,
      tidings: new Tidings(),
      health: () => ({ ok: true }),
      fleet: () => ({ fabrics: [] }),
      levels: {
        view,
        set(to: string) {
          level = to;
          return view();
        },
      } as never,
      metrics: { scrape: async () => 'up 1\n', contentType: 'text/plain', clock: systemClock },
    });
    await server.start();
    return {
      async run(input) {
        await say(socketPath, input);
        if (!/^(trace|debug|info|warn|error|fatal|silent)$/.test(level)) throw new Error(`the level is ${level}`);
        if ((await statusOf(socketPath)) !== 200) throw new Error('it does not answer any more');
      },
      async close() {
        await server.stop();
        await rm(folder, { recursive: true });
      },
    };
  },
};

/** Resolves when the other side has ended the connection, or has begun to answer. */
async function say(socketPath: string, input: Buffer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect(socketPath);
  socket.on('error', () => resolve());
  socket.on('close', () => resolve());
  socket.on('data', () => resolve());
  socket.end(input);
  await promise;
  socket.destroy();
}

async function statusOf(socketPath: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request({ socketPath, path: '/v1/health', agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  })
    .once('error', reject)
    .end();
  return promise;
}
