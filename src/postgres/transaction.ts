// Transactions of several statements, each on a connection of its own.
//
//   T1. A transaction happened whole or not at all; whoever gets an error from the `commit` itself cannot know which.
//   T2. No statement is sent once its connection is gone. The driver's own `begin` does that (its `rollback`, at the latest)
//       and takes the process down with it: postgres.js 3.4.9 writes to a socket that is null, in a `setImmediate`.
//   T3. An abort cancels the statement in hand, rolls back, and only then rejects: afterwards nothing of it is in flight, a
//       request to cancel least of all.

import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { PendingQuery, Row, RowList, Sql } from 'postgres';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Clock } from '../clock.ts';
import { type CancellableQuery, cancelOnAbort } from './cancel.ts';
import type { Pool } from './pool.ts';

export class Transaction {
  readonly #sql: Sql;
  readonly #socket: Socket;
  readonly signal: AbortSignal;
  readonly #running = new Set<CancellableQuery>();

  constructor(sql: Sql, socket: Socket, signal: AbortSignal) {
    this.#sql = sql;
    this.#socket = socket;
    this.signal = signal;
  }

  /** Runs one statement of it. Several may be asked for at once: they go out together and run in order. */
  async run<T extends Row[]>(statement: (sql: Sql) => PendingQuery<T>): Promise<RowList<T>> {
    this.check();
    const query = statement(this.#sql);
    const running = query as unknown as CancellableQuery;
    this.#running.add(running);
    try {
      return await query;
    } finally {
      this.#running.delete(running);
    }
  }

  /**
   * A stream into the table, for `copy … from stdin`. Nothing else may run until it has ended.
   * `failed` rejects when the server refuses what was written. It is not enough to hear the stream: an error that comes
   * after the last piece the driver tells to the statement alone, which the stream has answered long ago.
   */
  async copyInto(statement: (sql: Sql) => PendingQuery<Row[]>): Promise<{ stream: Writable; failed: Promise<never> }> {
    this.check();
    const query = statement(this.#sql) as PendingQuery<Row[]> & { reject: (error: unknown) => void };
    const rejectStatement = query.reject;
    const failed = new Promise<never>((_, reject) => {
      query.reject = (error) => {
        rejectStatement(error);
        reject(error);
      };
    });
    failed.catch(() => {});
    return { stream: await query.writable(), failed };
  }

  /** @throws the signal's reason, or `DATABASE_UNAVAILABLE` where the connection is gone (T2) */
  check(): void {
    this.signal.throwIfAborted();
    if (this.#socket.destroyed) {
      throw new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres closed the connection in the middle of a transaction');
    }
  }

  get isAlive(): boolean {
    return !this.#socket.destroyed;
  }

  /** What the server is at; those behind it fail by themselves, in a transaction that has failed. */
  get inHand(): CancellableQuery | undefined {
    return [...this.#running].find(({ active }) => active);
  }
}

/** @param pool of one connection, used by nobody else meanwhile */
export async function runTransaction<T>(
  pool: Pool,
  work: (transaction: Transaction) => Promise<T>,
  signal: AbortSignal,
  clock: Clock,
): Promise<T> {
  signal.throwIfAborted();
  await pool.sql`begin`;
  const [socket] = pool.sockets.all();
  if (!socket) throw new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres closed the connection');
  const transaction = new Transaction(pool.sql, socket, signal);
  const requestIsOver = cancelOnAbort(pool, signal, clock, () => transaction.inHand);
  try {
    let result: T;
    try {
      result = await work(transaction);
      transaction.check();
    } finally {
      await requestIsOver();
    }
    await pool.sql`commit`;
    return result;
  } catch (error) {
    await rollBack(pool, transaction);
    signal.throwIfAborted();
    throw error;
  }
}

async function rollBack(pool: Pool, transaction: Transaction): Promise<void> {
  try {
    if (transaction.isAlive) await pool.sql`rollback`;
  } catch {
    // The server rolls back what lost its connection.
    pool.cut();
  }
}
