// Giving up a statement that the server is busy with: it is asked to cancel it.
//
//   K1. A request to cancel names a connection, and no statement: one that is late hits whatever runs there by then. So what
//       may be cancelled has a connection to itself, and keeps it until the request is over.
//   K2. Only a statement that was sent, and is next, is cancelled. Of one that it was still to send, postgres.js 3.4.9 loses
//       the connection; and of one that stands behind another it gives the answer to whatever stands behind it.
//   K3. The driver's canceller is called, and not its `cancel()`: that drops the promise, so that nobody could hear that the
//       connection of the request failed, and the process would end with it.
//   K4. A request that is there before its statement, or between two parts of that, is lost: it is made again until the
//       statement has ended.

import type { Clock } from '../clock.ts';
import type { Pool } from './pool.ts';

/** The driver's statement, as far as it is used here. */
export interface CancellableQuery {
  /** It was sent, and whatever was sent before it on its connection has been answered. */
  readonly active: boolean;
  /** Makes the request on a connection of its own. */
  canceller: (query: CancellableQuery) => Promise<unknown>;
}

/** One for all: without a reason each abort would make an error of its own, with its stack. */
const over = new Error('the statement has ended');

/** Until the request is made again; doubled each time. */
const againMs = { first: 20, most: 1_000 };

/**
 * One statement that an abort cancels.
 * @param pool of one connection, used by nobody else meanwhile
 * @throws the signal's reason where it was aborted before the statement had its effect
 */
export async function runStatement<T>(
  pool: Pool,
  statement: (sql: Pool['sql']) => PromiseLike<T>,
  signal: AbortSignal,
  clock: Clock,
): Promise<T> {
  signal.throwIfAborted();
  // What is given up while its connection opens is never sent (K2).
  if (pool.sockets.all().length === 0) await pool.sql`select`;
  signal.throwIfAborted();
  const query = statement(pool.sql);
  const requestIsOver = cancelOnAbort(pool, signal, clock, () => query as unknown as CancellableQuery);
  try {
    return await query;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await requestIsOver();
  }
}

/**
 * @param inHand the statement to cancel, if there is one
 * @returns stops it; resolves when the connection may be used for something else (K1)
 */
export function cancelOnAbort(
  pool: Pool,
  signal: AbortSignal,
  clock: Clock,
  inHand: () => CancellableQuery | undefined,
): () => Promise<void> {
  const ended = new AbortController();
  let requests: Promise<void> | null = null;
  const cancel = async () => {
    for (let waitMs = againMs.first; !ended.signal.aborted; waitMs = Math.min(waitMs * 2, againMs.most)) {
      const query = inHand();
      if (query?.active) await request(pool, query);
      await clock.sleep(waitMs, ended.signal).catch(() => {});
    }
  };
  const onAbort = () => {
    requests = cancel();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return async () => {
    signal.removeEventListener('abort', onAbort);
    ended.abort(over);
    await requests;
  };
}

/** Resolves when the server has heard it, or cannot be asked. */
async function request({ sockets }: Pool, query: CancellableQuery): Promise<void> {
  let asked: Promise<unknown> = Promise.resolve();
  const opened = sockets.openedBeside(() => {
    asked = query.canceller(query);
  });
  // The server closes the connection when it is done. Where TLS cannot be agreed upon the driver never answers.
  const closed = opened.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())));
  await Promise.race([asked, ...closed]).catch(() => {});
}
