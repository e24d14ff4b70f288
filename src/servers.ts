// The servers of the daemon, opened and closed together: Postgres and its store, Redis (or none) and its lock and timers,
// and the connections to the fabrics.

import type { Clock } from './clock.ts';
import { type Config, ConfigProblems } from './config.ts';
import { MemoryTimers } from './fleet/memory-timers.ts';
import { SwitchingTimers } from './fleet/switching-timers.ts';
import { credentialSources } from './host-credentials.ts';
import { type FabricApis, openFabricApis } from './kube/pool.ts';
import type { Log } from './log.ts';
import type { InspectorReads } from './ports/inspector-reads.ts';
import type { FabricLock } from './ports/lock.ts';
import type { Operator } from './ports/operator.ts';
import type { Store } from './ports/store.ts';
import type { TimerStore } from './ports/timers.ts';
import { type ConnectOptions, type Database, openDatabase } from './postgres/connect.ts';
import { migrate } from './postgres/migrate.ts';
import { postgresInspectorReads } from './postgres/operator/inspector-reads.ts';
import { postgresOperator } from './postgres/operator/operator.ts';
import { createStore } from './postgres/store.ts';
import { openRedisParts } from './redis/open.ts';
import { traceRedis } from './redis/trace.ts';

export interface Servers {
  readonly store: Store;
  readonly timers: TimerStore;
  readonly lock: FabricLock;
  readonly apis: FabricApis;
  /**
   * What people ask and do, on connections of its own: whoever only looks keeps no sync waiting. Closed with the rest.
   * @param patienceMs what is not answered by then has failed
   */
  openOperator(patienceMs: number): { readonly operator: Operator; readonly reads: InspectorReads };
  /** Takes the lock's keys away, whoever holds it. Safe only after the epoch has moved. Never throws. */
  breakLock(fabricId: string): Promise<'freed' | 'not_locked' | 'unavailable' | 'none'>;
  /** Why Redis is not used though it should be, in words; null where all is well. */
  degraded(): string | null;
  /** The same, and since when it is so, epoch milliseconds. */
  redisAway(): { readonly problem: string; readonly sinceMs: number } | null;
  /** Calls back when Redis came or went. */
  onModeChange(act: () => void): () => void;
  /** @returns what was applied */
  migrate(): Promise<readonly string[]>;
  /** Resolves when it is known whether Redis answers. */
  settled(): Promise<void>;
  /** Postgres answers nobody any more: what it was asked has a second, what it is asked from here on fails. Safe to repeat. */
  closeDatabases(): Promise<void>;
  close(): Promise<void>;
}

/** How much earlier than who waits for it the server gives a statement up. */
const slownessMs = 500;

/** Nobody to ask: the database lease alone keeps two daemons apart. */
const noLock: FabricLock = {
  acquire: async () => ({ kind: 'unavailable', cause: null }),
  renew: async () => null,
  release: async () => {},
};

/**
 * Connects to Redis in the background, and to the others when they are first asked. Whoever opens it closes it.
 * @throws ConfigProblems where the database's URL, or the CA that it names, cannot be read: nothing is open then
 */
