import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/postgres/connect.ts';
import { loadMigrations, migrate, SchemaRefused, schemaState } from '../../../src/postgres/migrate.ts';
import { emptyDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeSchema } from '../../support/schema.ts';

let place: TestDatabase;
let database: Database;

beforeAll(async () => {
  place = await emptyDatabase(inject('databaseUrl'));
  database = openDatabase({ url: place.url });
});

afterAll(async () => {
  await database.close();
  await place.drop();
});

describe('migrations', () => {
  test('an empty database is behind, and looking at it changes nothing', async () => {
    const names = (await loadMigrations()).map(({ name }) => name);
    expect(await schemaState(database)).toEqual({ current: 0, needed: names.length, pending: names });
    const [tables] = await database.sql`select count(*)::int as n from pg_tables where schemaname = 'public'`;
    expect(tables?.n).toBe(0);
  });

  test('five daemons that migrate at once apply each step once, and afterwards there is nothing to do', async () => {
    const names = (await loadMigrations()).map(({ name }) => name);
    const others = Array.from({ length: 4 }, () => openDatabase({ url: place.url }));
    try {
      const applied = await Promise.all([database, ...others].map(migrate));
      expect(applied.flat().sort()).toEqual(names);
      expect(await migrate(database)).toEqual([]);
      expect(await schemaState(database)).toEqual({ current: names.length, needed: names.length, pending: [] });
    } finally {
      await Promise.all(others.map((other) => other.close()));
    }
  });

  test('the schema is the one that was reviewed', async () => {
    const name = `../schema.sql`;
    await expect(await describeSchema(database.sql)).toMatchFileSnapshot(name);
  });

  test('a schema from a newer program is refused and left untouched', async () => {
    await database.sql`insert into fabric_migration (number, name, hash) values (9999, '9999_later.sql', 'x')`;
    try {
      await expect(migrate(database)).rejects.toThrow(SchemaRefused);
      await expect(schemaState(database)).rejects.toMatchObject({ kind: 'newer' });
      await expect(migrate(database)).rejects.toThrow(/9999_later\.sql.*install a newer fabric-syncd/);
    } finally {
      await database.sql`delete from fabric_migration where number = 9999`;
    }
  });

  test('a past that differs from the files is refused', async () => {
    const [line] = await database.sql<{ hash: string }[]>`select hash from fabric_migration where number = 1`;
    await database.sql`update fabric_migration set hash = 'another' where number = 1`;
    try {
      await expect(migrate(database)).rejects.toMatchObject({ name: 'SchemaRefused', kind: 'changed' });
    } finally {
      await database.sql`update fabric_migration set hash = ${line?.hash ?? ''} where number = 1`;
    }
  });
});
