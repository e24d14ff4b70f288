// The admin API: HTTP on a Unix socket, for the CLI on the same host. Who may open the socket may ask.
//
//   GET /v1/health   {"ok", "why", "daemon", "version", "pid", "uptime_ms", "redis", "postgres", "fabrics": {state: n}}
//   GET /v1/fleet    {"fabrics": [{"id", "name", "state", "since", "run", "attempts"}]}
//   GET /v1/events   one JSON object a line (see tidings.ts), until the client goes; `?fabric=ID` filters
//   GET /v1/metrics  the metrics as Prometheus text; /metrics is the same
//   GET /v1/log-level   {"level", "configured", "until"}; POST sets it (see log-level-answer.ts)
//   /api/…           the inspector, and a link to log in to it (see src/inspector/socket-api.ts)
//
//   D1. It only reads, but for the level of this process's own log. What changes a fabric goes through Postgres, where
//       every daemon hears of it.
//   D2. A client that reads too slowly is cut off at `backlogBytesMax`, so that it can never grow our memory.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { LogLevels } from '../log-level.ts';
import { NotListening } from '../not-listening.ts';
import type { Service } from '../service.ts';
import { listenOnPath, SocketPathTaken } from '../unix-socket.ts';
import { setLogLevel } from './log-level-answer.ts';
import { answerScrape, metricsPaths, type ScrapeDeps } from './scrape-answer.ts';
import type { Tidings } from './tidings.ts';

export interface AdminDeps {
  readonly socketPath: string;
  readonly tidings: Tidings;
  readonly health: () => object;
  readonly fleet: () => object;
  readonly levels: LogLevels;
  readonly metrics: ScrapeDeps;
  /** Answers `/api/…` (src/inspector/socket-api.ts); where it is absent, nothing is there. */
  readonly inspector?: (request: IncomingMessage, response: ServerResponse) => void;
}

const backlogBytesMax = 1024 * 1024;

export class AdminServer implements Service {
  readonly name = 'admin socket';
  readonly #deps: AdminDeps;
  #server: Server | null = null;

  constructor(deps: AdminDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { socketPath } = this.#deps;
    const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) =>
      this.#answer(request, response),
    );
    server.maxConnections = 64;
    try {
      await listenOnPath(server, socketPath);
    } catch (thrown) {
      if (!(thrown instanceof SocketPathTaken)) throw thrown;
      throw new NotListening(
        `the admin socket cannot be made at ${socketPath}: ${thrown.why}. Stop that, or set FABRIC_SYNCD_ADMIN_SOCKET to another path`,
      );
    }
    // A client that could not be taken in (no file descriptor is left) is the client's trouble, not the daemon's end.
    server.on('error', () => {});
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    server.closeAllConnections();
    await promise;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = URL.parse(request.url ?? '/', 'http://admin');
    if (!url) {
      reply(response, 400, { error: { code: 'BAD_REQUEST' } });
    } else if (url.pathname.startsWith('/api/') && this.#deps.inspector) {
      this.#deps.inspector(request, response);
    } else if (metricsPaths.includes(url.pathname)) {
      answerScrape(this.#deps.metrics, request, response).catch(() => response.destroy());
    } else if (url.pathname === '/v1/log-level' && request.method === 'POST') {
      setLogLevel(this.#deps.levels, request)
        .then(({ status, body }) => reply(response, status, body))
        .catch(() => response.destroy());
    } else if (request.method !== 'GET') {
      reply(response, 405, { error: { code: 'METHOD_NOT_ALLOWED' } });
    } else if (url.pathname === '/v1/health') {
      reply(response, 200, this.#deps.health());
    } else if (url.pathname === '/v1/fleet') {
      reply(response, 200, this.#deps.fleet());
    } else if (url.pathname === '/v1/log-level') {
      reply(response, 200, this.#deps.levels.view());
    } else if (url.pathname === '/v1/events') {
      this.#stream(response, url.searchParams.get('fabric'));
    } else {
      reply(response, 404, { error: { code: 'NOT_FOUND' } });
    }
  }

  #stream(response: ServerResponse, fabricId: string | null): void {
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    response.flushHeaders();
    const stop = this.#deps.tidings.listen((tiding) => {
      if (fabricId !== null && tiding.fabric_id !== fabricId) return;
      response.write(`${JSON.stringify(tiding)}\n`);
      if (response.writableLength > backlogBytesMax) response.destroy();
    });
    response.on('close', stop);
    response.on('error', stop);
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
