// The connections to Postgres, and the bound on every wait for them.
//
//   B1. Every act has a deadline of ours beside the server's `statement_timeout`: a server that hangs, or a network that
//       swallows, answers neither yes nor no.
//   B2. When that deadline passes, the connections are cut: one that does not answer would keep its place in the pool.
//       A server that is merely slow has ended the statement by itself before.
//   B3. Whatever goes wrong leaves this folder as a `FabricFailure` (`failure.ts`).

import type { Sql } from 'postgres';
import { type Clock, systemClock } from '../clock.ts';
import { describeDatabase, parseDatabaseUrl } from './address.ts';
import { runStatement } from './cancel.ts';
import { databaseFailure, deadlinePassed } from './failure.ts';
import { Lanes } from './lanes.ts';
import { type DriverOptions, openPool, type Pool } from './pool.ts';
import { runTransaction, type Transaction } from './transaction.ts';

export interface ConnectOptions {
  readonly url: string;
  readonly applicationName?: string;
  /** Connections for single statements at most, opened as they are needed; and as many for those that may be given up. */
  readonly connectionsMax?: number;
  /** Connections for transactions at most, beside those. */
  readonly writersMax?: number;
  readonly connectTimeoutMs?: number;
  readonly statementTimeoutMs?: number;
  /** What a daemon that died on another host holds, it holds no longer than this. */
  readonly idleInTransactionTimeoutMs?: number;
  readonly clock?: Clock;
}

/** How much later than the server's own bound ours is. */
const marginMs = 5_000;
/** What only a burst of runs needed is closed again. */
const idleSeconds = 60;

export interface Database {
  /** For single statements, inside of `act`. */
  readonly sql: Sql;
  /** For people: host and database, no password. */
  readonly where: string;
  readonly clock: Clock;
  readonly statementTimeoutMs: number;
  /**
   * Runs an act and bounds it.
   * @param what the act in words that complete "Postgres did not …"
   * @param deadlineMs the default is the server's own bound on one statement, and a little
   * @throws FabricFailure `DATABASE_UNAVAILABLE` or `DATABASE_REFUSED`
   */
  act<T>(what: string, run: (sql: Sql) => PromiseLike<T>, deadlineMs?: number): Promise<T>;
  /**
   * The same for one statement that an abort cancels, on a connection that it has to itself.
   * @throws the signal's reason where it was aborted before the statement had its effect; nothing of it is in flight then
   */
  actUntil<T>(what: string, statement: (sql: Sql) => PromiseLike<T>, signal: AbortSignal): Promise<T>;
  /** The same for several statements that happen whole or not at all. */
  transact<T>(
    what: string,
    work: (transaction: Transaction) => Promise<T>,
    bounds: { deadlineMs: number; signal?: AbortSignal },
  ): Promise<T>;
  /** One more pool beside the usual ones, closed by whoever opened it. */
  openPool(more: DriverOptions): Pool;
  /** Cuts every connection; the next act connects anew. */
  cut(): void;
  /** Ends idle connections at once and busy ones within a second. Safe to repeat. */
  close(): Promise<void>;
}

/** Opens nothing yet: connections come with the first act. @throws Error where the URL cannot be read */
export function openDatabase(options: ConnectOptions): Database {
  const address = parseDatabaseUrl(options.url);
  const clock = options.clock ?? systemClock;
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  const session = {
    applicationName: options.applicationName ?? 'fabric-syncd',
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    statementTimeoutMs,
    idleInTransactionTimeoutMs: options.idleInTransactionTimeoutMs ?? 30_000,
  };
  const connectionsMax = options.connectionsMax ?? 10;
  const pool = openPool(address, session, { max: connectionsMax });
  const singles = new Lanes(() => openPool(address, session, { max: 1, idle_timeout: idleSeconds }), connectionsMax);
  // A transaction must not lose its connection to old age in the middle.
  const writers = new Lanes(() => openPool(address, session, { max: 1, max_lifetime: null }), options.writersMax ?? 4);
  const hungMs = statementTimeoutMs + marginMs;

  const bounded = async <T>(what: string, answer: Promise<T>, deadlineMs: number, giveUp: () => void): Promise<T> => {
    let cancelDeadline = () => {};
    const deadline = new Promise<never>((_, reject) => {
      cancelDeadline = clock.after(deadlineMs, () => {
        reject(deadlinePassed(what, deadlineMs));
        giveUp();
      });
    });
    try {
      return await Promise.race([answer, deadline]);
    } catch (error) {
      throw databaseFailure(error, what);
    } finally {
      cancelDeadline();
    }
  };

  /** Bounds an act that has a connection to itself: past its deadline that one alone is cut. */
  const alone = <T>(
    what: string,
    lanes: Lanes,
    run: (one: Pool, over: AbortSignal) => Promise<T>,
    deadlineMs: number,
    signal: AbortSignal | undefined,
  ): Promise<T> => {
    const late = new AbortController();
    const over = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
    let mine: Pool | null = null;
    const answer = lanes.use((one) => {
      mine = one;
      return run(one, over);
    }, over);
    return bounded(what, answer, deadlineMs, () => {
      late.abort(deadlinePassed(what, deadlineMs));
      mine?.cut();
    });
  };

  return {
    sql: pool.sql,
    where: describeDatabase(address),
    clock,
    statementTimeoutMs,
    act(what, run, deadlineMs = hungMs) {
      const answer = Promise.resolve(run(pool.sql));
      // An act that gives up early says nothing about the server; one that is still open when the server must have ended
      // it does.
      const giveUp = () => {
        const cancelCut = clock.after(Math.max(0, hungMs - deadlineMs), pool.cut);
        answer.then(cancelCut, cancelCut);
      };
      return bounded(what, answer, deadlineMs, giveUp);
    },
    actUntil: (what, statement, signal) =>
      alone(what, singles, (one, over) => runStatement(one, statement, over, clock), hungMs, signal),
    transact: (what, work, { deadlineMs, signal }) =>
      alone(what, writers, (one, over) => runTransaction(one, work, over, clock), deadlineMs, signal),
    openPool: (more) => openPool(address, session, more),
    cut() {
      for (const one of [pool, singles, writers]) one.cut();
    },
    async close() {
      await Promise.all([pool, singles, writers].map((one) => one.close()));
    },
  };
}
