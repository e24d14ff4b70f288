// The inspector's HTTP server: the page, the API and, where it was asked for, control. Off unless it is set.
//
//   H1. Loopback or a Unix socket only. Every request is judged by its head (gate.ts) before anything else happens.
//   H2. Every answer carries the policy: nothing foreign is loaded, nothing is framed, nothing is guessed, nothing cached.
//   H3. Everything is bounded: connections, heads, bodies, the time that each may take.
//   H4. No change without control, both halves of a session and a page of ours; every change is recorded (control.ts).

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { formatIso } from '../clock.ts';
import type { Log } from '../log.ts';
import { NotListening } from '../not-listening.ts';
import type { Service } from '../service.ts';
import { listenOnPath, SocketPathTaken } from '../unix-socket.ts';
import { baseUrl, type InspectorAddress } from './address.ts';
import { Refusal } from './answers.ts';
import { type ReadingApi, wantedOf } from './api.ts';
import type { Control } from './control.ts';
import type { Details } from './details.ts';
import type { LoginDocument, SessionDocument } from './documents.ts';
import { judgeOrigin, judgeTarget } from './gate.ts';
import { cookieOf, type Halves, type LoginDesk, type Session, sessionMs } from './login.ts';
import type { PageFile, PageFiles } from './page-files.ts';
import { readJsonBody } from './request-body.ts';
import type { Streams } from './streams.ts';

export interface InspectorServerDeps {
  readonly address: InspectorAddress;
  readonly page: PageFiles;
  readonly api: ReadingApi;
  readonly details: Details;
  readonly streams: Streams;
  /** Null: nobody may change anything here. */
  readonly control: { readonly acts: Control; readonly desk: LoginDesk } | null;
  readonly log: Log;
  readonly limits?: ServerLimits;
}

export interface ServerLimits {
  readonly connections: number;
  readonly headBytes: number;
  /** How long a head may take to come, and a whole request. */
  readonly headMs: number;
  readonly requestMs: number;
  /** How long a connection is kept between two requests. */
  readonly idleMs: number;
}

const limitsDefault: ServerLimits = {
  connections: 128,
  headBytes: 8 * 1024,
  headMs: 5_000,
  requestMs: 10_000,
  idleMs: 10_000,
};

export class InspectorServer implements Service {
  readonly name = 'inspector';
  readonly #deps: InspectorServerDeps;
  readonly #headers: Readonly<Record<string, string>>;
  #server: Server | null = null;

