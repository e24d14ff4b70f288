// One client of one Redis, made the one way that this program wants it.
//
//   C1. Nothing waits for ever and nothing waits in line: no offline queue, no command sent twice, a bound on each
//       answer. Who asks is told at once that Redis is away and decides itself what to do then.
//   C2. It reconnects for ever, sooner at first.

import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import type { RedisAddress } from './address.ts';
import { replyKind } from './errors.ts';
import { named } from './script-names.ts';

/** The scripts as methods; keys first, then arguments, as each file's header says. */
export interface Scripts {
  claimTimers(timers: string, payloads: string, nowMs: number, untilMs: number, atMost: number): Promise<Claimed>;
  armTimers(timers: string, payloads: string, channel: string, ...timersFlat: (string | number)[]): Promise<null>;
  armMissingTimers(
    timers: string,
    payloads: string,
    channel: string,
    ...timersFlat: (string | number)[]
  ): Promise<number>;
  cancelTimer(timers: string, payloads: string, fabricId: string): Promise<number>;
  dropBrokenTimer(timers: string, payloads: string, fabricId: string, payload: string): Promise<number>;
}

/** When the next one shows or '', then pairs of fabric id and payload. */
export type Claimed = readonly [string, ...(string | null)[]];

export type RedisClient = Redis & Scripts;

export interface ClientTimeouts {
  /** One command, from being written to its answer. */
  readonly commandMs: number;
  /** TCP and TLS. */
  readonly connectMs: number;
}

export const clientTimeouts: ClientTimeouts = { commandMs: 2_000, connectMs: 3_000 };

const reconnectMs = { first: 50, most: 2_000 };

/** Connects at once, in the background. `name` is what `CLIENT LIST` shows. */
export function createClient(address: RedisAddress, name: string, timeouts: ClientTimeouts): RedisClient {
  const { path, host, port, username, password, db, tls } = address;
  return new Redis({
    ...(path !== undefined ? { path } : { host: host ?? '127.0.0.1', port: port ?? 6379 }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    // Said, so that no NODE_TLS_REJECT_UNAUTHORIZED turns it off. The certificate must be for the host, name or address.
    ...(tls && { tls: { rejectUnauthorized: true } }),
    db,
    // RESP2: all that is claimed to work speaks it, and a subscriber cannot be mistaken for another connection.
    protocol: 2,
    // Redis takes no blanks in a name.
    connectionName: name.replace(/[^!-~]+/g, '-'),
    // It would tell the server which library we use: one right less to ask for.
    disableClientInfo: true,
    connectTimeout: timeouts.connectMs,
    commandTimeout: timeouts.commandMs,
    // A connection whose other end is gone without a word is given up, and a new one made.
    socketTimeout: timeouts.commandMs + 1_000,
    // No automatic pipelining: measured with 1, 10 and 100 commands at once it cost a third at 1 and gained nothing sure.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    retryStrategy: (tries: number) => Math.min(reconnectMs.most, reconnectMs.first * 2 ** Math.min(tries - 1, 10)),
    // After a failover the name may lead to the new primary.
    reconnectOnError: (error: Error) => replyKind(error) === 'READONLY',
    scripts: {
      claimTimers: script('claim-timers'),
      armTimers: script('arm-timers'),
      armMissingTimers: script('arm-missing-timers'),
      cancelTimer: script('cancel-timer'),
      dropBrokenTimer: script('drop-broken-timer'),
    },
  }) as RedisClient;
}

/** The text of `scripts/<name>.lua` and how many keys its header says it takes. */
export function script(name: string): { readonly lua: string; readonly numberOfKeys: number } {
  const lua = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
  const keys = /^-- keys: (\d+)$/m.exec(lua)?.[1];
  if (keys === undefined) throw new Error(`${name}.lua does not say how many keys it takes: "-- keys: N"`);
  return { lua: named(name, lua), numberOfKeys: Number(keys) };
}
