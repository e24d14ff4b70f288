// Somebody who may write to Redis writes nonsense into the timers: it costs lateness, never a sync, and no core.

import { test as anyTest, expect, vi } from 'vitest';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';
import { meddler, redisFound } from '../support/redis.ts';

const openBed = bedsOfThisFile();
const test = anyTest.skipIf(redisFound === null);

const payload = (due: number) => JSON.stringify({ kind: 'sync', due });

test.each([
  ['never', '+inf', null],
  ['in a thousand years', String(Date.UTC(3026)), null],
  ['long ago, for a time that no calendar has', '0', payload(-9_007_199_254_740_991)],
  ['long ago, for a time after all calendars', '0', payload(9_007_199_254_740_991)],
])('a timer that is made to show %s is armed anew, and the fabric goes on being synced', async (_, score, told) => {
  const bed = await openBed({ redis: 'own' });
  const [lab, other] = [await bed.fabric('lab'), await bed.fabric('other')];
  const daemon = await bed.daemon().ready();
  await Promise.all([lab.synced(), other.synced()]);
  const client = await meddler(bed.redisUrl);
  bed.onClose(async () => client.disconnect());
  // At rest, so that no run of its own arms it.
  const row = await lab.until(({ leaseHolder }) => leaseHolder === null, 'at rest');
  await client.hset(bed.keys.payloads, lab.id, told ?? payload(row.dueAtMs ?? 0));
  await client.zadd(bed.keys.timers, score, lab.id);
  const last = (await lab.runs()).at(-1)?.id;
  await lab.synced((await lab.synced(last)).id);
  await other.synced((await other.runs()).at(-1)?.id);
  await vi.waitFor(async () => expect((await bed.timer(lab.id))?.showsAtMs).toBeLessThan(Date.UTC(2200)), eventually);
  expect(daemon.output).not.toMatch(/"code":"INTERNAL"/);
  expect(await daemon.stop()).toBe(0);
});

test('a timer of a fabric that can be none, and one that never shows, leave the daemon at rest', async () => {
  const bed = await openBed({ redis: 'own' });
  const lab = await bed.fabric('lab', { sync_interval: 3_600 });
  const daemon = await bed.daemon({ FABRIC_SYNCD_SWEEP_INTERVAL: '1h' }).ready();
  await lab.synced();
  await lab.until(({ leaseHolder }) => leaseHolder === null, 'at rest');
  const client = await meddler(bed.redisUrl);
  bed.onClose(async () => client.disconnect());
  await client.del(bed.keys.timers);
  await client.zadd(bed.keys.timers, '+inf', 'nobody');
  await client.publish(bed.keys.wake, '1');
  const asked = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);
  const before = await asked();
  // The daemon has looked, and looks again only when its longest sleep is over.
  await vi.waitFor(async () => expect(await asked()).toBeGreaterThan(before), eventually);
  await client.hset(bed.keys.payloads, 'nobody', payload(1));
  await client.zadd(bed.keys.timers, 0, 'nobody');
  await client.publish(bed.keys.wake, '1');
  await vi.waitFor(async () => expect(Number(await client.zscore(bed.keys.timers, 'nobody'))).not.toBe(0), eventually);
  expect((await asked()) - before).toBeLessThan(100);
  expect(daemon.output).not.toMatch(/"code":"INTERNAL"/);
  expect(await daemon.stop()).toBe(0);
});
