// Bytes at the inspector's port with control on: nothing is done without a login, nothing fails inside, and the next one
// who asks properly is answered.

import { request } from 'node:http';
import { connect } from 'node:net';
import { systemClock } from '../../../src/clock.ts';
import { LoginDesk } from '../../../src/inspector/login.ts';
import { InspectorServer } from '../../../src/inspector/server.ts';
import type { Target } from '../target.ts';

/** Takes the place of the port, which is not known beforehand. */
const portMark = '59190';
const ours = `host: 127.0.0.1:${portMark}\r\norigin: http://127.0.0.1:${portMark}\r\ncontent-type: application/json\r\n`;
const post = (path: string, body: string, more = '') =>
  `POST ${path} HTTP/1.1\r\n${ours}${more}content-length: ${body.length}\r\n\r\n${body}`;
const index = { body: Buffer.from('<!doctype html>'), type: 'text/html', etag: '"1"' };

export const inspectorPort: Target = {
  name: 'inspector',
  about: 'bytes at the inspector, control on',
  seeds: [
    `GET / HTTP/1.1\r\n${ours}\r\n`,
    `GET /api/fleet HTTP/1.1\r\n${ours}\r\n`,
    `GET /api/session HTTP/1.1\r\n${ours}cookie: fabric_syncd_${portMark}=x\r\n\r\n`,
    `GET /api/fabrics/%2e%2e/runs/1 HTTP/1.1\r\n${ours}sec-fetch-site: cross-site\r\n\r\n`,
    post('/api/login', '{"token":"guess"}'),
    post('/api/fabrics/lab/trigger', '{}', 'cookie: fabric_syncd_59190=guess\r\n'),
    post('/api/fabrics/lab/pause', '{"reason":"x","__proto__":{"who":"ann"}}'),
    post('/api/logout', '{}', 'transfer-encoding: chunked\r\n'),
  ],
  async open() {
    let failed: unknown = null;
    const none = { debug() {}, info() {}, warn() {}, error: (fields: object) => (failed = fields), child: () => none };
    const control = {
      desk: new LoginDesk(systemClock),
      acts: {
        knows: () => true,
        async do() {
          failed = 'it acted for somebody who has not logged in';
          return {};
        },
      },
    };
    const server = new InspectorServer({
      address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      page: { files: new Map(), index, inlineScripts: [] },
      api: { document: async () => ({}), stream: async (response: { end(): void }) => response.end() },
      details: { find: async () => ({ view: { id: '1' } }) },
      streams: { stop() {} },
      control,
      log: none,
    } as never);
    await server.start();
    const { port } = server;
    return {
      async run(input) {
        const bytes = input.toString('latin1').replaceAll(portMark, String(port));
        await say(port, Buffer.from(bytes, 'latin1'));
        if (failed !== null) throw new Error(`it failed inside: ${JSON.stringify(failed)}`);
        if ((await statusOf(port)) !== 200) throw new Error('it does not answer any more');
      },
      close: () => server.stop(),
    };
  },
};

/** Resolves when the other side has ended the connection, or has begun to answer. @throws where it says 5xx */
async function say(port: number, input: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => resolve());
  socket.on('close', () => resolve());
  socket.on('data', (data) => (/^HTTP\/1\.1 5/.test(data.toString('latin1')) ? reject(new Error('5xx')) : resolve()));
  socket.end(input);
  try {
    await promise;
  } finally {
    socket.destroy();
  }
}

async function statusOf(port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request({ port, host: '127.0.0.1', path: '/api/fleet', agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  })
    .once('error', reject)
    .end();
  return promise;
}
