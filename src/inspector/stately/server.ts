// A WebSocket on loopback that tells every fabric's state machine in the words of the Stately Inspector, so that its
// viewers attach to a running daemon:
//
//   ws://127.0.0.1:PORT/            every fabric
//   ws://127.0.0.1:PORT/?fabric=lab one of them, by name or number
//
//   Z1. It only tells. What a client sends is not read.
//   Z2. Loopback only, and a browser only with a page that loopback served: no foreign page can look in (WebSockets know
//       no same-origin rule, so the handshake's `Origin` and `Host` are checked).
//   Z3. A client that reads too slowly is cut off (client.ts); one that does not answer a ping is gone.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import { NotListening } from '../../not-listening.ts';
import type { Service } from '../../service.ts';
import { StatelyClient } from './client.ts';
import type { FabricMember, FabricMoved } from './messages.ts';

export interface StatelyDeps {
  /** A loopback address. Port 0: any that is free. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly clock: Clock;
  readonly log: Log;
  readonly members: () => Iterable<FabricMember>;
  /** @returns "stop listening" */
  readonly onTransition: (hear: (moved: FabricMoved) => void) => () => void;
}

const clientsMax = 8;
const pingEveryMs = 15_000;

export class StatelyServer implements Service {
  readonly name = 'stately inspector';
  readonly #deps: StatelyDeps;
  readonly #alive = new WeakSet<WebSocket>();
  #http: Server | null = null;
  #sockets: WebSocketServer | null = null;
  #stopPing = () => {};

  constructor(deps: StatelyDeps) {
    this.#deps = deps;
  }

  /** Where it listens; null while it does not. */
  get port(): number | null {
    const address = this.#http?.address();
    return typeof address === 'object' && address !== null ? address.port : null;
  }

  async start(): Promise<void> {
    const http = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (_, response) => {
      response.writeHead(426, { 'content-type': 'text/plain', upgrade: 'websocket', connection: 'close' });
      response.end('This speaks the messages of the Stately Inspector over a WebSocket.\n');
    });
    http.maxConnections = 4 * clientsMax;
    const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024, perMessageDeflate: false });
    http.on('upgrade', (request, socket, head) => this.#upgrade(sockets, request, socket, head));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    http.once('error', reject);
    const { listen, log } = this.#deps;
    http.listen(listen, resolve);
    try {
      await promise;
    } catch (cause) {
      const { code = 'it failed' } = cause as NodeJS.ErrnoException;
      throw new NotListening(
        `FABRIC_SYNCD_STATELY: cannot listen on ${listen.host}:${listen.port} (${code}): free it, or choose another port`,
        { cause },
      );
    }
    http.on('error', () => {});
    this.#http = http;
    this.#sockets = sockets;
    this.#ping(sockets);
    const url = `ws://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${this.port}`;
    log.info({ url }, `viewers of the Stately Inspector can attach at ${url}`);
  }

  async stop(): Promise<void> {
    const http = this.#http;
    const sockets = this.#sockets;
    this.#http = null;
    this.#sockets = null;
    this.#stopPing();
    for (const socket of sockets?.clients ?? []) socket.terminate();
    if (!http) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    http.close(() => resolve());
    http.closeAllConnections();
    await promise;
  }

  #upgrade(sockets: WebSocketServer, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const refusal = this.#refusalOf(request, sockets.clients.size);
    if (refusal) {
      socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => this.#serve(client, request));
  }

  #refusalOf({ headers: { host, origin } }: IncomingMessage, clients: number): string | null {
    if (!isLoopback(URL.parse(`http://${host ?? ''}`)?.hostname)) return '421 Misdirected Request';
    if (origin !== undefined && !isLoopback(URL.parse(origin)?.hostname)) return '403 Forbidden';
    return clients >= clientsMax ? '503 Service Unavailable' : null;
  }

  #serve(socket: WebSocket, request: IncomingMessage): void {
    const { clock, members, onTransition } = this.#deps;
    const wanted = URL.parse(request.url ?? '/', 'ws://loopback')?.searchParams.get('fabric') ?? null;
    const isWanted = ({ fabricId, name }: FabricMember | FabricMoved) =>
      wanted === null || wanted === name || wanted === fabricId;
    const found = [...members()].filter(isWanted);
    if (wanted !== null && found.length === 0) {
      socket.close(1008, 'there is no such fabric');
      return;
    }
    this.#alive.add(socket);
    socket.on('pong', () => this.#alive.add(socket));
    socket.on('error', () => socket.terminate());
    const client = new StatelyClient(socket, clock);
    const stop = onTransition((moved) => {
      if (isWanted(moved)) client.moved(moved);
    });
    socket.on('close', stop);
    client.introduce(found);
  }

  #ping(sockets: WebSocketServer): void {
    this.#stopPing = this.#deps.clock.after(pingEveryMs, () => {
      for (const client of sockets.clients) {
        if (!this.#alive.delete(client)) client.terminate();
        else client.ping();
      }
      this.#ping(sockets);
    });
  }
}

function isLoopback(hostname: string | undefined): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
}
