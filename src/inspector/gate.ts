// Who may ask what: judged from a request's head alone, before anything is done or read.
//
//   G1. The `Host` is one of ours (DNS rebinding), and there is exactly one; the target is a path, never a whole URL.
//   G2. A page of another site, another port included, may lead a person here by a link, and nothing else: neither read
//       the API nor load a file of ours nor change anything.
//   G3. A change comes by POST, from a page of ours (`Origin`, and `Sec-Fetch-Site` where the browser says it), as JSON.
//   G4. Nothing is ever allowed to others: no CORS header is sent, and no preflight is answered.

import type { IncomingMessage } from 'node:http';
import { type InspectorAddress, isOurHost } from './address.ts';
import { Refusal } from './answers.ts';

/** What of a request is judged. */
export type Head = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'>;

/** `document`: a page. `file`: what it loads. `read`, `change`: the API. */
export type Purpose = 'document' | 'file' | 'read' | 'change';

/** @returns the path, decoded piece by piece, and the query. @throws Refusal */
export function judgeTarget(
  head: Head,
  address: InspectorAddress,
  port: number,
): { readonly path: readonly string[]; readonly query: URLSearchParams } {
  const hosts = head.rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts !== 1 || !isOurHost(address, port, head.headers.host ?? '')) {
    throw new Refusal(
      421,
      'WRONG_HOST',
      'this inspector is not asked under that name',
      'Ask for localhost or 127.0.0.1.',
    );
  }
  const target = head.url ?? '';
  if (!target.startsWith('/') || target.startsWith('//')) throw badRequest('the target is not a path');
  const [, before = '', query = ''] = /^([^?]*)(?:\?(.*))?$/s.exec(target) ?? [];
  try {
    return { path: before.slice(1).split('/').map(decodeURIComponent), query: new URLSearchParams(query) };
  } catch {
    throw badRequest('the path cannot be decoded');
  }
}

/** @throws Refusal */
export function judgeOrigin({ headers }: Head, purpose: Purpose): void {
  const site = single(headers['sec-fetch-site']);
  const origin = headers.origin;
  const ours = `http://${headers.host}`;
  if (origin !== undefined && origin !== ours) throw foreign();
  switch (purpose) {
    case 'document': {
      // A link in a chat or a wiki leads here: that is a whole page in a tab of its own, never a frame or a script.
      const led = site === 'cross-site' || site === 'same-site';
      const asPage = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
      if (led && !asPage) throw foreign();
      return;
    }
    case 'file':
    case 'read':
      if (site !== undefined && site !== 'same-origin' && site !== 'none') throw foreign();
      return;
    case 'change':
      if (origin !== ours) throw foreign();
      if (site !== undefined && site !== 'same-origin') throw foreign();
      if (!/^application\/json(?:\s*;\s*charset=utf-8)?$/i.test(headers['content-type'] ?? '')) {
        throw new Refusal(415, 'NOT_JSON', 'a change is asked for with content-type: application/json');
      }
  }
}

function single(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' || value === undefined ? value : value.join(', ');
}

function foreign(): Refusal {
  return new Refusal(403, 'FORBIDDEN', 'another site may not ask this');
}

function badRequest(message: string): Refusal {
  return new Refusal(400, 'BAD_REQUEST', message);
}
