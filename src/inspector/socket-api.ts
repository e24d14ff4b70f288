// The inspector by the admin socket, for the command line on the same host. Who may open the socket may look, whether or
// not the page is served, and may ask for a link to log in to it.
//
//   GET  /api/…     the documents and the stream (documents.ts)
//   POST /api/link  {"who": "ann@host"}: a link that opens once; 409 where there is nothing to log in to

import type { IncomingMessage, ServerResponse } from 'node:http';
import { formatIso } from '../clock.ts';
import { Refusal } from './answers.ts';
import { type ReadingApi, wantedOf } from './api.ts';
import { readJsonBody } from './request-body.ts';

/** What `inspect --link` prints. */
export interface LinkDocument {
  /** Opens once; the token is in the fragment, which no server's log ever sees. */
  readonly url: string;
  /** Who will have done what is done with it. */
  readonly who: string;
  readonly until: string;
}

export interface SocketApiDeps {
  readonly api: ReadingApi;
  /** Null where nobody can log in. */
  readonly link: (who: string) => {
    readonly url: string;
    readonly who: string;
    readonly token: string;
    readonly untilMs: number;
  } | null;
  /** Where the page is; null where it is not served. */
  readonly inspector: () => string | null;
}

export class SocketApi {
  readonly #deps: SocketApiDeps;

  constructor(deps: SocketApiDeps) {
    this.#deps = deps;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request, response).catch((thrown: unknown) => {
      const refusal = Refusal.from(thrown);
      if (response.headersSent) response.destroy();
      else reply(response, refusal.status, refusal.document());
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '/', 'http://admin');
    const path = decoded(url?.pathname ?? '').slice(1);
    if (request.method === 'POST' && path.join('/') === 'link') {
      const { who } = await readJsonBody(request);
      reply(response, 200, this.#link(typeof who === 'string' ? who : ''));
    } else if (request.method !== 'GET') {
      throw new Refusal(405, 'METHOD_NOT_ALLOWED', 'not by this method');
    } else if (path.join('/') === 'events') {
      await this.#deps.api.stream(
        response,
        wantedOf(url?.searchParams ?? new URLSearchParams(), request.headers['last-event-id']),
      );
    } else reply(response, 200, await this.#deps.api.document(path));
  }

  #link(who: string): LinkDocument {
    const { inspector, link } = this.#deps;
    const issued = link(who);
    if (issued)
      return { url: `${issued.url}/login#${issued.token}`, who: issued.who, until: formatIso(issued.untilMs) };
    if (inspector() === null) {
      throw new Refusal(
        409,
        'INSPECTOR_OFF',
        'the daemon serves no page',
        'Set FABRIC_SYNCD_INSPECTOR=127.0.0.1:9190 and start it again.',
      );
    }
    throw new Refusal(
      409,
      'CONTROL_OFF',
      'the daemon only shows: there is nothing to log in for',
      'Start it with: fabric-syncd run --control.',
    );
  }
}

function decoded(pathname: string): readonly string[] {
  try {
    return pathname.slice(1).split('/').map(decodeURIComponent);
  } catch {
    throw new Refusal(400, 'BAD_REQUEST', 'the path cannot be decoded');
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
