// Statements that are given up: what becomes of the connection, of whoever has it next, and of the process.

import { join } from 'node:path';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import type { CancellableQuery } from '../../../src/postgres/cancel.ts';
import { type ConnectOptions, type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { openStorePlace, type StorePlace } from '../../support/fabric-store.ts';
import { startFrozenProxy } from '../../support/frozen-proxy.ts';
import { hold } from '../../support/hold.ts';

let place: StorePlace;
beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
});
afterAll(() => place.close());

const reason = new Error('the lease was lost');
const read = (sql: Sql) => sql<{ n: number }[]>`select count(*)::int as n from fabric_resource`;
const ways = {
  'a statement': (database: Database, signal: AbortSignal) => database.actUntil('read', read, signal),
  'a transaction': (database: Database, signal: AbortSignal) =>
    database.transact('read', (tx) => tx.run(read), { deadlineMs: 30_000, signal }),
};
const each = Object.entries(ways);

test.each(each)('%s that waits for a lock is cancelled there, and its connection is used again', async (_, ask) => {
  const { database } = await reach();
  const { letGo } = await lockResources();
  const abort = new AbortController();
  const asked = ask(database, abort.signal);
  await untilSomebodyWaits();
  const [before] = await waiting();
  abort.abort(reason);
  await expect(asked).rejects.toBe(reason);
  expect(await waiting()).toEqual([]);
  const again = ask(database, new AbortController().signal);
  await untilSomebodyWaits();
  expect(await waiting()).toEqual([before]);
  await letGo();
  expect(await again).toEqual([{ n: 0 }]);
});

test.each(each)('%s that cannot be cancelled, because no connection is taken, ends by itself', async (_, ask) => {
  const unheard: unknown[] = [];
  const hear = (cause: unknown) => unheard.push(cause);
  process.on('unhandledRejection', hear);
  onTestFinished(() => void process.off('unhandledRejection', hear));
  const { database, proxy } = await reach();
  const { letGo } = await lockResources();
  const abort = new AbortController();
  const asked = ask(database, abort.signal);
  asked.catch(() => {});
  await untilSomebodyWaits();
  proxy.refuse();
  abort.abort(reason);
  await rounds();
  expect(await waiting()).toHaveLength(1);
  await letGo();
  const isTransaction = ask === ways['a transaction'];
  if (isTransaction) await expect(asked).rejects.toBe(reason);
  else expect(await asked).toEqual([{ n: 0 }]);
  expect(unheard).toEqual([]);
});

test.each(each)(
  '%s that ends before the request to cancel it keeps its connection until that is over',
  async (_, ask) => {
    const { database } = await reach();
    const { letGo } = await lockResources();
    const order: string[] = [];
    const heard = Promise.withResolvers<void>();
    const late = (sql: Sql) => {
      const query = read(sql);
      (query as unknown as CancellableQuery).canceller = async () => {
        await heard.promise;
        order.push('the request is over');
      };
      return query;
    };
    const abort = new AbortController();
    const first =
      ask === ways['a transaction']
        ? database.transact('read', (tx) => tx.run(late), { deadlineMs: 30_000, signal: abort.signal })
        : database.actUntil('read', late, abort.signal);
    const next = ask(database, new AbortController().signal).then(() => order.push('the next one has run'));
    first.catch(() => {});
    await untilSomebodyWaits();
    abort.abort(reason);
    await letGo();
    await rounds();
    heard.resolve();
    await first.catch(() => {});
    await next;
    expect(order).toEqual(['the request is over', 'the next one has run']);
  },
);

test.each(each)('%s that is given up while its connection opens does not lose that', async (_, ask) => {
  const { database, proxy } = await reach();
  proxy.freeze();
  const abort = new AbortController();
  const asked = ask(database, abort.signal);
  asked.catch(() => {});
  await rounds();
  abort.abort(reason);
  await rounds();
  proxy.thaw();
  await expect(asked).rejects.toBe(reason);
  expect(await ask(database, new AbortController().signal)).toEqual([{ n: 0 }]);
});

test('a statement that is given up in the moment in which it is made is cancelled all the same', async () => {
  const { database } = await reach();
  const { letGo } = await lockResources();
  const abort = new AbortController();
  const asked = database.transact(
    'read',
    (tx) => {
      const running = tx.run(read);
      abort.abort(reason);
      return running;
    },
    { deadlineMs: 30_000, signal: abort.signal },
  );
  await expect(asked).rejects.toBe(reason);
  await letGo();
});

/** A way to the database that can be cut off, with one connection of each sort. */
async function reach(options: Partial<ConnectOptions> = {}) {
  const url = new URL(place.url);
  const folder = url.searchParams.get('host');
  const target = folder ? { path: join(folder, '.s.PGSQL.5432') } : { port: Number(url.port || 5432) };
  const proxy = await startFrozenProxy(target);
  const database = openDatabase({
    url: `postgres://postgres@127.0.0.1:${proxy.port}${url.pathname}`,
    connectionsMax: 1,
    writersMax: 1,
    ...options,
  });
  onTestFinished(async () => {
    await database.close();
    await proxy.close();
  });
  return { database, proxy };
}

/** Somebody keeps the table of what is stored. */
const lockResources = () => hold(place.observer, (tx) => tx`lock table fabric_resource in access exclusive mode`);

/** The connections on which somebody waits for a lock. */
async function waiting(): Promise<readonly number[]> {
  const rows = await place.observer<{ pid: number }[]>`
    select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return rows.map(({ pid }) => pid);
}

async function untilSomebodyWaits(): Promise<void> {
  while ((await waiting()).length === 0);
}

/** Long enough for whatever need not wait for anything: the server was asked many times over meanwhile. */
async function rounds(): Promise<void> {
  for (let round = 0; round < 50; round++) await waiting();
}
