// The servers for the length of one operating verb. A verb that can do without one of them says what it could not tell.
//
//   O1. Every server is closed when the verb ends, however it ends, and cut when a person says stop.
//   O2. Redis and the daemon's socket are never needed: that they do not answer is an answer.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import { hearDaemon } from '../admin/client.ts';
import type { Tiding } from '../admin/tidings.ts';
import type { Config } from '../config.ts';
import type { TimersRead } from '../inspector/timer-view.ts';
import type { DaemonWord } from '../inspector/view.ts';
import type { Operator } from '../ports/operator.ts';
import type { Store } from '../ports/store.ts';
import type { TimerStore } from '../ports/timers.ts';
import type { Database } from '../postgres/connect.ts';
import { schemaState } from '../postgres/migrate.ts';
import { postgresOperator } from '../postgres/operator/operator.ts';
import { createStore } from '../postgres/store.ts';
import { configured } from './configured.ts';
import { daemonWord } from './daemon-word.ts';
import { databaseOf, schemaMissing } from './database.ts';
import type { Exit } from './exit-codes.ts';
import { type BrokenLock, openRedis } from './redis.ts';
import type { World } from './world.ts';

export interface Servers {
  readonly config: Config;
  readonly operator: Operator;
  readonly store: Store;
  /** Null: Redis is not used, by choice. */
  timers(): Promise<TimerStore | null>;
  /** Every timer, where Redis answers; never throws. */
  readTimers(): Promise<TimersRead>;
  /** Takes the lock's keys away, whoever holds it. Safe only after the epoch has moved. Never throws. */
  breakLock(fabricId: string): Promise<BrokenLock>;
  /** What the daemon on this host says; null where none answers. */
  daemon(): Promise<DaemonWord | null>;
  /** Hears what that daemon does until the signal aborts; resolves when it listens, or where none answers. */
  tidings(hear: (tiding: Tiding) => void, signal: AbortSignal): Promise<{ readonly over: Promise<void> }>;
}

/**
 * @param withoutPostgres the verb has something to say even where Postgres does not answer; else that ends it at once
 * @throws CliFailure, SchemaRefused, FabricFailure, ConfigProblems
 */
export async function withServers(
  { world, signal }: { readonly world: World; readonly signal: AbortSignal },
  act: (servers: Servers) => Promise<Exit>,
  { withoutPostgres = false }: { readonly withoutPostgres?: boolean } = {},
): Promise<Exit> {
  const config = configured(world);
  const database = databaseOf(config, world);
  const redis = openRedis(config, world.clock);
  const cut = () => database.cut();
  signal.addEventListener('abort', cut, { once: true });
  const schema = requireSchema(database);
  schema.catch(() => {});
  try {
    if (!withoutPostgres) await schema;
    return await act({
      config,
      operator: postgresOperator(database),
      store: createStore(database, { daemon: `cli/${world.hostname}/${world.pid}` }),
      timers: redis.timers,
      readTimers: redis.readTimers,
      breakLock: redis.breakLock,
      daemon: () => daemonWord(config.adminSocket, signal),
      tidings: (hear, until) => hearDaemon(config.adminSocket, hear, until),
    });
  } catch (thrown) {
    // A database without our schema refuses what the verb asks; that there is none is the better word for it.
    if (thrown instanceof FabricFailure && thrown.code === 'DATABASE_REFUSED') await schema;
    throw thrown;
  } finally {
    signal.removeEventListener('abort', cut);
    await Promise.all([database.close(), redis.close()]);
  }
}

async function requireSchema(database: Database): Promise<void> {
  const state = await schemaState(database);
  if (state.pending.length > 0) throw schemaMissing(state);
}
