// The connections to Postgres, and the bound on every wait for them.
//
//   B1. Every act has a deadline of ours beside the server's `statement_timeout`: a server that hangs, or a network that
//       swallows, answers neither yes nor no.
//   B2. When that deadline passes, the connections are cut: one that does not answer would keep its place in the pool.
//       A server that is merely slow has ended the statement by itself before.
//   B3. Whatever goes wrong leaves this folder as a `FabricFailure` (`failure.ts`).

import { connect as connectSocket, type Socket } from 'node:net';
import postgres, { type Options, type PostgresType, type Sql } from 'postgres';
import { type Clock, systemClock } from '../clock.ts';
import { type DatabaseAddress, describeDatabase, parseDatabaseUrl, tlsOptions } from './address.ts';
import { databaseFailure, deadlinePassed } from './failure.ts';

export interface ConnectOptions {
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string;
  /** Connections at most; opened as they are needed. */
  readonly connectionsMax?: number;
  readonly connectTimeoutMs?: number;
  /** The server's bound on one statement. */
  readonly statementTimeoutMs?: number;
  /** The server's bound on a transaction whose client says nothing: what a daemon that died on another host holds. */
  readonly idleInTransactionTimeoutMs?: number;
  readonly clock?: Clock;
}

/** How much later than the server's own bound ours is. */
const marginMs = 5_000;

export interface Database {
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
  /** Cuts every connection; the next act connects anew. */
  cut(): void;
  /** Ends idle connections at once and busy ones within a second. Safe to repeat. */
  close(): Promise<void>;
}

/** Opens nothing yet: connections come with the first act. @throws Error where the URL can not be read */
export function openDatabase(options: ConnectOptions): Database {
  const address = parseDatabaseUrl(options.url);
  const clock = options.clock ?? systemClock;
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  const pool = openPool(address, options, {}, statementTimeoutMs);
  const hungMs = statementTimeoutMs + marginMs;

  return {
    sql: pool.sql,
    where: describeDatabase(address),
    clock,
    statementTimeoutMs,
    cut: pool.cut,
    close: pool.close,
    async act(what, run, deadlineMs = hungMs) {
      let cancelDeadline = () => {};
      let cancelCut = () => {};
      const answer = Promise.resolve(run(pool.sql)).finally(() => cancelCut());
      const deadline = new Promise<never>((_, reject) => {
        cancelDeadline = clock.after(deadlineMs, () => reject(deadlinePassed(what, deadlineMs)));
        // An impatient act gives up early; that alone does not make the server a dead one.
        cancelCut = clock.after(Math.max(deadlineMs, hungMs), pool.cut);
      });
      try {
        return await Promise.race([answer, deadline]);
      } catch (error) {
        throw databaseFailure(error, what);
      } finally {
        cancelDeadline();
      }
    },
  };
}

export interface Pool {
  readonly sql: Sql;
  cut(): void;
  close(): Promise<void>;
}

/** What the driver takes beyond what its types say. */
interface DriverOptions extends Options<Record<string, PostgresType>> {
  readonly socket: () => Socket;
  readonly onnotify?: (channel: string, payload: string) => void;
}

/** @param more single settings of the driver, for the connection that listens */
export function openPool(
  address: DatabaseAddress,
  options: ConnectOptions,
  more: Partial<DriverOptions>,
  statementTimeoutMs: number,
): Pool {
  const sockets = new Set<Socket>();
  let turn = 0;
  const driver: DriverOptions = {
    ...(address.user !== null && { user: address.user }),
    ...(address.password !== null && { password: address.password }),
    ...(address.database !== null && { database: address.database }),
    host: address.hosts[0].host,
    port: address.hosts[0].port,
    // Opened here so that they can be cut (B2), and by turns where the URL names several hosts.
    socket() {
      const { host, port } = address.hosts[turn++ % address.hosts.length] ?? address.hosts[0];
      const socket = host.startsWith('/')
        ? connectSocket({ path: `${host}/.s.PGSQL.${port}` })
        : connectSocket({ host, port });
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      // The driver takes the name that a certificate must carry from here.
      return Object.assign(socket, { host });
    },
    ...(address.hosts.length > 1 && { target_session_attrs: 'read-write' }),
    ssl: tlsOptions(address.tls),
    max: options.connectionsMax ?? 10,
    connect_timeout: (options.connectTimeoutMs ?? 5_000) / 1000,
    keep_alive: 15,
    backoff: reconnectSeconds,
    onnotice() {},
    connection: {
      ...address.settings,
      application_name: options.applicationName ?? 'fabric-syncd',
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 30_000,
      default_transaction_isolation: 'read committed',
      // What the rows are read with, whatever the server or the role has set.
      TimeZone: 'UTC',
      DateStyle: 'ISO',
      bytea_output: 'hex',
    },
    ...more,
  };
  const sql = postgres(driver);
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  let closed: Promise<void> | null = null;
  return {
    sql,
    cut,
    close() {
      closed ??= sql.end({ timeout: 1 }).then(cut);
      return closed;
    },
  };
}

/** 0.1 s, 0.2 s, 0.4 s … 2 s between attempts to connect. */
function reconnectSeconds(attempt: number): number {
  return Math.min(2, 0.05 * 2 ** Math.min(attempt, 10));
}