export function openServers(deps: {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly daemon: string;
  /** What runs ask of Redis is told by spans. */
  readonly traced?: boolean;
}): Servers {
  const { config, log, clock, daemon, traced = false } = deps;
  if (config.databaseUrl === null) throw new Error('DATABASE_URL is not set');
  const database = openMain(config.databaseUrl, {
    applicationName: `fabric-syncd ${daemon}`,
    connectionsMax: Math.min(10, config.concurrency + 2),
    clock,
  });
  const apis = openFabricApis({
    sources: () => credentialSources(config),
    limits: { ...config.kube, connectionsMax: config.readsPerFabric },
  });
  const timing = openTiming(config, { log, clock, daemon });
  const stopTracing = traced ? traceRedis() : () => {};
  const url = config.databaseUrl;
  const lookers: Database[] = [];
  const closeDatabases = async () => {
    await Promise.all([database, ...lookers].map((one) => one.close()));
  };
  return {
    store: createStore(database, { daemon }),
    apis,
    ...timing,
    openOperator(patienceMs) {
      const looker = openDatabase({
        url,
        applicationName: `fabric-syncd ${daemon} inspector`,
        connectionsMax: 2,
        // A server that is merely slow ends the statement by itself, and nothing is left that could still happen.
        statementTimeoutMs: patienceMs - slownessMs,
        clock,
      });
      lookers.push(looker);
      return { operator: postgresOperator(looker, patienceMs), reads: postgresInspectorReads(looker, patienceMs) };
    },
    migrate: () => migrate(database),
    closeDatabases,
    async close() {
      stopTracing();
      const ended = await Promise.allSettled([timing.close(), apis.close(), closeDatabases()]);
      for (const one of ended) if (one.status === 'rejected') throw one.reason;
    },
  };
}

function openMain(url: string, options: Omit<ConnectOptions, 'url'>): Database {
  try {
    return openDatabase({ url, ...options });
  } catch (thrown) {
    // The file of its CA, say. The words do not repeat the URL.
    throw new ConfigProblems([`DATABASE_URL: ${(thrown as Error).message}`]);
  }
}

type Timing = Pick<
  Servers,
  'timers' | 'lock' | 'breakLock' | 'degraded' | 'redisAway' | 'onModeChange' | 'settled' | 'close'
>;

/** The clock and the door: Redis's, or the mode without it. */
function openTiming(config: Config, { log, clock, daemon }: { log: Log; clock: Clock; daemon: string }): Timing {
  if (config.redisUrl === null) {
    return {
      timers: new MemoryTimers(),
      lock: noLock,
      breakLock: async () => 'none',
      degraded: () => null,
      redisAway: () => null,
      onModeChange: () => () => {},
      settled: async () => {},
      close: async () => {},
    };
  }
  const redis = openRedisParts({
    url: config.redisUrl,
    lockUrls: config.lockRedisUrls,
    prefix: config.redisPrefix,
    leaseTtlMs: config.leaseTtlMs,
    clock,
    name: `fabric-syncd ${daemon}`,
    onBroken: (fabricId) => log.warn({ fabric_id: fabricId }, 'a timer in Redis could not be read; it is armed anew'),
  });
  const timers = new SwitchingTimers(redis.timers, redis.presence);
  let sinceMs = clock.nowMs();
  let away = false;
  const look = () => {
    if (timers.degraded === away) return;
    away = timers.degraded;
    sinceMs = clock.nowMs();
    const trouble = redis.presence.trouble;
    const why = trouble?.message ?? 'Redis does not answer';
    if (away) log.warn({ code: 'REDIS_UNAVAILABLE', hint: trouble?.hint }, `${why}; going on without it (degraded)`);
    else log.info({}, 'Redis answers again: back to it');
  };
  const stopTelling = timers.onModeChange(look);
  const redisAway = () =>
    timers.degraded ? { problem: redis.presence.trouble?.message ?? 'Redis is being returned to', sinceMs } : null;
  return {
    timers,
    lock: redis.lock,
    async breakLock(fabricId) {
      try {
        return (await redis.lock.breakLock(fabricId)) ? 'freed' : 'not_locked';
      } catch {
        return 'unavailable';
      }
    },
    degraded() {
      const away = redisAway();
      return away && `degraded for ${Math.round((clock.nowMs() - away.sinceMs) / 1_000)} s: ${away.problem}`;
    },
    redisAway,
    onModeChange: (act) => timers.onModeChange(act),
    async settled() {
      await redis.settled();
      // Not connected yet was no news; not answering is.
      look();
    },
    async close() {
      stopTelling();
      timers.close();
      await redis.close();
    },
  };
}
