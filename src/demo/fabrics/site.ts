// One fabric's end of HTTP: reads a request, asks who it is, lets faults strike, answers, and writes the access log.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { answer, type Cluster } from './api.ts';
import { deliver } from './deliver.ts';
import type { AnswerDeed, Faults, Struck } from './faults.ts';
import { type Route, routeOf } from './route.ts';
import { spoil } from './spoil.ts';
import * as say from './status.ts';

export interface Access {
  /** Epoch milliseconds: when the request was read. */
  readonly atMs: number;
  /** Whose token it bore: a name of `clients`, or null. */
  readonly client: string | null;
  readonly method: string;
  /** With the query. */
  readonly url: string;
  /** The `kind` asked for, or null. */
  readonly kind: string | null;
  /** The page of a list, from 1; 0 where it is not a list. */
  readonly page: number;
  /** 0: never answered. */
  readonly status: number;
  /** Of the body, before compression. */
  readonly bytes: number;
}

export interface SiteCounts {
  readonly requests: number;
  readonly inFlight: number;
  readonly inFlightMax: number;
  readonly bytes: number;
}

export interface SiteOptions {
  readonly cluster: Cluster;
  readonly faults: Faults;
  readonly token: string;
  /** More tokens that are good here, by the name of whom each was given to: the access log says it. */
  readonly clients?: Readonly<Record<string, string>>;
  /** How many requests are remembered; 5,000 where absent. */
  readonly accessesMax?: number;
  readonly onAccess?: (access: Access) => void;
}

const accessesMaxDefault = 5000;
const pagesMax = 5000;
const bodyBytesMax = 3 * 1024 * 1024;
/** A real API server compresses what is larger, where the client accepts it. */
const gzipFromBytes = 128 * 1024;
const gzipped = promisify(gzip);

