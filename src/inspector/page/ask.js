// Questions to the daemon that this page came from, and to nobody else.

import { keepKey, keyHeaders } from './session-key.js';

/** @import { ErrorDocument, LoginDocument } from '../documents.ts' */

/** Nothing that the daemon answers takes longer; what does has got lost. */
const patienceMs = 20_000;

/** An answer that is not the one hoped for, in words for people. */
export class Refusal extends Error {
  /** @param {{ status: number, code: string, message: string, hint: string }} said `status` is 0 where nobody answered */
  constructor({ status, code, message, hint }) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }

  /** @param {unknown} thrown */
  static of(thrown) {
    if (thrown instanceof Refusal) return thrown;
    return new Refusal({
      status: 0,
      code: 'NO_ANSWER',
      message: 'The daemon does not answer.',
      hint: 'Is it running? This page asks again by itself.',
    });
  }
}

/**
 * @template Document
 * @param {string} path
 * @param {AbortSignal} [signal] "not wanted any more"
 * @returns {Promise<Document>}
 * @throws {Refusal} and the signal's reason
 */
export function get(path, signal) {
  return ask(path, { method: 'GET' }, signal);
}

/**
 * @template Document
 * @param {string} path
 * @param {object} body
 * @returns {Promise<Document>}
 * @throws {Refusal}
 */
export function post(path, body) {
  return ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** @param {string} token of a link @throws {Refusal} */
export async function logIn(token) {
  /** @type {LoginDocument} */
  const { key } = await post('/api/login', { token });
  keepKey(key);
}

/** @throws {Refusal} */
export async function logOut() {
  await post('/api/logout', {});
  keepKey(null);
}

/**
 * @template Document
 * @param {string} path
 * @param {RequestInit} how
 * @param {AbortSignal} [signal]
 * @returns {Promise<Document>}
 */
async function ask(path, how, signal) {
  const deadline = AbortSignal.timeout(patienceMs);
  try {
    const response = await fetch(path, {
      ...how,
      headers: { ...how.headers, ...keyHeaders() },
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      credentials: 'same-origin',
      redirect: 'error',
      cache: 'no-store',
    });
    const document = /** @type {unknown} */ (await response.json());
    if (response.ok) return /** @type {Document} */ (document);
    const { error } = /** @type {ErrorDocument} */ (document);
    throw new Refusal({ status: response.status, ...error });
  } catch (thrown) {
    if (signal?.aborted) throw signal.reason;
    throw Refusal.of(thrown);
  }
}
