import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { openRedisParts, type RedisParts } from '../../../src/redis/open.ts';
import { cloneDatabase, type TestDatabase } from '../../support/postgres.ts';
import { makeFabric, makeRunning } from '../../support/rows.ts';
import { runFabricSyncd } from '../../support/run-program.ts';

const redisUrl = inject('redisUrl');

describe.skipIf(redisUrl === null)('the operating verbs beside a real Redis', () => {
  let clone: TestDatabase;
  let database: Database;
  let redis: RedisParts;
  let env: Record<string, string>;

  beforeAll(async () => {
    clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
    database = openDatabase({ url: clone.url });
    env = {
      DATABASE_URL: clone.url,
      REDIS_URL: redisUrl ?? '',
      FABRIC_SYNCD_REDIS_PREFIX: clone.name,
      FABRIC_SYNCD_ADMIN_SOCKET: `/tmp/${clone.name}.sock`,
    };
    redis = openRedisParts({
      url: redisUrl ?? '',
      lockUrls: [],
      prefix: clone.name,
      leaseTtlMs: 30_000,
      clock: systemClock,
      name: 'test',
    });
    await redis.settled();
  });
  beforeEach(() => database.sql`delete from fabric`);
  afterEach(async () => {
    for (const { fabricId } of await redis.timers.all()) await redis.timers.cancel(fabricId);
  });
  afterAll(async () => {
    await redis.close();
    await database.close();
    await clone.drop();
  });

  interface Status {
    readonly disagreements: number;
    readonly orphan_timers: string[];
    readonly fabrics: { readonly name: string; readonly timer: { readonly state: string } }[];
  }

  const run = (...argv: string[]) => runFabricSyncd(argv, { env });
  const statusOf = async () => (await run('status', '--json')).json<Status>();
  const dueOf = async (fabricId: string) => {
    const [row] = await database.sql<[{ due_at: Date }]>`select due_at from fabric_cycle where fabric_id = ${fabricId}`;
    return row.due_at.getTime();
  };
  const arm = (fabricId: string, dueAtMs: number) =>
    redis.timers.arm({ fabricId, kind: 'sync', dueAtMs, traceparent: null });

  test('status compares the timers with the rows and names what is wrong, and bootstrap makes it right', async () => {
    const { sql } = database;
    const right = await makeFabric(sql, 'right');
    const missing = await makeFabric(sql, 'missing');
    const other = await makeFabric(sql, 'other');
    const extra = await makeFabric(sql, 'extra', { fabric: { sync_enabled: false } });
    const claimed = await makeFabric(sql, 'claimed');
    await arm(right, await dueOf(right));
    await arm(other, (await dueOf(other)) + 5);
    await arm(extra, await dueOf(extra));
    await arm('987654', 1_000);
    const claimedDueMs = await dueOf(claimed);
    await arm(claimed, claimedDueMs);
    await redis.timers.hold(claimed, claimedDueMs + 30_000);

    const before = await statusOf();
    expect(before.fabrics.map(({ name, timer }) => [name, timer.state])).toEqual([
      ['right', 'armed'],
      ['missing', 'missing'],
      ['other', 'different'],
      ['extra', 'extra'],
      ['claimed', 'claimed'],
    ]);
    expect(before).toMatchObject({ disagreements: 4, orphan_timers: ['987654'] });
    expect((await run('status')).stdout).toContain('disagree on 4 timers; repair it: fabric-syncd bootstrap.');

    expect((await run('bootstrap', '--json')).json()).toMatchObject({
      scheduled: 2,
      already_armed: 2,
      skipped: 1,
      timers_removed: 2,
      redis: 'answers',
    });
    expect(await statusOf()).toMatchObject({ disagreements: 0, orphan_timers: [] });
    const timers = await redis.timers.all();
    expect(timers.map(({ fabricId }) => fabricId).sort()).toEqual([right, missing, other, claimed].sort());
    expect((await run('bootstrap', '--json')).json()).toMatchObject({
      scheduled: 0,
      already_armed: 4,
      skipped: 1,
      changed: 0,
      timers_removed: 0,
    });
    expect(await redis.timers.all()).toEqual(timers);
  });

  test('bootstrap leaves a fabric alone that somebody runs', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    await makeRunning(database.sql, fabricId);
    expect((await run('bootstrap', '--json')).json()).toMatchObject({ running: 1, scheduled: 0, changed: 0 });
    expect(await redis.timers.all()).toEqual([]);
    expect(await statusOf()).toMatchObject({
      disagreements: 0,
      fabrics: [{ state: 'syncing', timer: { state: 'none' } }],
    });
  });

  test('unlock frees the lock in Redis too, so that the next run need not wait for its end', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    await makeRunning(database.sql, fabricId);
    expect(await redis.lock.acquire(fabricId)).toMatchObject({ kind: 'acquired' });
    expect(await redis.lock.acquire(fabricId)).toMatchObject({ kind: 'contended' });
    expect((await run('unlock', 'lab', '--json')).json()).toMatchObject({ redis: 'freed' });
    const again = await redis.lock.acquire(fabricId);
    expect(again).toMatchObject({ kind: 'acquired' });
    if (again.kind === 'acquired') await redis.lock.release(again.lease);
    expect((await run('unlock', 'lab', '--json')).json()).toMatchObject({ redis: 'not_locked' });
  });

  test('with Redis down status tells the rest, and so do bootstrap and unlock', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    const down = { env: { ...env, REDIS_URL: 'redis://u:hunter2@127.0.0.1:1' } };
    const status = await runFabricSyncd(['status', '--json'], down);
    expect(status.json()).toMatchObject({
      redis: { state: 'unavailable', timers: null },
      fabrics: [{ name: 'lab', sync_status: 'never_synced', timer: { state: 'unknown' } }],
    });
    expect(status.stdout).not.toContain('hunter2');
    expect((await runFabricSyncd(['status'], down)).stdout).toContain('Redis does not answer');
    expect((await runFabricSyncd(['bootstrap', '--json'], down)).json()).toMatchObject({
      redis: 'unavailable',
      fabrics: [{ done: 'planned' }],
    });
    expect((await runFabricSyncd(['unlock', fabricId, '--json'], down)).json()).toMatchObject({ redis: 'unavailable' });
  });
});
