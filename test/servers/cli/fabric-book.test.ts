// What becomes of a change of settings when something goes wrong in the middle of it.

import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { postgresFabricBook } from '../../../src/postgres/operator/fabric-book.ts';
import { cloneDatabase, type TestDatabase } from '../../support/postgres.ts';
import { makeFabric } from '../../support/rows.ts';

let clone: TestDatabase;
let database: Database;
let people: Database;
beforeAll(async () => {
  clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  database = openDatabase({ url: clone.url });
  people = openDatabase({ url: clone.url });
});
afterAll(async () => {
  await Promise.all([database.close(), people.close()]);
  await clone.drop();
});

/** Resolves once somebody waits for a lock in this database. */
async function somebodyWaits(): Promise<void> {
  for (;;) {
    const waiting = await people.sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    if (waiting.count > 0) return;
  }
}

/** Does `act` while somebody keeps the fabric's row, and cuts its connections as soon as it waits for that. */
async function cutInTheMiddle(fabricId: string, act: () => Promise<unknown>): Promise<unknown> {
  return people.transact(
    'hold a row',
    async (tx) => {
      await tx.run((sql) => sql`select from fabric where id = ${fabricId} for update`);
      const ended = act().catch((cause: unknown) => cause);
      await somebodyWaits();
      database.cut();
      return ended;
    },
    { deadlineMs: 30_000 },
  );
}

test('a connection that goes in the middle of a change is told as such, and nothing is changed', async () => {
  const book = postgresFabricBook(database);
  const fabricId = await makeFabric(people.sql, 'lab');
  const away = { code: 'DATABASE_UNAVAILABLE' };
  const set = () => book.set(fabricId, { name: 'other', server: 'https://192.0.2.9:6443' }, null);
  expect(await cutInTheMiddle(fabricId, set)).toMatchObject(away);
  expect(await cutInTheMiddle(fabricId, () => book.remove(fabricId))).toMatchObject(away);
  expect(await book.list()).toMatchObject([{ name: 'lab', server: 'https://lab.example:6443' }]);
  // The connections are none the worse for it.
  expect(await set()).toEqual({ kind: 'changed' });
  expect(await book.remove(fabricId)).toBe(true);
});

test('what cannot be sealed adds no fabric, and its own error is told', async () => {
  const book = postgresFabricBook(database);
  const broken = new Error('the key is gone');
  const seal = () => {
    throw broken;
  };
  await expect(book.add({ name: 'half' }, { kind: 'seal', seal })).rejects.toBe(broken);
  expect(await book.list()).toEqual([]);
});
