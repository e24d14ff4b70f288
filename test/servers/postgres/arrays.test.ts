// Arrays on their way to Postgres and back, whatever is in them, on connections that never asked what an array is.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { parseArray, writeArray } from '../../../src/postgres/arrays.ts';
import { openDatabase } from '../../../src/postgres/connect.ts';
import { openStorePlace, type StorePlace } from '../../support/fabric-store.ts';

let place: StorePlace;
beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
});
afterAll(() => place.close());

const texts = [['a', 'b'], [], [''], ['NULL', 'null'], ['a,b', '{c}', '"d"', 'e\\f', ' g ', 'h\ni', 'ü·😀']];

test.each(texts.map((array) => [array]))('%j comes back as it was', async (array) => {
  const [row] = await place.sql<[{ array: string[]; first: string | null }]>`
    select ${array}::text[] as array, (${array}::text[])[1] as first`;
  expect(row).toEqual({ array, first: array[0] ?? null });
});

test('numbers of any size are told as they are, and what is null is null', async () => {
  const ids = ['1', '9223372036854775807', '-9223372036854775808'];
  const [row] = await place.sql<[{ ids: string[]; found: boolean; holes: (string | null)[] }]>`
    select ${ids}::bigint[] as ids, 9223372036854775807 = any(${ids}::bigint[]) as found, array['a', null] as holes`;
  expect(row).toEqual({ ids, found: true, holes: ['a', null] });
});

test('any texts are read as they were written', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (array) => {
      expect(parseArray(String(writeArray(array)))).toEqual(array);
    }),
  );
});

test('a server that ends while a connection is new fails the act, and no promise that nobody hears (AR1)', async () => {
  const asked: string[] = [];
  // Lets anybody in, and is gone at the first question.
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]));
      socket.once('data', (question: Buffer) => {
        asked.push(question.toString('latin1'));
        socket.resetAndDestroy();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const database = openDatabase({ url: `postgres://ann@127.0.0.1:${port}/fabrics?sslmode=disable` });
  try {
    await expect(database.act('ask', (sql) => sql`select ${'ours'}::text`)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
    expect(asked).toEqual([expect.stringContaining('select $1::text')]);
  } finally {
    await database.close();
    server.close();
  }
});
