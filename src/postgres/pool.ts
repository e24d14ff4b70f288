// The driver, set up once: sockets of our own, so that a connection which does not answer can be cut.

import type { Socket } from 'node:net';
import postgres, { type Options, type PostgresType, type Sql } from 'postgres';
import { type DatabaseAddress, tlsOptions } from './address.ts';
import { arrayTypes } from './arrays.ts';
import { Sockets } from './sockets.ts';
import { traceStatements } from './trace.ts';

export interface SessionOptions {
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** The server's bound on one statement. */
  readonly statementTimeoutMs: number;
  /** The server's bound on a transaction whose client says nothing. */
  readonly idleInTransactionTimeoutMs: number;
}

export interface Pool {
  readonly sql: Sql;
  /** Those that cancel a statement are among them for a moment. */
  readonly sockets: Sockets;
  cut(): void;
  /** Ends idle connections at once and busy ones within a second. Safe to repeat. */
  close(): Promise<void>;
}

/** What the driver takes beyond what its types say. */
export interface DriverOptions extends Options<Record<string, PostgresType>> {
  readonly socket?: () => Socket;
  readonly onnotify?: (channel: string, payload: string) => void;
}

/** Opens nothing yet: connections come with the first statement. */
export function openPool(address: DatabaseAddress, session: SessionOptions, more: DriverOptions): Pool {
  const sockets = new Sockets(address.hosts);
  const driver: DriverOptions = {
    ...(address.user !== null && { user: address.user }),
    ...(address.password !== null && { password: address.password }),
    ...(address.database !== null && { database: address.database }),
    host: address.hosts[0].host,
    port: address.hosts[0].port,
    socket: () => sockets.open(),
    ...(address.hosts.length > 1 && { target_session_attrs: 'read-write' }),
    ssl: tlsOptions(address.tls, () => sockets.signal),
    connect_timeout: session.connectTimeoutMs / 1000,
    keep_alive: 15,
    backoff: reconnectSeconds,
    onnotice() {},
    // See arrays.ts: AR1.
    fetch_types: false,
    types: arrayTypes,
    connection: {
      ...address.settings,
      application_name: session.applicationName,
      statement_timeout: session.statementTimeoutMs,
      idle_in_transaction_session_timeout: session.idleInTransactionTimeoutMs,
      default_transaction_isolation: 'read committed',
      // What the rows are read with, whatever the server or the role has set.
      TimeZone: 'UTC',
      DateStyle: 'ISO',
      bytea_output: 'hex',
    },
    ...more,
  };
  const [host, other] = address.hosts;
  const sql = traceStatements(postgres(driver), {
    database: address.database ?? address.user ?? '',
    // Of several nobody knows which one it was.
    server: other === undefined ? host : null,
  });
  const cut = () => sockets.cut();
  let closed: Promise<void> | null = null;
  return {
    sql,
    sockets,
    cut,
    close() {
      closed ??= sql.end({ timeout: 1 }).then(cut);
      return closed;
    },
  };
}

/** 0.1 s, 0.2 s, 0.4 s, then 0.5 s between attempts to connect: a server that is back is found at once. */
function reconnectSeconds(attempt: number): number {
  return Math.min(0.5, 0.05 * 2 ** Math.min(attempt, 10));
}
