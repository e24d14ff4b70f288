// The watchman is watched: rows that are in order violate nothing, and each thing that is put out of order is found.

import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { timerViolations, violations } from '../../support/invariants.ts';
import { cloneDatabase, type TestDatabase } from '../../support/postgres.ts';
import { meddler } from '../../support/redis.ts';
import { makeChange, makeFabric, makeResource, makeRun } from '../../support/rows.ts';

let clone: TestDatabase;
let database: Database;
let sql: Sql;
let id: string;
beforeAll(async () => {
  clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  database = openDatabase({ url: clone.url });
  sql = database.sql;
});
afterAll(async () => {
  await database.close();
  await clone.drop();
});

/** One fabric with one object, synced once. */
beforeEach(async () => {
  await sql`delete from fabric`;
  id = await makeFabric(sql, 'lab');
  const kinds = { Switch: { answer: 'complete', listed: 1, quarantined: 0 } };
  const run = await makeRun(sql, id, 'complete', { kinds: sql.json(kinds), created: 1 });
  const resource = await makeResource(sql, id, 'leaf-1', { spec: {} }, { createdRun: run });
  await makeChange(sql, run, resource, 'created');
  await sql`
    update fabric f
       set last_sync = r.started_at, sync_status = 'in_sync', connection_status = 'connected',
           counts = '{"Switch": 1}', cached_crd_count = 1, switches_count = 1
      from fabric_run r where r.fabric_id = f.id and f.id = ${id}`;
});

test('rows that are in order violate nothing', async () => {
  expect(await violations({ sql, redis: null, secrets: ['canary'] })).toEqual([]);
  expect(await timerViolations({ sql, redis: null })).toEqual([]);
});

describe('it is found', () => {
  test.each([
    [
      'b',
      'an epoch did not grow',
      `insert into fabric_run (fabric_id, epoch, trigger, daemon, outcome, finished_at, kinds)
        select fabric_id, 0, 'sync', daemon, 'complete', now(), kinds from fabric_run`,
    ],
    ['b', 'the newest epoch is older', 'update fabric_cycle set epoch = 0'],
    ['b', 'a run that did not commit has changes', "update fabric_run set outcome = 'failed'"],
    [
      'c',
      'not those of its last complete list',
      `update fabric_run set kinds = jsonb_set(kinds, '{Switch,listed}', '2')`,
    ],
    [
      'c',
      'whose list was not complete',
      `update fabric_run set kinds = jsonb_set(kinds, '{Switch,answer}', '"forbidden"')`,
    ],
    [
      'd',
      'not from a complete list',
      `update fabric_run set kinds = '{}'; update fabric_change set change = 'deleted'`,
    ],
    ['d', 'counts other changes', 'update fabric_run set deleted = 1'],
    ['e', 'not the start of the last committed run', "update fabric set last_sync = last_sync + interval '1 ms'"],
    ['f', 'without a live lease', "update fabric set sync_status = 'syncing'"],
    ['s', 'not what the last run says', "update fabric set sync_status = 'error', sync_error = 'x'"],
    ['s', 'not one line', "update fabric set connection_status = 'error', connection_error = E'a\\nb'"],
    ['s', 'counts are not those', 'update fabric set switches_count = 2'],
    ['g', 'a secret is in fabric', "update fabric set description = 'the canary'"],
  ])('%s: %s', async (letter, says, tampering) => {
    await sql.unsafe(tampering).simple();
    const found = await violations({ sql, redis: null, secrets: ['canary'] });
    expect(found.filter((one) => one.startsWith(`${letter}. `) && one.includes(says))).not.toEqual([]);
  });

  test('a: a fabric that may sync and has no due time', async () => {
    await sql`update fabric_cycle set due_at = null, due_kind = null`;
    expect(await timerViolations({ sql, redis: null })).toEqual(['a. lab: may sync: true, due: null']);
  });

  test('a: one that may not sync and has one', async () => {
    await sql`update fabric set sync_enabled = false`;
    expect(await timerViolations({ sql, redis: null })).toEqual([expect.stringContaining('may sync: false')]);
  });

  test.skipIf(inject('redisUrl') === null)('a: a timer that is missing, of nobody, or of another time', async () => {
    const url = inject('redisUrl') ?? '';
    const prefix = `test-${randomBytes(6).toString('hex')}`;
    const look = () => timerViolations({ sql, redis: { url, prefix } });
    const arm = async (fabricId: string, due: number) => {
      const client = await meddler(url);
      await client.zadd(`{${prefix}}:timers`, due, fabricId);
      await client.hset(`{${prefix}}:timer`, fabricId, JSON.stringify({ kind: 'sync', due }));
      client.disconnect();
    };
    const [row] = await sql<{ due: number }[]>`
      select floor(extract(epoch from due_at) * 1000)::float8 as due from fabric_cycle`;
    const due = row?.due ?? 0;
    expect(await look()).toEqual([`a. lab: due at ${due}, its timer says nothing`]);
    await arm(id, due);
    expect(await look()).toEqual([]);
    await arm(id, due + 1);
    expect(await look()).toEqual([`a. lab: due at ${due}, its timer says ${due + 1}`]);
    await arm(id, due);
    await arm('0', due);
    expect(await look()).toEqual(['a. 0: a timer of nobody']);
    const client = await meddler(url);
    await client.del(`{${prefix}}:timers`, `{${prefix}}:timer`);
    client.disconnect();
  });
});
