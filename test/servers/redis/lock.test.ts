// The lock when its nodes are slow, gone, emptied or of two minds. K1 to K5 are those of `src/redis/lock.ts`.

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { trustMs } from '../../../src/ports/lock.ts';
import type { RedisClient } from '../../../src/redis/client.ts';
import { RedisLock } from '../../../src/redis/lock.ts';
import { mustAcquire } from '../../ports/fabric-lock.suite.ts';
import { handClock } from '../../support/hand-clock.ts';
import { connectTo, freshKeys, impatient, meddler, type OwnRedis, ownRedis, redisFound } from '../../support/redis.ts';

/** Longer than any test. */
const ttlMs = 60_000;
/** No wait may be longer: the command's deadline, the lock's own on top, and a slow machine. */
const boundMs = 5_000;

const undo: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const step of undo.splice(0).reverse()) await step();
});

async function lockOn(servers: readonly OwnRedis[], clock: Clock = systemClock) {
  const keys = freshKeys();
  const nodes = await Promise.all(servers.map(({ url }) => connectTo(url, keys, { timeouts: impatient })));
  undo.push(() => {
    for (const node of nodes) node.close();
  });
  return { keys, nodes, lock: new RedisLock({ nodes, keys, clock, ttlMs }) };
}

async function timed<Answer>(act: () => Promise<Answer>): Promise<{ answer: Answer; tookMs: number }> {
  const askedMs = systemClock.monotonicMs();
  return { answer: await act(), tookMs: systemClock.monotonicMs() - askedMs };
}

test('a lease is trusted for its life less a hundredth and two milliseconds (K1)', () => {
  expect(trustMs(30_000)).toBe(29_698);
  expect(trustMs(1_000)).toBe(988);
});

describe.skipIf(redisFound === null)('a lock on one node', () => {
  let server: OwnRedis;
  let client: RedisClient;
  beforeAll(async () => {
    server = await ownRedis();
    client = await meddler(server.url);
  });
  afterAll(async () => {
    client.disconnect();
    await server.remove();
  });

  test('a node that hangs is unavailable, within a bound, and at once when it is known to (K4)', async () => {
    const { lock } = await lockOn([server]);
    server.pause();
    undo.push(() => server.resume());
    const first = await timed(() => lock.acquire('7'));
    expect(first.answer).toMatchObject({ kind: 'unavailable', cause: { code: 'REDIS_UNAVAILABLE' } });
    expect(first.tookMs).toBeLessThan(boundMs);
    const second = await timed(() => lock.acquire('7'));
    expect(second.answer.kind).toBe('unavailable');
    expect(second.tookMs).toBeLessThan(impatient.commandMs);
  });

  test('what a node granted after the deadline is given back (K4)', async () => {
    const clock = handClock();
    const { lock, nodes } = await lockOn([server], clock);
    server.pause();
    undo.push(() => server.resume());
    const asked = lock.acquire('7');
    clock.advance(boundMs);
    expect((await asked).kind).toBe('unavailable');
    // Now the question that nobody waits for any more is answered with a lease.
    server.resume();
    await expect.poll(() => nodes.every(({ up }) => up), { timeout: 20_000 }).toBe(true);
    await expect.poll(() => lock.acquire('7').then(({ kind }) => kind), { timeout: 20_000 }).toBe('acquired');
  });

  test('a lease on a node that hangs is not renewed, and giving it back is bounded as well (K2)', async () => {
    const { lock } = await lockOn([server]);
    const lease = await mustAcquire(lock, '7');
    server.pause();
    undo.push(() => server.resume());
    const renewed = await timed(() => lock.renew(lease));
    expect(renewed.answer).toBeNull();
    expect(renewed.tookMs).toBeLessThan(boundMs);
    const released = await timed(() => lock.release(lease));
    expect(released.tookMs).toBeLessThan(boundMs);
  });

  test('a node that is gone is unavailable at once, and asked again when it is back', async () => {
    const { lock, nodes } = await lockOn([server]);
    await server.kill();
    await expect.poll(() => nodes[0]?.up, { timeout: 20_000 }).toBe(false);
    expect(await lock.acquire('7')).toMatchObject({ kind: 'unavailable', cause: { code: 'REDIS_UNAVAILABLE' } });
    await server.start();
    await expect.poll(() => nodes[0]?.up, { timeout: 20_000 }).toBe(true);
    await mustAcquire(lock, '7');
    // The tests after this one use a client that was cut off as well.
    await expect.poll(() => client.ping().catch(() => 'not yet'), { timeout: 20_000 }).toBe('PONG');
  });

  test('a lease that Redis forgot is lost at the next renewal', async () => {
    const { lock } = await lockOn([server]);
    const lease = await mustAcquire(lock, '7');
    await client.flushall();
    expect(await lock.renew(lease)).toBeNull();
  });

  test('a lease that somebody else has meanwhile is neither renewed nor released', async () => {
    const { lock, keys } = await lockOn([server]);
    const lease = await mustAcquire(lock, '7');
    await client.set(keys.lock('7'), 'theirs', 'PX', ttlMs);
    expect(await lock.renew(lease)).toBeNull();
    await lock.release(lease);
    expect(await client.get(keys.lock('7'))).toBe('theirs');
  });

  test('a full Redis is an outage and not contention (K2)', async () => {
    const { lock } = await lockOn([server]);
    await client.config('SET', 'maxmemory', '1');
    undo.push(() => client.config('SET', 'maxmemory', '0'));
    expect(await lock.acquire('7')).toMatchObject({
      kind: 'unavailable',
      cause: { code: 'REDIS_UNAVAILABLE', hint: expect.stringContaining('full') },
    });
  });

  test('the wall clock may jump by an hour: the lease is renewed by the monotonic one', async () => {
    const { lock } = await lockOn([server]);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
    const lease = await mustAcquire(lock, '7');
    vi.setSystemTime(Date.UTC(2026, 0, 1, 1));
    expect(await lock.renew(lease)).not.toBeNull();
  });

  test('an answer that comes when nothing of the lease is left is not trusted, and given back (K1)', async () => {
    let stoodStillMs = 0;
    const { lock, keys } = await lockOn([server], {
      ...systemClock,
      monotonicMs: () => systemClock.monotonicMs() + stoodStillMs,
    });
    const asked = lock.acquire('7');
    stoodStillMs = ttlMs;
    expect((await asked).kind).toBe('unavailable');
    expect(await client.exists(keys.lock('7'))).toBe(0);
  });

  test('a lease whose trust is over is not asked about any more', async () => {
    let passedMs = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passedMs };
    const { lock } = await lockOn([server], clock);
    const lease = await mustAcquire(lock, '7');
    passedMs = trustMs(ttlMs);
    expect(await lock.renew(lease)).toBeNull();
  });

  test('a person may break a lock: it is free, and who held it learns so', async () => {
    const { lock } = await lockOn([server]);
    const lease = await mustAcquire(lock, '7');
    expect(await lock.breakLock('7')).toBe(true);
    expect(await lock.breakLock('7')).toBe(false);
    const next = await mustAcquire(lock, '7');
    expect(await lock.renew(lease)).toBeNull();
    expect(await lock.renew(next)).not.toBeNull();
  });
});

