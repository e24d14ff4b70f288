import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { FabricFailure } from '../../../machines/fabric/failure.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import type { RedisConnection } from '../../../src/redis/connection.ts';
import { startFrozenProxy } from '../../support/frozen-proxy.ts';
import { handClock } from '../../support/hand-clock.ts';
import { changed, connectTo, impatient, meddler, ownRedis, redisFound } from '../../support/redis.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function own(args: readonly string[] = []) {
  const server = await ownRedis(args);
  undo.push(() => server.remove());
  return server;
}

async function connected(url: string, more: Parameters<typeof connectTo>[2] = {}): Promise<RedisConnection> {
  const connection = await connectTo(url, undefined, more);
  undo.push(() => connection.close());
  return connection;
}

async function meddle(url: string) {
  const client = await meddler(url);
  undo.push(() => client.disconnect());
  return client;
}

const ping = (connection: RedisConnection) => connection.call((client) => client.ping());

async function failureOf(promise: Promise<unknown>): Promise<FabricFailure> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(thrown instanceof FabricFailure)) throw new Error(`not a FabricFailure: ${inspect(thrown)}`);
  return thrown;
}

test('where nothing listens it says where and why, at once and again', async () => {
  const connection = await connected('redis://someone:hunter2@127.0.0.1:1');
  expect(connection.up).toBe(false);
  const failure = await failureOf(ping(connection));
  expect(failure.code).toBe('REDIS_UNAVAILABLE');
  expect(failure.message).toContain('redis://127.0.0.1:1 does not answer');
  expect(failure.message).toContain('ECONNREFUSED');
  expect(inspect(failure, { depth: 9 })).not.toContain('hunter2');
});

test('a host name that leads nowhere is an outage, not a crash', async () => {
  const connection = await connected('redis://no-such-host.invalid:6379');
  expect((await failureOf(ping(connection))).message).toMatch(/ENOTFOUND|EAI_AGAIN/);
});