export class Site {
  readonly #options: SiteOptions;
  readonly #clientOf: ReadonlyMap<string, string>;
  readonly #pages = new Map<string, number>();
  #accesses: Access[] = [];
  #requests = 0;
  #inFlight = 0;
  #inFlightMax = 0;
  #bytes = 0;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#clientOf = new Map(Object.entries(options.clients ?? {}).map(([client, token]) => [token, client]));
  }

  get counts(): SiteCounts {
    return { requests: this.#requests, inFlight: this.#inFlight, inFlightMax: this.#inFlightMax, bytes: this.#bytes };
  }

  /** The latest requests, oldest first. A request is there once its answer has ended. */
  get accesses(): readonly Access[] {
    return this.#accesses;
  }

  forgetAccesses(): void {
    this.#accesses = [];
  }

  /** @param url the request's path and query as this fabric sees it */
  handle(request: IncomingMessage, response: ServerResponse, url: string): void {
    this.#requests += 1;
    this.#inFlight += 1;
    this.#inFlightMax = Math.max(this.#inFlightMax, this.#inFlight);
    const atMs = this.#options.cluster.clock.nowMs();
    const [path = '', query = ''] = url.split('?', 2);
    const route = routeOf(this.#options.cluster.store.kinds, path);
    const parameters = new URLSearchParams(query);
    const struck = this.#struck(route, parameters);
    const client = this.#clientOf.get(tokenOf(request)) ?? null;
    let sent: { status: number; bytes: number } = { status: 0, bytes: 0 };
    response.once('close', () => {
      this.#inFlight -= 1;
      this.#bytes += sent.bytes;
      const { kind, page } = struck;
      this.#log({ atMs, client, method: request.method ?? '', url, kind, page, ...sent });
    });
    const note = (status: number, bytes: number) => {
      sent = { status, bytes };
    };
    this.#respond(request, response, route, parameters, struck, note).catch((cause: unknown) => {
      // A client that went away in the middle is no news; anything else is told to the client, as a real server would.
      if (response.headersSent || response.destroyed) response.destroy();
      else response.writeHead(500, { 'content-type': say.jsonType }).end(say.broken(String(cause)).body);
    });
  }

  async #respond(
    request: IncomingMessage,
    response: ServerResponse,
    route: Route,
    query: URLSearchParams,
    struck: Struck,
    note: (status: number, bytes: number) => void,
  ): Promise<void> {
    const deed = this.#options.faults.strike(struck);
    if (deed?.does === 'hang') return;
    const body = await readBody(request);
    const given = this.#answer(request, route, query, body, deed);
    this.#countPages(given, struck.page);
    const bytes = Buffer.from(given.body);
    note(given.status, bytes.length);

    response.statusCode = given.status;
    response.setHeader('audit-id', randomUUID());
    response.setHeader('cache-control', 'no-cache, private');
    response.setHeader('content-type', given.contentType);
    for (const [name, value] of Object.entries(given.headers ?? {})) response.setHeader(name, value);
    const compresses =
      bytes.length > gzipFromBytes && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    if (compresses) {
      response.setHeader('content-encoding', 'gzip');
      response.setHeader('vary', 'Accept-Encoding');
    }
    const content = compresses ? await gzipped(bytes, { level: 1 }) : bytes;
    deliver(response, content, deed, this.#options.cluster.clock);
  }

  #answer(
    request: IncomingMessage,
    route: Route,
    query: URLSearchParams,
    body: string | null,
    deed: AnswerDeed | null,
  ): say.Answer {
    const token = tokenOf(request);
    if (token !== this.#options.token && !this.#clientOf.has(token)) return say.unauthorized();
    if (body === null) return say.tooLarge();
    const refusal = deed && refusalOf(deed, route, request.method ?? 'GET');
    if (refusal) return refusal;
    const good = answer(this.#options.cluster, {
      method: request.method ?? 'GET',
      route,
      query,
      accept: request.headers.accept ?? '*/*',
      contentType: request.headers['content-type'] ?? '',
      body,
    });
    return deed ? spoil(good, deed) : good;
  }

  #struck(route: Route, query: URLSearchParams): Struck {
    switch (route.to) {
      case 'objects':
        return { kind: route.kind.kind, page: this.#pageOf(query.get('continue')), on: 'list' };
      case 'object':
        return { kind: route.kind.kind, page: 0, on: 'object' };
      case 'namespaces':
        return { kind: 'Namespace', page: 1, on: 'list' };
      case 'namespace':
        return { kind: 'Namespace', page: 0, on: 'object' };
      default:
        return { kind: null, page: 0, on: 'discovery' };
    }
  }

  #pageOf(continueToken: string | null): number {
    return continueToken ? (this.#pages.get(continueToken) ?? 2) : 1;
  }

  /** Remembers which page the token of this answer leads to. */
  #countPages({ body }: say.Answer, page: number): void {
    if (page === 0) return;
    const token = /"continue":"([^"]+)"/.exec(body.slice(-1200))?.[1];
    if (token === undefined) return;
    this.#pages.set(token, page + 1);
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= pagesMax) break;
      this.#pages.delete(oldest);
    }
  }

  #log(access: Access): void {
    const atMost = this.#options.accessesMax ?? accessesMaxDefault;
    this.#accesses.push(access);
    if (this.#accesses.length > atMost) this.#accesses.splice(0, Math.ceil(atMost / 5));
    this.#options.onAccess?.(access);
  }
}

/** Empty where it bears none. */
function tokenOf({ headers }: IncomingMessage): string {
  return /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
}

/** What a fault answers instead of the API. */
function refusalOf(deed: AnswerDeed, route: Route, method: string): say.Answer | null {
  if (deed.does !== 'status') return null;
  if (deed.status === 401) return say.unauthorized();
  if (deed.status === 404) return say.resourceNotFound();
  if (deed.status !== 403) return say.inTrouble(deed.status, deed.retryAfterS);
  switch (route.to) {
    case 'objects':
      return say.forbidden(route.kind, method === 'POST' ? 'create' : 'list', route.namespace);
    case 'object':
      return say.forbidden(route.kind, 'get', route.namespace, route.name);
    case 'namespaces':
      return say.forbidden({ group: '', plural: 'namespaces' }, 'list', null);
    case 'namespace':
      return say.forbidden({ group: '', plural: 'namespaces' }, 'get', route.name, route.name);
    default:
      return say.forbiddenPath(route.to);
  }
}

/** @returns null where it is larger than a real API server would take */
async function readBody(request: IncomingMessage): Promise<string | null> {
  if (request.method === 'GET' || request.method === 'HEAD') return '';
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bodyBytesMax) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
