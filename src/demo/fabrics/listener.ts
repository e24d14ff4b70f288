// The TLS port of a simulated fabric. A plain TCP server stands in front of the HTTPS server, so that it can refuse or
// ignore a connection before the handshake.
//
//   P1. The port, once chosen, is the fabric's: it is the same after it was refused for a while.
//   P2. After `close` no connection is open. After `end` nothing opens it again, not even an `open` that was under way.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { KeyedCertificate } from './certificates.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly certificate: KeyedCertificate;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
}

export interface ConnectionCounts {
  readonly open: number;
  /** Accepted since the start. */
  readonly accepted: number;
}

export class Listener {
  readonly #host: string;
  readonly #secure: SecureServer;
  readonly #sockets = new Set<Socket>();
  #front: Server | null = null;
  #port: number;
  #silent = false;
  #ended = false;
  #accepted = 0;

  constructor(options: ListenerOptions) {
    this.#host = options.host;
    this.#port = options.port;
    this.#secure = createSecureServer(
      { key: options.certificate.keyPem, cert: options.certificate.certPem, ALPNProtocols: ['http/1.1'] },
      options.handle,
    );
    // Longer than clients keep their connections, so that the client is the one to close an idle one.
    this.#secure.keepAliveTimeout = 120_000;
    this.#secure.on('tlsClientError', () => {});
  }

  get port(): number {
    return this.#port;
  }

  get connections(): ConnectionCounts {
    return { open: this.#sockets.size, accepted: this.#accepted };
  }

  /** Rejects where the port is taken, unless any other will do. */
  async open({ otherwiseAny = false } = {}): Promise<void> {
    if (this.#front || this.#ended) return;
    try {
      this.#front = await this.#listen(this.#port);
    } catch (cause) {
      const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
      if (!taken || !otherwiseAny) throw cause;
      this.#front = await this.#listen(0);
    }
    this.#port = (this.#front.address() as AddressInfo).port;
    if (this.#ended) await this.close();
  }

  async #listen(port: number): Promise<Server> {
    const front = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    front.once('error', reject);
    front.listen(port, this.#host, resolve);
    await promise;
    return front;
  }

  /** Nobody listens any more; open connections are cut. */
  async close(): Promise<void> {
    const front = this.#front;
    this.#front = null;
    const { promise, resolve } = Promise.withResolvers<void>();
    if (front) front.close(() => resolve());
    else resolve();
    this.cut();
    await promise;
  }

  /** Closes for good. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.close();
  }

  /** Closes every open connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** New connections are accepted and ignored, while `silent`. Open ones are cut. */
  setSilent(silent: boolean): void {
    this.#silent = silent;
    this.cut();
  }

  /** New connections see this certificate. Open ones are cut. */
  setCertificate({ certPem, keyPem }: KeyedCertificate): void {
    this.#secure.setSecureContext({ cert: certPem, key: keyPem });
    this.cut();
  }

  #accept(socket: Socket): void {
    this.#accepted += 1;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    if (!this.#silent) this.#secure.emit('connection', socket);
  }
}
