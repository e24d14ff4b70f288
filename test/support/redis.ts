// Redis for tests: an own prefix on the server of the test run, or a server of one's own to be cruel to.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../src/clock.ts';
import { findRedis, type PrivateRedis, startPrivateRedis } from '../../src/demo/servers/redis.ts';
import { readRedisUrl } from '../../src/redis/address.ts';
import { type ClientTimeouts, createClient, type RedisClient } from '../../src/redis/client.ts';
import { RedisConnection } from '../../src/redis/connection.ts';
import { type RedisKeys, redisKeys } from '../../src/redis/keys.ts';

/** Null where no Redis can be had on this machine. */
export const redisFound = await findRedis({ install: false });

/** Nobody else's keys. */
export function freshKeys(): RedisKeys {
  return redisKeys(`test-${randomBytes(6).toString('hex')}`);
}

export interface OwnRedis extends PrivateRedis {
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
}

/** A server of one's own. */
export async function ownRedis(args: readonly string[] = []): Promise<OwnRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'fabric-syncd-redis-'));
  const server = await startPrivateRedis({ dir, args, ...(redisFound && { binary: redisFound.binary }) });
  return Object.assign(server, {
    async remove() {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  });
}

/** A server that hangs is noticed sooner than a production one. */
export const impatient: ClientTimeouts = { commandMs: 300, connectMs: 500 };

/** Resolves when it is known whether it is up. */
export async function connectTo(
  url: string,
  keys: RedisKeys = freshKeys(),
  more: { readonly timeouts?: ClientTimeouts; readonly clock?: Clock } = {},
): Promise<RedisConnection> {
  const { clock = systemClock, timeouts } = more;
  const connection = new RedisConnection({ url, keys, clock, name: 'test', ...(timeouts && { timeouts }) });
  await connection.settled();
  return connection;
}

/** Resolves with the next change. */
export async function changed(connection: Pick<RedisConnection, 'onChange'>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const stop = connection.onChange(resolve);
  try {
    return await promise;
  } finally {
    stop();
  }
}

/** A bare client, to look and to meddle with. */
export async function meddler(url: string): Promise<RedisClient> {
  const client = createClient(readRedisUrl(url), 'meddler', { commandMs: 5_000, connectMs: 5_000 });
  client.on('error', () => {});
  await once(client, 'ready');
  return client;
}
