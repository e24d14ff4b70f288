// Each script as itself: what it takes, what it answers, and how few commands it needs.

import { readdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { type RedisClient, script } from '../../../src/redis/client.ts';
import { freshKeys, meddler } from '../../support/redis.ts';

const url = inject('redisUrl');

test('every script says how many keys it takes', async () => {
  const files = await readdir(new URL('../../../src/redis/scripts/', import.meta.url));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const { lua, numberOfKeys } = script(file.replace(/\.lua$/, ''));
    expect(numberOfKeys).toBe(new Set(lua.match(/KEYS\[\d+\]/g)).size);
    expect(lua).toMatch(new RegExp(`^-- ${file.replace(/\.lua$/, '')}: `));
  }
});

describe.skipIf(url === null)('a script on a real Redis', () => {
  const keys = freshKeys();
  const lock = keys.lock('7');
  let redis: RedisClient;

  beforeAll(async () => {
    redis = await meddler(url ?? '');
  });
  afterEach(() => redis.del(keys.timers, keys.payloads, lock));
  afterAll(() => redis.disconnect());

  const armed = (...flat: (string | number)[]) => redis.armTimers(keys.timers, keys.payloads, keys.wake, ...flat);
  const claimed = (nowMs: number, untilMs: number, atMost: number) =>
    redis.claimTimers(keys.timers, keys.payloads, nowMs, untilMs, atMost);
  const scores = () => redis.zrange(keys.timers, '0', '-1', 'WITHSCORES');

  /** What Redis executed, inside scripts as well. */
  async function executed(act: () => Promise<unknown>): Promise<Record<string, number>> {
    const read = async () =>
      new Map(
        (await redis.info('commandstats'))
          .split('\r\n')
          .flatMap((line) => (/^cmdstat_([^:]+):calls=(\d+)/.exec(line) ? [line] : []))
          .map((line) => {
            const [, name = '', calls = ''] = /^cmdstat_([^:]+):calls=(\d+)/.exec(line) ?? [];
            return [name, Number(calls)] as const;
          }),
      );
    await act();
    const before = await read();
    await act();
    const after = await read();
    return Object.fromEntries(
      [...after]
        .map(([name, calls]) => [name, calls - (before.get(name) ?? 0)] as const)
        .filter(([name, calls]) => calls > 0 && name !== 'info'),
    );
  }

  test('claim-timers answers when the next one shows, then what it took with its payload', async () => {
    await armed('a', 10, 'A', 'b', 20, 'B', 'c', 30, 'C');
    expect(await claimed(5, 100, 9)).toEqual(['10']);
    expect(await claimed(20, 100, 9)).toEqual(['30', 'a', 'A', 'b', 'B']);
    expect(await scores()).toEqual(['c', '30', 'a', '100', 'b', '100']);
    expect(await claimed(40, 90, 1)).toEqual(['90', 'c', 'C']);
    expect(await claimed(50, 60, 9)).toEqual(['90']);
  });

  test('claim-timers of an empty store answers that nothing is next', async () => {
    expect(await claimed(5, 100, 9)).toEqual(['']);
  });

  test('claim-timers takes no more than it was asked for, and says that the next one is due already', async () => {
    await armed('a', 10, 'A', 'b', 20, 'B', 'c', 30, 'C');
    expect(await claimed(99, 500, 2)).toEqual(['30', 'a', 'A', 'b', 'B']);
  });

  test('claim-timers hands out a timer whose payload is missing as such', async () => {
    await armed('a', 10, 'A', 'b', 20, 'B');
    await redis.hdel(keys.payloads, 'a');
    expect(await claimed(20, 100, 9)).toEqual(['100', 'a', null, 'b', 'B']);
  });

  test('times are kept to the millisecond, today and in ten years', async () => {
    await armed('a', 1_795_000_000_001, 'A', 'b', 2_110_000_000_003, 'B');
    expect(await scores()).toEqual(['a', '1795000000001', 'b', '2110000000003']);
    expect(await claimed(1_795_000_000_001, 1_795_000_030_001, 9)).toEqual(['1795000030001', 'a', 'A']);
  });

  test('arm-timers publishes the earliest time where it fell, and only then', async () => {
    const ear = await meddler(url ?? '');
    const heard: string[] = [];
    const done = Promise.withResolvers<void>();
    ear.on('message', (_, text: string) => (text === 'end' ? done.resolve() : heard.push(text)));
    await ear.subscribe(keys.wake);
    await armed('a', 50, 'A');
    await armed('b', 50, 'B', 'c', 60, 'C');
    await armed('b', 40, 'B', 'c', 30, 'C');
    // The earliest one is armed later: whoever sleeps until then looks again by himself.
    await armed('c', 90, 'C');
    await redis.armMissingTimers(keys.timers, keys.payloads, keys.wake, 'a', 1, 'A');
    await redis.armMissingTimers(keys.timers, keys.payloads, keys.wake, 'a', 1, 'A', 'x', 20, 'X', 'y', 10, 'Y');
    await redis.publish(keys.wake, 'end');
    await done.promise;
    expect(heard).toEqual(['50', '30', '10']);
    ear.disconnect();
  });

  test('arm-missing-timers writes only where there is no timer, also over a payload that was left behind', async () => {
    await armed('a', 10, 'A');
    await redis.hset(keys.payloads, 'b', 'left behind');
    const answer = await redis.armMissingTimers(keys.timers, keys.payloads, keys.wake, 'a', 1, 'a2', 'b', 20, 'b2');
    expect(answer).toBe(1);
    expect(await scores()).toEqual(['a', '10', 'b', '20']);
    expect(await redis.hgetall(keys.payloads)).toEqual({ a: 'A', b: 'b2' });
  });

  test('a thousand timers fit one call of each', async () => {
    const flat = Array.from({ length: 1_000 }, (_, i) => [`f${i}`, i, 'P']).flat();
    await armed(...flat);
    expect(await redis.armMissingTimers(keys.timers, keys.payloads, keys.wake, ...flat)).toBe(0);
    expect(await claimed(5_000, 9_000, 1_000)).toHaveLength(2_001);
  });

  test('cancel-timer removes both halves', async () => {
    await armed('a', 10, 'A', 'b', 20, 'B');
    expect(await redis.cancelTimer(keys.timers, keys.payloads, 'a')).toBe(1);
    expect(await redis.cancelTimer(keys.timers, keys.payloads, 'a')).toBe(0);
    expect(await scores()).toEqual(['b', '20']);
    expect(await redis.hgetall(keys.payloads)).toEqual({ b: 'B' });
  });

  test('drop-broken-timer removes a timer only while it is as broken as it was seen', async () => {
    const drop = (fabricId: string, payload: string) =>
      redis.dropBrokenTimer(keys.timers, keys.payloads, fabricId, payload);
    await armed('a', 10, 'mended', 'b', 20, 'broken');
    await redis.zadd(keys.timers, 30, 'c');
    expect(await drop('a', 'broken')).toBe(0);
    expect(await drop('a', '')).toBe(0);
    expect(await drop('b', 'broken')).toBe(1);
    expect(await drop('c', '')).toBe(1);
    expect(await scores()).toEqual(['a', '10']);
    expect(await redis.hgetall(keys.payloads)).toEqual({ a: 'mended' });
  });

  test('acquire-lock takes a free key for its time and leaves a taken one alone', async () => {
    const { lua, numberOfKeys } = script('acquire-lock');
    expect(await redis.eval(lua, numberOfKeys, lock, 'mine', 30_000)).toBe(1);
    expect(await redis.eval(lua, numberOfKeys, lock, 'theirs', 90_000)).toBe(0);
    expect(await redis.get(lock)).toBe('mine');
    const leftMs = await redis.pttl(lock);
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(30_000);
  });

  test('few commands are executed for each act', async () => {
    await armed('first', 1, 'F');
    expect(await executed(() => armed('a', 10, 'A'))).toEqual({ evalsha: 1, zrange: 1, zadd: 1, hset: 1 });
    expect(await executed(() => claimed(0, 100, 9))).toEqual({ evalsha: 1, zrange: 1 });
    expect(await executed(() => claimed(10, 10, 9))).toEqual({ evalsha: 1, zrange: 1, zadd: 1, hmget: 1 });
  });
});
