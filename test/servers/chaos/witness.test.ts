// Whether those who judge a storm see what is wrong: each lie is told to them once.

import type { Sql } from 'postgres';
import { afterEach, expect, inject, test } from 'vitest';
import { openDatabase } from '../../../src/postgres/connect.ts';
import { cloneDatabase } from '../../support/postgres.ts';
import { callWitness, ticksLost, unkept } from '../../support/process/witness.ts';
import { makeFabric } from '../../support/rows.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const wayBack = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1_000);

async function ground() {
  const clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  undo.push(() => clone.drop());
  const database = openDatabase({ url: clone.url, connectionsMax: 2, applicationName: 'the test' });
  undo.push(() => database.close());
  const { sql } = database;
  await callWitness(sql);
  const fabricId = await makeFabric(sql, 'lab');
  await sql`truncate witness_cycle`;
  let epoch = 0;
  return {
    sql,
    /** A run of seconds from the beginning of the year. */
    async run(
      dueAt: number | null,
      from: number,
      to: number | null,
      outcome: string | null = 'complete',
      daemon = 'a',
    ) {
      epoch += 1;
      await sql`
        insert into fabric_run (fabric_id, epoch, trigger, daemon, due_at, started_at, finished_at, outcome)
        values (${fabricId}, ${epoch}, ${dueAt === null ? 'manual' : 'sync'}, ${daemon}, ${at(dueAt)}, ${at(from)},
                ${at(to)}, ${outcome})`;
    },
    /** The row promised this due time at that second; under the lease of the last run where it has a holder. */
    async promise(dueAt: number, when: number, holder: string | null = null) {
      await sql`
        insert into witness_cycle (at, fabric_id, state, due_at, due_kind, epoch, lease_holder)
        values (${at(when)}, ${fabricId}, ${holder ? 'syncing' : 'scheduled'}, ${at(dueAt)}, 'sync', ${epoch}, ${holder})`;
    },
  };
}

const at = (seconds: number | null) => (seconds === null ? null : wayBack(seconds));
const ways = async (sql: Sql) =>
  Object.entries(await unkept(sql)).flatMap(([way, found]) => (found.length > 0 ? [way] : []));

test('a history in which every promise was kept has nothing wrong with it', async () => {
  const { sql, run, promise } = await ground();
  await promise(10, 0);
  await run(10, 10, 11);
  await promise(20, 11);
  await run(20, 20, 21);
  await promise(30, 21);
  expect(await ways(sql)).toEqual([]);
  expect(await ticksLost(sql)).toEqual([]);
});

test('a due time that passed and was replaced without a run is a lost tick', async () => {
  const { sql, run, promise } = await ground();
  await promise(10, 0);
  await promise(20, 12);
  await run(20, 20, 21);
  await promise(30, 21);
  expect(await ticksLost(sql)).toMatchObject([{ fabric: 'lab' }]);
});

test('one that was moved before it came is not, nor one that came in the middle of a run', async () => {
  const { sql, run, promise } = await ground();
  await promise(10, 0);
  await promise(5, 2);
  await run(5, 5, 6);
  await promise(8, 6);
  await run(null, 7, 7.9);
  await promise(8, 7, 'a');
  // The commit began before that time and ended after it.
  await promise(18, 8.1);
  expect(await ticksLost(sql)).toEqual([]);
});

test('a claim whose first message came a little before the end of the run before it is told by the rows, not by its time', async () => {
  const { sql, run, promise } = await ground();
  await promise(10, 0);
  await run(10, 10, 12);
  await promise(11.9, 12);
  await run(11.9, 11.9, 13, 'complete', 'b');
  expect(await ways(sql)).toEqual(['overlapping']);
  expect((await unkept(sql, 500)).overlapping).toEqual([]);
  await sql`update witness_cycle set epoch = 7 where seq = (select min(seq) from witness_cycle)`;
  expect((await unkept(sql, 500)).overlapping).toMatchObject([{ what: expect.stringContaining('written after 7') }]);
});

test('two runs of one fabric at a time, two that served one due time, one before its time, one never promised', async () => {
  for (const [way, tell] of [
    [
      'overlapping',
      async ({ run, promise }: Told) => {
        await promise(10, 0);
        await run(10, 10, 15);
        await promise(14, 15);
        await run(14, 14, 16, 'complete', 'b');
      },
    ],
    [
      'doubled',
      async ({ run, promise }: Told) => {
        await promise(10, 0);
        await run(10, 10, 11);
        await run(10, 12, 13);
      },
    ],
    [
      'early',
      async ({ run, promise }: Told) => {
        await promise(10, 0);
        await run(10, 9, 9.5);
      },
    ],
    ['unpromised', async ({ run }: Told) => run(10, 10, 11)],
    [
      'abandoned',
      async ({ run, promise }: Told) => {
        await promise(10, 0);
        await run(10, 10, 11, 'failed');
      },
    ],
  ] as const) {
    const told = await ground();
    await tell(told);
    expect(await ways(told.sql), way).toEqual([way]);
  }
});

type Told = Awaited<ReturnType<typeof ground>>;
