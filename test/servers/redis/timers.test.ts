// What happens to the timers in Redis when Redis, or somebody in it, misbehaves.

import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { SwitchingTimers } from '../../../src/fleet/switching-timers.ts';
import { RedisTimers } from '../../../src/redis/timers.ts';
import { WakeChannel } from '../../../src/redis/wake.ts';
import { timer } from '../../ports/timer-store.suite.ts';
import { changed, connectTo, freshKeys, impatient, meddler, ownRedis, redisFound } from '../../support/redis.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function setUp() {
  const keys = freshKeys();
  const server = await ownRedis();
  undo.push(() => server.remove());
  const connection = await connectTo(server.url, keys, { timeouts: impatient });
  const wake = new WakeChannel(connection, keys.wake, systemClock);
  const broken: string[] = [];
  const timers = new RedisTimers({ connection, keys, wake, onBroken: (fabricId) => broken.push(fabricId) });
  const client = await meddler(server.url);
  undo.push(() => {
    wake.close();
    connection.close();
    client.disconnect();
  });
  return { keys, server, connection, timers, broken, client };
}

const dueAll = { nowMs: 1_000_000, holdMs: 60_000, atMost: 100 };
const outage = expect.objectContaining({ code: 'REDIS_UNAVAILABLE' });

/** Resolves with the next wake. */
async function woken(timers: RedisTimers): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = timers.onWake(resolve);
  await promise;
  stop();
}

