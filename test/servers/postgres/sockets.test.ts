// Connections under TLS, where the driver takes every listener off the sockets that it was given.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { createCa, issueServerCertificate, validFrom } from '../../../src/demo/fabrics/certificates.ts';
import { openDatabase } from '../../../src/postgres/connect.ts';
import { openStorePlace, type StorePlace } from '../../support/fabric-store.ts';

let place: StorePlace;
beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
});
afterAll(() => place.close());

test('a connection that was lost is made anew, for statements and transactions alike', async () => {
  const database = await reachByTls();
  const signal = new AbortController().signal;
  const statement = () =>
    database.actUntil('ask', (sql) => sql<{ pid: number }[]>`select pg_backend_pid() as pid`, signal);
  const transaction = () =>
    database.transact('ask', (tx) => tx.run((sql) => sql<{ pid: number }[]>`select pg_backend_pid() as pid`), {
      deadlineMs: 30_000,
    });
  for (const ask of [statement, transaction]) {
    const [before] = await ask();
    expect(await ask()).toEqual([before]);
    database.cut();
    while (await isThere(before?.pid));
    const [cut] = await ask();
    await place.observer`select pg_terminate_backend(${cut?.pid ?? 0}, 30000)`;
    // The news of it may come in the middle of what is asked first.
    await ask().catch(() => {});
    const [ended] = await ask();
    expect(new Set([before?.pid, cut?.pid, ended?.pid]).size).toBe(3);
  }
});

test('a transaction is cancelled', async () => {
  const database = await reachByTls();
  const abort = new AbortController();
  const reason = new Error('the lease was lost');
  const sleeping = async () => {
    const [one] =
      await place.observer`select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`;
    return one !== undefined;
  };
  const asked = database.transact('sleep', (tx) => tx.run((sql) => sql`select pg_sleep(50)`), {
    deadlineMs: 40_000,
    signal: abort.signal,
  });
  asked.catch(() => {});
  while (!(await sleeping()));
  abort.abort(reason);
  await expect(asked).rejects.toBe(reason);
  expect(await sleeping()).toBe(false);
});

test('one that is cut in the middle of what it sends fails that statement, and nothing else', async () => {
  const database = await reachByTls();
  await database.act('ask', (sql) => sql`select 1`);
  const large = 'x'.repeat(64 * 1024 * 1024);
  const asked = database.act('send', (sql) => sql<{ n: number }[]>`select length(${large}) as n`);
  asked.catch(() => {});
  setImmediate(() => database.cut());
  await expect(asked).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  expect(await database.act('ask', (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }]);
});

async function isThere(pid = 0): Promise<boolean> {
  const found = await place.observer`select from pg_stat_activity where pid = ${pid}`;
  return found.length > 0;
}

/** The database behind a server that speaks TLS, with one connection of each sort. */
async function reachByTls() {
  const url = new URL(place.url);
  const folder = url.searchParams.get('host');
  const target = folder
    ? { path: join(folder, '.s.PGSQL.5432') }
    : { host: '127.0.0.1', port: Number(url.port || 5432) };
  const ca = createCa('ca', Date.now());
  const { certPem, keyPem } = issueServerCertificate(ca, {
    caName: 'ca',
    names: ['127.0.0.1'],
    validity: validFrom(Date.now(), 1),
  });
  const server = createServer((raw) => {
    raw.on('error', () => {});
    // What asks for TLS.
    raw.once('data', () => {
      raw.write('S');
      const client = new TLSSocket(raw, { isServer: true, key: keyPem, cert: certPem });
      const upstream = connect(target);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        from.on('error', () => {});
        from.on('close', () => to.destroy());
        from.pipe(to);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const database = openDatabase({
    url: `postgres://postgres@127.0.0.1:${port}${url.pathname}?sslmode=require`,
    connectionsMax: 1,
    writersMax: 1,
  });
  onTestFinished(async () => {
    await database.close();
    server.close();
  });
  return database;
}
