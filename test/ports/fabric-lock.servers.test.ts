import { afterAll, beforeAll, describe, inject } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { RedisLock } from '../../src/redis/lock.ts';
import { connectTo, freshKeys, type OwnRedis, ownRedis, redisFound } from '../support/redis.ts';
import { fabricLockSuite } from './fabric-lock.suite.ts';

/** All hands ask over the same connections, so that every node hears them in the same order and no vote is split. */
async function doorAt(urls: readonly string[]) {
  const keys = freshKeys();
  const nodes = await Promise.all(urls.map((url) => connectTo(url, keys)));
  return {
    hand: (ttlMs: number) => new RedisLock({ nodes, keys, clock: systemClock, ttlMs }),
    async close() {
      for (const node of nodes) {
        const left = await node.client.keys(`${keys.lock('*').replace(/[{}]/g, '\\$&')}`);
        if (left.length > 0) await node.client.del(...left);
        node.close();
      }
    },
  };
}

const url = inject('redisUrl');

describe.skipIf(url === null)('the lock on one Redis', () => {
  fabricLockSuite(() => doorAt([url ?? '']));
});

describe.skipIf(redisFound === null)('the lock on three independent Redis', () => {
  let servers: OwnRedis[];
  beforeAll(async () => {
    servers = await Promise.all([ownRedis(), ownRedis(), ownRedis()]);
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.remove()));
  });

  fabricLockSuite(() => doorAt(servers.map((server) => server.url)));
});