describe.skipIf(redisFound === null)('beside a real Redis', () => {
  test('it works by TCP and by a Unix socket, in a numbered database as well', async () => {
    const path = join(tmpdir(), `fabric-syncd-${randomBytes(6).toString('hex')}.sock`);
    const server = await own(['--unixsocket', path]);
    const bySocket = await connected(`unix://${path}?db=3`);
    expect(bySocket.up).toBe(true);
    await bySocket.call((redis) => redis.set('seen', 'yes'));
    const byTcp = await connected(`${server.url}/3`);
    expect(await byTcp.call((redis) => redis.get('seen'))).toBe('yes');
    expect(await connected(server.url).then((other) => other.call((redis) => redis.get('seen')))).toBeNull();
  });

  test('a password is asked for, refused and taken, and is in no word about it', async () => {
    const { port } = await own(['--requirepass', 'hunter2']);
    const without = await connected(`redis://127.0.0.1:${port}`);
    const wrong = await connected(`redis://:hunter3@127.0.0.1:${port}`);
    const right = await connected(`redis://:hunter2@127.0.0.1:${port}`);
    expect((await failureOf(ping(without))).hint).toContain('wants a password');
    const refused = await failureOf(ping(wrong));
    expect(refused.hint).toContain('refused the user or the password');
    expect(inspect([refused, FabricFailure.note(refused)], { depth: 9 })).not.toContain('hunter');
    expect(await ping(right)).toBe('PONG');
  });

  test('a password with signs in it is written as a URL wants it', async () => {
    const { port } = await own(['--requirepass', 'p@ss:w/rd %']);
    const connection = await connected(`redis://:${encodeURIComponent('p@ss:w/rd %')}@127.0.0.1:${port}`);
    expect(connection.up).toBe(true);
  });

  test('options in the query of a URL are not obeyed', async () => {
    const { url } = await own();
    const connection = await connected(`${url}?enableOfflineQueue=true&maxRetriesPerRequest=99`);
    expect(connection.client.options).toMatchObject({ enableOfflineQueue: false, maxRetriesPerRequest: 0 });
  });

  test('it is up only where it can write: not where Redis is full (N1)', async () => {
    const { url } = await own();
    const connection = await connected(url);
    const client = await meddle(url);
    await client.config('SET', 'maxmemory', '1');
    const failure = await failureOf(connection.call((redis) => redis.set('x', 'y')));
    expect(failure.hint).toContain('Redis is full');
    expect(connection.up).toBe(false);
    await client.config('SET', 'maxmemory', '0');
    expect(await changed(connection)).toBe(true);
  });

  test('an outage that many calls fail by is asked about as soon as one that one call fails by (N3)', async () => {
    const { url } = await own();
    const clock = handClock();
    const waits: number[] = [];
    const after: Clock['after'] = (ms, act) => {
      waits.push(ms);
      return clock.after(ms, act);
    };
    const connection = await connected(url, { clock: { ...clock, after } });
    const client = await meddle(url);
    await client.config('SET', 'maxmemory', '1');
    const write = () => failureOf(connection.call((redis) => redis.set('x', 'y')));
    await Promise.all(Array.from({ length: 12 }, write));
    expect(waits).toEqual([100]);
    clock.advance(100);
    await expect.poll(() => waits, { message: 'asked in vain, it waits longer' }).toEqual([100, 200]);
    await client.config('SET', 'maxmemory', '0');
    const up = changed(connection);
    clock.advance(200);
    expect(await up).toBe(true);
  });

  test('it is not up on a replica, and is when that becomes the primary', async () => {
    const { url } = await own(['--replicaof', '127.0.0.1', '1']);
    const connection = await connected(url);
    expect(connection.up).toBe(false);
    expect(connection.trouble?.hint).toContain('replica');
    const client = await meddle(url);
    await client.replicaof('NO', 'ONE');
    expect(await changed(connection)).toBe(true);
  });

  test('when the server is killed it is down at once, and when it is back, up by itself (N3)', async () => {
    const server = await own();
    const connection = await connected(server.url);
    const down = changed(connection);
    await server.kill();
    expect(await down).toBe(false);
    expect((await failureOf(ping(connection))).code).toBe('REDIS_UNAVAILABLE');
    const up = changed(connection);
    await server.start();
    expect(await up).toBe(true);
    expect(await ping(connection)).toBe('PONG');
  });

  test('a server that hangs costs one deadline for all calls, and none after that (N2)', async () => {
    const server = await own();
    const connection = await connected(server.url, { timeouts: impatient });
    server.pause();
    const askedMs = systemClock.monotonicMs();
    await Promise.all([failureOf(ping(connection)), failureOf(ping(connection))]);
    expect(systemClock.monotonicMs() - askedMs).toBeLessThan(5_000);
    expect(connection.up).toBe(false);
    const againMs = systemClock.monotonicMs();
    await failureOf(ping(connection));
    expect(systemClock.monotonicMs() - againMs).toBeLessThan(impatient.commandMs);
    const up = changed(connection);
    server.resume();
    expect(await up).toBe(true);
  });

  test('a server that hangs from the beginning is known to within the timeouts', async () => {
    const server = await own();
    server.pause();
    const connection = await connected(server.url, { timeouts: impatient });
    expect(connection.up).toBe(false);
    const up = changed(connection);
    server.resume();
    expect(await up).toBe(true);
  });

  test('a network that swallows everything is noticed, and a new connection made when it works again', async () => {
    const server = await own();
    const proxy = await startFrozenProxy({ port: server.port });
    undo.push(() => proxy.close());
    const connection = await connected(`redis://127.0.0.1:${proxy.port}`, { timeouts: impatient });
    const closed = Promise.withResolvers<void>();
    connection.client.once('close', closed.resolve);
    proxy.freeze();
    await failureOf(ping(connection));
    // The socket is given up as well: the next one may take another way.
    await closed.promise;
    proxy.thaw();
    await expect.poll(() => connection.up, { timeout: 20_000 }).toBe(true);
  });

  test('after close nothing is asked and nobody is told', async () => {
    const server = await own();
    const connection = await connected(server.url);
    const told: boolean[] = [];
    connection.onChange((up) => told.push(up));
    const ended = once(connection.client, 'end');
    connection.close();
    connection.close();
    await ended;
    expect((await failureOf(ping(connection))).message).toContain('closed');
    expect(told).toEqual([]);
  });
});
