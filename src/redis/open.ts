// Everything that one process needs of Redis, opened and closed together.

import type { Clock } from '../clock.ts';
import { RedisConnection } from './connection.ts';
import { type RedisHealth, redisHealth } from './health.ts';
import { redisKeys } from './keys.ts';
import { RedisLock } from './lock.ts';
import { RedisTimers } from './timers.ts';
import { WakeChannel } from './wake.ts';

export interface RedisOptions {
  readonly url: string;
  /** Independent nodes for the lock, `url` among them or not; none: `url` alone. */
  readonly lockUrls: readonly string[];
  readonly prefix: string;
  readonly leaseTtlMs: number;
  readonly clock: Clock;
  /** Shown in `CLIENT LIST`. */
  readonly name: string;
  /** False for one who never sleeps on the timers: it opens no connection to be woken on. */
  readonly sleeps?: boolean;
  /** A timer was found that cannot be read; it is dropped, and the sweep arms it anew. */
  readonly onBroken?: (fabricId: string) => void;
}

export interface RedisParts {
  readonly timers: RedisTimers;
  readonly lock: RedisLock;
  /** The Redis of the timers: is it up, and why not. */
  readonly presence: Pick<RedisConnection, 'up' | 'trouble' | 'onChange'>;
  /** Of the Redis of the timers. @throws FabricFailure `REDIS_UNAVAILABLE` */
  health(): Promise<RedisHealth>;
  /** Resolves when every Redis has answered, or has failed to within a few seconds. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Connects in the background. @throws TypeError for a URL that is none */
export function openRedisParts(options: RedisOptions): RedisParts {
  const { url, lockUrls, prefix, leaseTtlMs, clock, name, sleeps = true, onBroken = () => {} } = options;
  const keys = redisKeys(prefix);
  const connections = new Map<string, RedisConnection>();
  const connect = (to: string, as: string) => {
    const connection = connections.get(to) ?? new RedisConnection({ url: to, keys, clock, name: as });
    connections.set(to, connection);
    return connection;
  };
  const main = connect(url, name);
  const nodes = [...new Set(lockUrls.length > 0 ? lockUrls : [url])].map((to) => connect(to, `${name}:lock`));
  const wake = sleeps ? new WakeChannel(main, keys.wake, clock) : null;
  return {
    timers: new RedisTimers({ connection: main, keys, wake, onBroken }),
    lock: new RedisLock({ nodes, keys, clock, ttlMs: leaseTtlMs }),
    presence: main,
    health: () => redisHealth(main, clock),
    async settled() {
      await Promise.all([...connections.values()].map((one) => one.settled()));
    },
    async close() {
      wake?.close();
      for (const one of connections.values()) one.close();
    },
  };
}
