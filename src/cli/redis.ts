// Redis for the length of one verb: connected to at the first question, and never waited for twice.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { TimersRead } from '../inspector/timer-view.ts';
import type { TimerStore } from '../ports/timers.ts';
import type { RedisParts } from '../redis/open.ts';

/** `unavailable`: Redis does not answer, and the lease there ends by itself. `none`: it is not used, by choice. */
export type BrokenLock = 'freed' | 'not_locked' | 'unavailable' | 'none';

export interface RedisPart {
  /** Null: Redis is not used, by choice. */
  timers(): Promise<TimerStore | null>;
  /** Every timer, where Redis answers; never throws. */
  readTimers(): Promise<TimersRead>;
  /** Takes the lock's keys away, whoever holds them. Safe only after the epoch has moved. Never throws. */
  breakLock(fabricId: string): Promise<BrokenLock>;
  close(): Promise<void>;
}

const notUsed: RedisPart = {
  timers: async () => null,
  readTimers: async () => ({ state: 'none' }),
  breakLock: async () => 'none',
  close: async () => {},
};

/** Opens nothing yet; the driver is loaded with the first question. */
export function openRedis(config: Config, clock: Clock): RedisPart {
  const { redisUrl: url, lockRedisUrls: lockUrls, redisPrefix: prefix, leaseTtlMs } = config;
  if (url === null) return notUsed;
  let opening: Promise<RedisParts> | null = null;
  const connect = async () => {
    const { openRedisParts } = await import('../redis/open.ts');
    const parts = openRedisParts({ url, lockUrls, prefix, leaseTtlMs, clock, name: 'fabric-syncd cli' });
    await parts.settled();
    return parts;
  };
  const open = () => {
    opening ??= connect();
    return opening;
  };
  return {
    timers: async () => (await open()).timers,
    async readTimers() {
      try {
        return { state: 'answers', timers: await (await open()).timers.all() };
      } catch (thrown) {
        return { state: 'unavailable', problem: FabricFailure.from(thrown).message };
      }
    },
    async breakLock(fabricId) {
      try {
        return (await (await open()).lock.breakLock(fabricId)) ? 'freed' : 'not_locked';
      } catch {
        return 'unavailable';
      }
    },
    close: async () => (await opening)?.close(),
  };
}
