// What an attacker, and a browser on our own page, write to the wire.

import { expect } from 'vitest';
import type { LoginDocument } from '../../src/inspector/documents.ts';
import { openStand, raw } from './stand.ts';

export type Headers = Readonly<Record<string, string>>;

export function get(path: string, headers: Headers): string {
  return `GET ${path} HTTP/1.1\r\n${lines(headers)}connection: close\r\n\r\n`;
}

export function post(path: string, headers: Headers, body = '{}'): string {
  return `POST ${path} HTTP/1.1\r\n${lines({ 'content-length': String(body.length), ...headers })}connection: close\r\n\r\n${body}`;
}

export const lines = (headers: Headers) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

/** What a browser on our own page sends. */
export const ours = (host: string): Headers => ({
  host,
  origin: `http://${host}`,
  'sec-fetch-site': 'same-origin',
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
  'content-type': 'application/json',
});

/** A stand, and what a browser of somebody who has logged in says: a cookie, and from our own page a key as well. */
export async function loggedIn(options: Parameters<typeof openStand>[0] = {}) {
  const stand = await openStand(options);
  const { token } = stand.desk.issue('ann@host');
  const opened = await raw(stand.port, post('/api/login', ours(stand.host), JSON.stringify({ token })));
  expect(opened.status).toBe(200);
  const cookie = opened.header('set-cookie').split(';')[0] ?? '';
  const { key } = JSON.parse(opened.body) as LoginDocument;
  const login: Headers = { cookie, 'x-fabric-syncd-key': key };
  return { ...stand, login, cookie, token, setCookie: opened.header('set-cookie') };
}
