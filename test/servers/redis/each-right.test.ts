// Each right of the least user is needed: it is taken away, and something that a daemon or a verb does fails. Whether they
// are enough is for test/process/least-rights.test.ts.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { aclLine, type RedisPart } from '../../../src/redis/acl.ts';
import type { RedisClient } from '../../../src/redis/client.ts';
import { redisKeys } from '../../../src/redis/keys.ts';
import { openRedisParts } from '../../../src/redis/open.ts';
import { timer } from '../../ports/timer-store.suite.ts';
import { meddler, type OwnRedis, ownRedis, redisFound } from '../../support/redis.ts';

const prefix = 'each';
const keys = redisKeys(prefix);
const password = randomBytes(12).toString('hex');
/** Whoever waits for long waits for nothing: what is done now and then is done at once. */
const hasty: Clock = { ...systemClock, after: (ms, act) => systemClock.after(ms >= 5_000 ? 5 : ms, act) };
/** What a doctor asks, and may be refused. */
const tolerated: ReadonlySet<unknown> = new Set(['acl|whoami', 'config|get']);
let server: OwnRedis;
let admin: RedisClient;

beforeAll(async () => {
  if (redisFound === null) return;
  server = await ownRedis();
  admin = await meddler(server.url);
});
afterAll(async () => {
  admin?.disconnect();
  await server?.remove();
});

/** What the user is given, a word each; without one of them. */
async function giveUser(part: RedisPart, without: string | null): Promise<void> {
  const [command = '', ...words] = aclLine('each', prefix, part).replace('PASSWORD', password).split(' ');
  await admin.call(command, ...words.filter((word) => word !== without));
  // What a server has seen once it needs not be told again: the first time is what is looked at.
  await admin.script('FLUSH');
  await admin.flushall();
  await admin.call('ACL', 'LOG', 'RESET');
  await admin.config('RESETSTAT');
}

/** All that is ever asked of Redis, once. @returns what did not come to what it must */
async function everything(part: RedisPart): Promise<readonly string[]> {
  // In a numbered database, as an operator may have it.
  const url = `${server.url.replace('redis://', `redis://each:${password}@`)}/1`;
  const missed: string[] = [];
  const parts = openRedisParts({
    url,
    lockUrls: [],
    prefix,
    leaseTtlMs: 5_000,
    clock: hasty,
    name: 'each right',
    sleeps: part === 'timers',
  });
  const { timers, lock } = parts;
  const tried = async (what: string, act: () => Promise<unknown>) => {
    const came = await act().catch((cause: unknown) => String(cause));
    if (came !== true) missed.push(`${what}: ${String(came)}`);
  };
  try {
    await parts.settled();
    if (part === 'timers') {
      await tried('is up', async () => parts.presence.up);
      await tried('arms', async () => {
        await timers.arm(timer('1', 1));
        return (await timers.armMany([timer('2', 2)], { onlyMissing: true })).armed === 1;
      });
      await tried('reads', async () => (await timers.all()).length === 2);
      await tried('claims', async () => (await timers.claimDue({ nowMs: 1, holdMs: 9, atMost: 1 })).length === 1);
      await tried('holds', async () => {
        await timers.hold('1', 50);
        await admin.select(1);
        return Number(await admin.zscore(keys.timers, '1')) === 50;
      });
      await tried('cancels', async () => {
        await timers.cancel('1');
        return (await timers.nextMs()) === 2;
      });
      await tried('drops', async () => {
        await admin.select(1);
        await admin.hset(keys.payloads, '2', 'broken');
        await timers.claimDue({ nowMs: 2, holdMs: 9, atMost: 1 });
        return (await admin.zcard(keys.timers)) === 0;
      });
    }
    await tried('looks at its health', async () => (await parts.health()).role === 'master');
    await tried('locks', async () => {
      const acquired = await lock.acquire('7');
      if (acquired.kind !== 'acquired') return acquired.kind;
      const renewed = await lock.renew(acquired.lease);
      if (!renewed) return 'not renewed';
      await lock.release(renewed);
      return (await lock.breakLock('7')) === false || 'not released';
    });
    if (part === 'timers') {
      // The ear asks now and then whether it is still heard.
      await tried('listens', () =>
        vi.waitFor(
          async () => /cmdstat_ping:/.test(await admin.info('commandstats')) || Promise.reject(new Error('no')),
        ),
      );
    }
    await tried('is refused nothing', async () => {
      const lines = (await admin.call('ACL', 'LOG')) as unknown[][];
      const refused = lines.map((line) => line[line.indexOf('object') + 1]).filter((one) => !tolerated.has(one));
      return refused.length === 0 || refused.join(', ');
    });
  } finally {
    await parts.close();
  }
  return missed;
}

describe.skipIf(redisFound === null).each(['timers', 'lock'] as const)('the least user for the %s', (part) => {
  test('may do all of it', async () => {
    await giveUser(part, null);
    expect(await everything(part)).toEqual([]);
  });

  const words = aclLine('each', prefix, part)
    .split(' ')
    .filter((word) => /^[+~&]/.test(word));
  test.each(words)('needs %s', async (word) => {
    await giveUser(part, word);
    const missed = await everything(part);
    expect(missed).not.toEqual([]);
  });
});