describe.skipIf(redisFound === null)('a lock on three independent nodes', () => {
  let servers: OwnRedis[];
  let clients: RedisClient[];
  beforeAll(async () => {
    servers = await Promise.all([ownRedis(), ownRedis(), ownRedis()]);
    clients = await Promise.all(servers.map(({ url }) => meddler(url)));
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await Promise.all(servers.map((server) => server.remove()));
  });

  /** Each node is `free`, `taken` by somebody else, `gone` (and known to be) or `hung` (and not known to be). */
  type Node = 'free' | 'taken' | 'gone' | 'hung';
  async function lockWith(states: readonly Node[]) {
    const { keys, nodes, lock } = await lockOn(servers);
    for (const [i, state] of states.entries()) {
      const [server, client, node] = [servers[i], clients[i], nodes[i]];
      if (!server || !client || !node) throw new Error('three nodes');
      if (state === 'taken') await client.set(keys.lock('7'), 'theirs', 'PX', ttlMs);
      if (state === 'gone') node.close();
      if (state === 'hung') {
        server.pause();
        undo.push(() => server.resume());
      }
    }
    return { keys, lock };
  }

  test.each<[Node[], string]>([
    [['free', 'free', 'free'], 'acquired'],
    [['free', 'free', 'gone'], 'acquired'],
    [['free', 'free', 'hung'], 'acquired'],
    [['taken', 'free', 'free'], 'acquired'],
    [['taken', 'taken', 'free'], 'contended'],
    [['taken', 'taken', 'taken'], 'contended'],
    // A quorum answered, and did not give a quorum: somebody holds it, or asked at the same time.
    [['taken', 'free', 'gone'], 'contended'],
    [['taken', 'taken', 'hung'], 'contended'],
    // Too few answered to know.
    [['taken', 'gone', 'gone'], 'unavailable'],
    [['free', 'gone', 'gone'], 'unavailable'],
    [['free', 'hung', 'hung'], 'unavailable'],
    [['taken', 'hung', 'hung'], 'unavailable'],
    [['taken', 'gone', 'hung'], 'unavailable'],
  ])('%j is %s (K2)', async (states, kind) => {
    const { lock } = await lockWith(states);
    const { answer, tookMs } = await timed(() => lock.acquire('7'));
    expect(answer.kind).toBe(kind);
    expect(tookMs).toBeLessThan(boundMs);
  });

  test('who does not get a quorum gives back the votes it got, and nobody else’s', async () => {
    const { keys, lock } = await lockWith(['taken', 'taken', 'free']);
    expect((await lock.acquire('7')).kind).toBe('contended');
    const left = async () => Promise.all(clients.map((client) => client.get(keys.lock('7'))));
    await expect.poll(left, { timeout: 20_000 }).toEqual(['theirs', 'theirs', null]);
  });

  test('a lease outlives one node, and not two', async () => {
    const { lock, nodes } = await lockOn(servers);
    const lease = await mustAcquire(lock, '7');
    nodes[0]?.close();
    const renewed = await lock.renew(lease);
    expect(renewed).not.toBeNull();
    nodes[1]?.close();
    expect(renewed && (await lock.renew(renewed))).toBeNull();
  });

  test('breaking a lock takes a quorum', async () => {
    const { lock, nodes } = await lockOn(servers);
    await mustAcquire(lock, '7');
    nodes[0]?.close();
    expect(await lock.breakLock('7')).toBe(true);
    nodes[1]?.close();
    await expect(lock.breakLock('7')).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
  });
});