  constructor(deps: InspectorServerDeps) {
    this.#deps = deps;
    const scripts = ["'self'", ...deps.page.inlineScripts].join(' ');
    this.#headers = {
      'content-security-policy':
        `default-src 'none'; script-src ${scripts}; style-src 'self'; img-src 'self'; font-src 'self'; ` +
        `connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=()',
      'cache-control': 'no-store',
    };
  }

  /** Of TCP; 0 while it does not listen, or listens on a socket. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** What a person opens. */
  get url(): string {
    return baseUrl(this.#deps.address, this.port);
  }

  /** @throws NotListening */
  async start(): Promise<void> {
    const { address, log, limits = limitsDefault } = this.#deps;
    const server = createServer(
      {
        maxHeaderSize: limits.headBytes,
        headersTimeout: limits.headMs,
        requestTimeout: limits.requestMs,
        keepAliveTimeout: limits.idleMs,
        connectionsCheckingInterval: Math.min(1_000, limits.headMs),
      },
      (request, response) => {
        this.#serve(request, response).catch((thrown: unknown) => {
          log.error({ err: thrown }, 'the inspector failed at a request');
          response.destroy();
        });
      },
    );
    server.maxConnections = limits.connections;
    server.maxHeadersCount = 64;
    // Nothing here is spoken but HTTP/1.1; a preflight for a body is not needed.
    server.on('upgrade', (_, socket) => socket.destroy());
    server.on('checkContinue', (request, response) => server.emit('request', request, response));
    try {
      await listen(server, address);
    } catch (cause) {
      const where = address.kind === 'unix' ? address.path : baseUrl(address, address.port);
      const why = cause instanceof SocketPathTaken ? cause.why : `${(cause as NodeJS.ErrnoException).code}`;
      throw new NotListening(
        `the inspector cannot listen on ${where} (${why}): free it, or set FABRIC_SYNCD_INSPECTOR to another`,
        { cause },
      );
    }
    server.on('error', () => {});
    this.#server = server;
    log.info({ url: this.url, control: this.#deps.control !== null }, `the inspector is at ${this.#where()}`);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    this.#deps.streams.stop();
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    server.closeAllConnections();
    await promise;
  }

  #where(): string {
    const { address } = this.#deps;
    return address.kind === 'unix' ? `unix:${address.path}` : this.url;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy());
    for (const [name, value] of Object.entries(this.#headers)) response.setHeader(name, value);
    try {
      const { path, query } = judgeTarget(request, this.#deps.address, this.port);
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      if (!isRead && request.method !== 'POST') throw notAllowed('GET, HEAD, POST');
      const [place] = path;
      if (place !== 'api') {
        if (!isRead) throw notAllowed('GET, HEAD');
        judgeOrigin(request, place === 'assets' ? 'file' : 'document');
        this.#sendPage(request, response, `/${path.join('/')}`, place === 'assets');
      } else if (isRead) {
        judgeOrigin(request, 'read');
        await this.#read(request, response, path.slice(1), query);
      } else {
        judgeOrigin(request, 'change');
        await this.#change(request, response, path.slice(1));
      }
    } catch (thrown) {
      this.#refuse(response, thrown);
    }
  }

  #sendPage(request: IncomingMessage, response: ServerResponse, path: string, isFile: boolean): void {
    const { files, index } = this.#deps.page;
    // A deep link, such as /fabrics/lab, is the same page; what it shows is for its script to say.
    const file: PageFile | undefined = isFile ? files.get(path) : path === '/favicon.ico' ? undefined : index;
    if (!file) throw new Refusal(404, 'NOT_FOUND', 'there is no such file');
    response.setHeader('etag', file.etag);
    // May be kept, and is asked for each time whether it still is the one.
    response.setHeader('cache-control', 'no-cache');
    if (request.headers['if-none-match'] === file.etag) {
      response.writeHead(304).end();
      return;
    }
    response.writeHead(200, { 'content-type': file.type, 'content-length': file.body.length });
    response.end(file.body);
  }

  async #read(
    request: IncomingMessage,
    response: ServerResponse,
    path: readonly string[],
    query: URLSearchParams,
  ): Promise<void> {
    const [what] = path;
    if (what === 'session' && path.length === 1) send(response, 200, this.#sessionDocument(this.#sessionOf(request)));
    else if (what === 'events' && path.length === 1) {
      if (request.method === 'HEAD') throw notAllowed('GET');
      await this.#deps.api.stream(response, wantedOf(query, request.headers['last-event-id']));
    } else if (isChange(path)) throw notAllowed('POST');
    else send(response, 200, await this.#deps.api.document(path));
  }

  async #change(request: IncomingMessage, response: ServerResponse, path: readonly string[]): Promise<void> {
    const { control, details } = this.#deps;
    if (!isChange(path)) throw notAllowed('GET, HEAD');
    if (!control)
      throw new Refusal(403, 'CONTROL_OFF', 'this daemon only shows', 'To act from here: fabric-syncd run --control.');
    const body = await readJsonBody(request);
    const [what, name = '', act = ''] = path;
    if (what === 'login') {
      const opened = typeof body.token === 'string' ? control.desk.open(body.token) : null;
      if (!opened) {
        throw new Refusal(
          401,
          'LOGIN_REFUSED',
          'this link was used already, or is too old',
          'Get a new one: fabric-syncd inspect --link.',
        );
      }
      this.#deps.log.info({ by: opened.session.who }, `${opened.session.who} logged in to the inspector`);
      const { cookie, key } = opened.halves;
      response.setHeader('set-cookie', cookieLine(request, cookie, sessionMs / 1_000));
      const document: LoginDocument = { ...this.#sessionDocument(opened.session), key };
      send(response, 200, document);
      return;
    }
    const session = this.#sessionOf(request);
    if (!session) throw new Refusal(401, 'NOT_LOGGED_IN', 'log in first', 'Get a link: fabric-syncd inspect --link.');
    if (what === 'logout') {
      control.desk.close(halvesOf(request));
      response.setHeader('set-cookie', cookieLine(request, '', 0));
      send(response, 200, this.#sessionDocument(null));
      return;
    }
    if (!control.acts.knows(act)) throw new Refusal(404, 'NOT_FOUND', 'there is no such act');
    const { view } = await details.find(name);
    send(response, 200, await control.acts.do(act, view.id, session.who, body));
  }

  #sessionOf(request: IncomingMessage): Session | null {
    return this.#deps.control?.desk.session(halvesOf(request)) ?? null;
  }

  #sessionDocument(session: Session | null): SessionDocument {
    return {
      control: this.#deps.control !== null,
      who: session?.who ?? null,
      until: session ? formatIso(session.untilMs) : null,
    };
  }

  #refuse(response: ServerResponse, thrown: unknown): void {
    const refusal = Refusal.from(thrown);
    if (refusal.code === 'INTERNAL') this.#deps.log.error({ err: thrown }, 'the inspector failed at a request');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // What was not read of a body is not waited for.
    response.setHeader('connection', 'close');
    if (refusal.status === 405) response.setHeader('allow', refusal.hint);
    send(response, refusal.status, refusal.document());
  }
}

function isChange(path: readonly string[]): boolean {
  const [what] = path;
  return what === 'fabrics' ? path.length === 3 : path.length === 1 && (what === 'login' || what === 'logout');
}

/**
 * A cookie is the host's, whichever port set it. By the port that was asked for, daemons have one each: two on one host, and
 * two whose sockets are forwarded to one.
 */
function cookieName({ headers }: IncomingMessage): string {
  return `fabric_syncd_${/:(\d+)$/.exec(headers.host ?? '')?.[1] ?? 80}`;
}

function cookieLine(request: IncomingMessage, value: string, seconds: number): string {
  return `${cookieName(request)}=${value}; Path=/api; Max-Age=${seconds}; HttpOnly; SameSite=Strict`;
}

function halvesOf(request: IncomingMessage): Halves {
  const key = request.headers['x-fabric-syncd-key'];
  return {
    cookie: cookieOf(request.headers.cookie, cookieName(request)) ?? '',
    key: typeof key === 'string' ? key : '',
  };
}

function notAllowed(allowed: string): Refusal {
  return new Refusal(405, 'METHOD_NOT_ALLOWED', 'not by this method', allowed);
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': text.length });
  response.end(text);
}

async function listen(server: Server, address: InspectorAddress): Promise<void> {
  if (address.kind === 'unix') return listenOnPath(server, address.path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host: address.host, port: address.port }, resolve);
  await promise;
  server.off('error', reject);
}
