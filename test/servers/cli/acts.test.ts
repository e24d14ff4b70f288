// What people did is on record, and what the inspector reads beside the acts.

import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { InspectorReads } from '../../../src/ports/inspector-reads.ts';
import type { Operator } from '../../../src/ports/operator.ts';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { postgresInspectorReads } from '../../../src/postgres/operator/inspector-reads.ts';
import { postgresOperator } from '../../../src/postgres/operator/operator.ts';
import { createStore } from '../../../src/postgres/store.ts';
import { pruneAll } from '../../support/fabric-store.ts';
import { cloneDatabase, type TestDatabase } from '../../support/postgres.ts';
import { makeFabric } from '../../support/rows.ts';

let clone: TestDatabase;
let database: Database;
let operator: Operator;
let reads: InspectorReads;

beforeAll(async () => {
  clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  database = openDatabase({ url: clone.url });
  operator = postgresOperator(database);
  reads = postgresInspectorReads(database);
});
beforeEach(() => database.sql`delete from fabric`);
afterAll(async () => {
  await database.close();
  await clone.drop();
});

const did = async (fabricId: string) =>
  (await reads.acts(fabricId, 10)).map(({ act, by, detail }) => [act, by, detail].join(' ').trim());

describe('the record of acts', () => {
  test('has each act with who did it, the newest first, and of that fabric alone', async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab');
    const other = await makeFabric(sql, 'other');
    await operator.request([fabricId, other], 'ann@host', null);
    await operator.request([fabricId], 'ann@host', null, 'retry');
    await operator.pause(fabricId, { by: 'bob@host', reason: 'switch upgrade', untilMs: null });
    await operator.resume(fabricId, 'cy@host');
    await operator.unlock(fabricId, 'dan@host');
    await sql`update fabric_cycle set approval = ${sql.json({ kind: 'cluster', run: '7', since: 0, pinned: 'a', found: 'b' })} where fabric_id = ${fabricId}`;
    await operator.approve(fabricId, { runId: '7', by: 'eve@host', ask: false, traceparent: null });
    expect(await did(fabricId)).toEqual([
      'approve eve@host',
      'unlock dan@host',
      'resume cy@host',
      'pause bob@host switch upgrade',
      'retry ann@host',
      'trigger ann@host',
    ]);
    expect(await did(other)).toEqual(['trigger ann@host']);
    const [newest] = await reads.acts(fabricId, 1);
    const [now] = await sql<{ ms: number }[]>`select extract(epoch from now())::float8 * 1000 as ms`;
    expect(Math.abs((newest?.atMs ?? 0) - (now?.ms ?? 0))).toBeLessThan(60_000);
  });

  test('has nothing of an act that did not happen', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    expect(await operator.resume(fabricId, 'ann@host')).toBe(false);
    expect(await operator.approve(fabricId, { runId: '7', by: 'ann@host', ask: true, traceparent: null })).toEqual({
      kind: 'changed',
    });
    await operator.request(['999999'], 'ann@host', null);
    expect(await operator.unlock('999999', 'ann@host')).toBeNull();
    expect(await did(fabricId)).toEqual([]);
  });

  test('who says "stop" again because nobody heard it has said it once', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    for (let i = 0; i < 5; i++) await operator.cancel(fabricId, 'ann@host');
    await operator.cancel(fabricId, 'bob@host');
    expect(await did(fabricId)).toEqual(['cancel bob@host', 'cancel ann@host']);
  });

  test('goes with the history, and with its fabric', async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab');
    await operator.pause(fabricId, { by: 'ann@host', reason: 'old', untilMs: null });
    await sql`update fabric_act set at = now() - interval '2 days'`;
    await operator.pause(fabricId, { by: 'ann@host', reason: 'new', untilMs: null });
    await pruneAll(createStore(database, { daemon: 'd' }), 86_400_000);
    expect(await did(fabricId)).toEqual(['pause ann@host new']);
    await sql`delete from fabric where id = ${fabricId}`;
    expect(await did(fabricId)).toEqual([]);
  });
});

describe('what the inspector reads', () => {
  test('the status of some fabrics is that of those that are there', async () => {
    const ids = [
      await makeFabric(database.sql, 'a'),
      await makeFabric(database.sql, 'b'),
      await makeFabric(database.sql, 'c'),
    ];
    const names = async (wanted: readonly string[] | null) =>
      (await reads.status(wanted)).fabrics.map(({ name }) => name);
    expect(await names(null)).toEqual(['a', 'b', 'c']);
    expect(await names([ids[2] ?? '', ids[0] ?? '', '999999'])).toEqual(['a', 'c']);
    expect(await names([])).toEqual([]);
    expect((await reads.status([])).nowMs).toBeGreaterThan(0);
  });

  test('the last runs of each fabric are those that ended, the oldest first', async () => {
    const { sql } = database;
    const fabricId = await makeFabric(sql, 'lab');
    await makeFabric(sql, 'never');
    await sql`
      insert into fabric_run (fabric_id, epoch, trigger, daemon, started_at, finished_at, outcome)
      select ${fabricId}, n, 'sync', 'd', now(), case when n < 5 then now() + n * interval '1 second' end,
             case when n < 5 then 'complete' end
        from generate_series(1, 5) as n`;
    const runs = await reads.endedRuns(3);
    expect([...runs.keys()]).toEqual([fabricId]);
    expect(runs.get(fabricId)?.map(({ durationMs, outcome }) => [durationMs, outcome])).toEqual([
      [2_000, 'complete'],
      [3_000, 'complete'],
      [4_000, 'complete'],
    ]);
  });

  test('a fabric that is gone has no settings', async () => {
    const fabricId = await makeFabric(database.sql, 'lab');
    expect(await reads.settings(fabricId)).toMatchObject({ name: 'lab' });
    expect(await reads.settings('999999')).toBeNull();
  });
});