describe.skipIf(redisFound === null)('timers in a Redis that misbehaves', () => {
  test.each(['+inf', '-inf'])(
    'a score of %s is no moment: nothing is waited for, and the timer counts as missing',
    async (score) => {
      const { keys, timers, client } = await setUp();
      await timers.arm(timer('a', 1));
      await client.zadd(keys.timers, score, 'a');
      expect(await timers.nextMs()).toBeNull();
      expect(await timers.all()).toEqual([]);
      // Also by the answer of a claim, which is heard in the same turn.
      expect([await timers.claimDue({ ...dueAll, nowMs: 0, holdMs: 1 }), await timers.nextMs()]).toEqual(
        score === '+inf' ? [[], null] : [[timer('a', 1)], 1],
      );
    },
  );

  test.each([
    ['no JSON', 'sync at ten'],
    ['JSON of something else', '[1]'],
    ['null', 'null'],
    ['a kind that is none', '{"kind":"party","due":5}'],
    ['a due time that is none', '{"kind":"sync","due":"soon"}'],
    ['a traceparent that is none', '{"kind":"sync","due":5,"traceparent":7}'],
    ['a due time before all calendars', '{"kind":"sync","due":-9007199254740991}'],
    ['a due time after all calendars', '{"kind":"sync","due":9007199254740991}'],
    ['nothing', ''],
  ])('a payload that is %s is dropped and told, and the others are claimed (R1)', async (_, payload) => {
    const { keys, timers, broken, client } = await setUp();
    await timers.armMany([timer('a', 1), timer('b', 2), timer('c', 3)], { onlyMissing: false });
    if (payload === '') await client.hdel(keys.payloads, 'b');
    else await client.hset(keys.payloads, 'b', payload);
    expect(await timers.claimDue(dueAll)).toEqual([timer('a', 1), timer('c', 3)]);
    expect(broken).toEqual(['b']);
    expect(await client.zscore(keys.timers, 'b')).toBeNull();
    expect(await client.hexists(keys.payloads, 'b')).toBe(0);
    // The sweep finds it missing and arms it anew.
    expect(await timers.armMany([timer('b', 9)], { onlyMissing: true })).toEqual({ armed: 1 });
    expect((await timers.all()).map(({ fabricId }) => fabricId).sort()).toEqual(['a', 'b', 'c']);
  });

  test('who only looks drops nothing: a broken timer is not among all, and is still there', async () => {
    const { keys, timers, client } = await setUp();
    await timers.armMany([timer('a', 1), timer('b', 2)], { onlyMissing: false });
    await client.hset(keys.payloads, 'b', '{');
    expect(await timers.all()).toEqual([{ ...timer('a', 1), showsAtMs: 1 }]);
    expect(await client.zscore(keys.timers, 'b')).toBe('2');
  });

  test('keys that something else wrote over make Redis unusable, and the hint says so', async () => {
    const { keys, timers, client } = await setUp();
    await client.set(keys.timers, 'mine');
    await expect(timers.nextMs()).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      hint: expect.stringContaining('FABRIC_SYNCD_REDIS_PREFIX'),
    });
  });

  test('a Redis that was emptied has no timers, and takes new ones', async () => {
    const { timers, client } = await setUp();
    await timers.arm(timer('a', 1));
    await client.flushall();
    expect(await timers.nextMs()).toBeNull();
    expect(await timers.armMany([timer('a', 1)], { onlyMissing: true })).toEqual({ armed: 1 });
  });

  test('a Redis that forgot the scripts is taught them again', async () => {
    const { timers, client } = await setUp();
    await timers.arm(timer('a', 1));
    await client.script('FLUSH');
    await timers.arm(timer('a', 2));
    expect(await timers.claimDue(dueAll)).toEqual([timer('a', 2)]);
  });

  test('timers, claims and holds survive an orderly restart of Redis, and sleepers are woken after it', async () => {
    const { server, connection, timers } = await setUp();
    await timers.armMany([timer('a', 1), timer('b', 500)], { onlyMissing: false });
    await timers.claimDue({ nowMs: 10, holdMs: 90, atMost: 1 });
    const before = await timers.all();
    const down = changed(connection);
    await server.stop();
    await down;
    await expect(timers.nextMs()).rejects.toEqual(outage);
    const wokenAfter = woken(timers);
    await server.start();
    await wokenAfter;
    await expect.poll(() => connection.up, { timeout: 20_000 }).toBe(true);
    expect(await timers.all()).toEqual(before);
  });

  test('after a restart a sleeper hears of earlier timers again', async () => {
    const { keys, server, connection, timers, client } = await setUp();
    await server.kill();
    await server.start();
    await expect.poll(() => connection.up, { timeout: 20_000 }).toBe(true);
    // The ear is open again when the server counts a listener.
    const listeners = async () => (await client.pubsub('NUMSUB', keys.wake).catch(() => []))[1];
    await expect.poll(listeners, { timeout: 20_000 }).toBe(1);
    await timers.arm(timer('far', 900_000));
    const heard = woken(timers);
    await timers.arm(timer('near', 1));
    await heard;
  });

  test('a daemon goes on in memory while Redis hangs, and takes what it armed back to Redis', async () => {
    const { server, connection, timers } = await setUp();
    const both = new SwitchingTimers(timers, connection);
    undo.push(() => both.close());
    await both.armMany([timer('stale', 100), timer('gone', 200)], { onlyMissing: false });
    server.pause();
    const without = modeChange(both);
    await both.arm(timer('stale', 5_000));
    await without;
    expect(both.degraded).toBe(true);
    await both.armMany([timer('new', 7_000), timer('claimed', 300)], { onlyMissing: false });
    expect(await both.claimDue({ nowMs: 1_000, holdMs: 60_000, atMost: 9 })).toEqual([timer('claimed', 300)]);
    const back = modeChange(both);
    server.resume();
    await back;
    expect(both.degraded).toBe(false);
    const found = new Map((await timers.all()).map((one) => [one.fabricId, one.showsAtMs]));
    expect(Object.fromEntries(found)).toEqual({ stale: 5_000, gone: 200, new: 7_000, claimed: 61_000 });
  });
});

function modeChange(timers: SwitchingTimers): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = timers.onModeChange(() => {
    stop();
    resolve();
  });
  return promise;
}
