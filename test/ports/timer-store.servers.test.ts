import { once } from 'node:events';
import { describe, inject } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { SwitchingTimers } from '../../src/fleet/switching-timers.ts';
import { RedisTimers } from '../../src/redis/timers.ts';
import { WakeChannel } from '../../src/redis/wake.ts';
import { connectTo, freshKeys } from '../support/redis.ts';
import { timerStoreSuite } from './timer-store.suite.ts';

const url = inject('redisUrl');

/** Two daemons on the same keys, both already listening. */
async function twoDaemons() {
  const keys = freshKeys();
  const open = async () => {
    const connection = await connectTo(url ?? '', keys);
    const wake = new WakeChannel(connection, keys.wake, systemClock);
    const opened = Promise.withResolvers<void>();
    const stop = wake.onWake(opened.resolve);
    await opened.promise;
    stop();
    return { connection, wake, timers: new RedisTimers({ connection, keys, wake, onBroken: () => {} }) };
  };
  const [one, two] = await Promise.all([open(), open()]);
  return {
    one,
    two,
    async close() {
      await one.connection.client.del(keys.timers, keys.payloads, keys.probe);
      const gone = [one, two].map(({ connection }) => once(connection.client, 'end'));
      for (const { connection, wake } of [one, two]) {
        wake.close();
        connection.close();
      }
      await Promise.all(gone);
    },
  };
}

describe.skipIf(url === null)('timers in Redis', () => {
  timerStoreSuite(
    async () => {
      const { one, two, close } = await twoDaemons();
      return { store: one.timers, other: two.timers, close };
    },
    { modelRuns: 25 },
  );
});

describe.skipIf(url === null)('timers in Redis, as a daemon holds them that could go on without it', () => {
  timerStoreSuite(
    async () => {
      const { one, two, close } = await twoDaemons();
      return {
        store: new SwitchingTimers(one.timers, one.connection),
        other: new SwitchingTimers(two.timers, two.connection),
        close,
      };
    },
    { modelRuns: 5 },
  );
});
