// How many rows the acts read that are done all the time: not more where a fabric has a long history.

import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { backoffDefault } from '../../../machines/fabric/backoff.ts';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { postgresFabricBook } from '../../../src/postgres/operator/fabric-book.ts';
import { postgresOperator } from '../../../src/postgres/operator/operator.ts';
import { createStore } from '../../../src/postgres/store.ts';
import {
  addFabric,
  claimNow,
  commitRequest,
  neverAborted,
  object,
  openStorePlace,
  pruneAll,
  rowOf,
  type StorePlace,
  settleRequest,
} from '../../support/fabric-store.ts';

let place: StorePlace;
let id: string;

beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
});
afterAll(() => place.close());

/** A fabric with a history, whose last run never ended. */
beforeEach(async () => {
  id = await addFabric(place.sql);
  await place.sql`
    insert into fabric_run (fabric_id, epoch, trigger, daemon, started_at, finished_at, outcome)
    select ${id}, n, 'sync', 'd', now() - n * interval '1 minute', now() - n * interval '1 minute', 'complete'
      from generate_series(1, 3000) n`;
  await place.sql`update fabric_cycle set epoch = 3000 where fabric_id = ${id}`;
  await place.sql`analyze fabric_run`;
});

test.each<[string, (database: Database) => Promise<unknown>]>([
  [
    'a run from its claim to its commit',
    async (database) => {
      const { sql } = database;
      const store = createStore(database, { daemon });
      await store.commit(commitRequest(await claimNow({ sql, store }, id)), neverAborted);
    },
  ],
  [
    'a run that fails',
    async (database) => {
      const { sql } = database;
      const store = createStore(database, { daemon });
      await store.settle(settleRequest(await claimNow({ sql, store }, id)));
    },
  ],
  [
    'a run that takes over from one that never ended',
    async (database) => {
      const { runId } = await abandoned();
      const { sql } = database;
      await claimNow({ sql, store: createStore(database, { daemon }) }, id);
      expect(await rowOf(place.observer, 'fabric_run', { id: runId })).toMatchObject({ outcome: 'interrupted' });
    },
  ],
  [
    'the end of a lease that ran out',
    async (database) => {
      const { runId } = await abandoned();
      await createStore(database, { daemon }).interruptExpired(backoffDefault, 0);
      expect(await rowOf(place.observer, 'fabric_run', { id: runId })).toMatchObject({ outcome: 'interrupted' });
    },
  ],
  [
    'a force-unlock',
    async (database) => {
      const { runId } = await abandoned();
      expect(await postgresOperator(database).unlock(id, 'ann')).toMatchObject({ runId });
      expect(await rowOf(place.observer, 'fabric_run', { id: runId })).toMatchObject({ outcome: 'fenced' });
    },
  ],
])('%s reads few runs, and not the history', async (_, act) => {
  expect(await rowsRead(['fabric_run'], act)).toBeLessThan(20);
});

test('pruning reads the oldest runs of each fabric, and not the young ones', async () => {
  const [{ fabrics = 0 } = {}] = await place.sql<{ fabrics: number }[]>`select count(*)::int as fabrics from fabric`;
  const act = async (database: Database) => {
    expect(await pruneAll(createStore(database, { daemon }), 30 * 86_400_000)).toBe(0);
  };
  expect(await rowsRead(['fabric_run'], act)).toBeLessThan(fabrics * 300);
});

test.each<[string, (database: Database) => Promise<unknown>]>([
  ['what a fabric has is counted', (database) => postgresFabricBook(database).belongings(id)],
  ['a fabric is removed', (database) => postgresFabricBook(database).remove(id)],
])('%s without a look at what is of others', async (_, act) => {
  const other = await addFabric(place.sql);
  const run = await claimNow(place, other);
  const staged = Array.from({ length: 2_000 }, (_, n) => object(`o${n}`));
  await place.store.commit(commitRequest(run, { staged }), neverAborted);
  await place.sql`
    insert into fabric_request (fabric_id, asked_by, settled_at) select ${other}, 'ann', now() from generate_series(1, 2000)`;
  const mine = await claimNow(place, id);
  await place.store.commit(commitRequest(mine, { staged: [object('mine')] }), neverAborted);
  await place.sql`analyze`;
  expect(await rowsRead(['fabric_change', 'fabric_request'], act)).toBeLessThan(20);
});

test('a first inventory is written without reading it again, also where the planner knows the table as an empty one', async () => {
  await place.sql`delete from fabric_resource`;
  await place.sql`vacuum analyze fabric_resource`;
  const staged = Array.from({ length: 2_000 }, (_, n) => object(`o${n}`));
  const act = async (database: Database) => {
    const { sql } = database;
    const store = createStore(database, { daemon });
    await store.commit(commitRequest(await claimNow({ sql, store }, id), { staged }), neverAborted);
  };
  // Rows that the statement itself wrote are not read, but the pages with them are.
  expect(await pagesRead('fabric_resource', act)).toBeLessThan(10 * staged.length);
});

const daemon = 'host/1/aaaaaa';

/** A run whose daemon died. */
async function abandoned() {
  const { claim } = await claimNow(place, id, { daemon: 'dead' });
  await place.sql`update fabric_cycle set lease_until = now() - interval '1 ms' where fabric_id = ${id}`;
  return claim;
}

/** Of some tables, by the server's own count. */
function rowsRead(tables: string[], act: (database: Database) => Promise<unknown>): Promise<number> {
  return counted(act, async () => {
    const [row] = await place.observer<{ rows: number }[]>`
      select sum(seq_tup_read + idx_tup_fetch)::int as rows from pg_stat_user_tables where relname = any(${tables}::text[])`;
    return row?.rows ?? 0;
  });
}

/** Of one table, those in the server's memory included. */
function pagesRead(table: string, act: (database: Database) => Promise<unknown>): Promise<number> {
  return counted(act, async () => {
    const [row] = await place.observer<{ pages: number }[]>`
      select (heap_blks_hit + heap_blks_read)::int as pages from pg_statio_user_tables where relname = ${table}`;
    return row?.pages ?? 0;
  });
}

/** By how much the count grows. */
async function counted(act: (database: Database) => Promise<unknown>, count: () => Promise<number>): Promise<number> {
  const applicationName = 'whose reads are counted';
  const before = await count();
  const database = openDatabase({ url: place.url, applicationName });
  try {
    await act(database);
  } finally {
    await database.close();
  }
  // The last thing that a connection does is to say what it read.
  const open = () => place.observer`select from pg_stat_activity where application_name = ${applicationName}`;
  while ((await open()).length > 0);
  return (await count()) - before;
}
