// A database of its own for each test file: a clone of a template that was migrated once.

import { randomBytes } from 'node:crypto';
import { type Database, openDatabase } from '../../src/postgres/connect.ts';
import { migrate } from '../../src/postgres/migrate.ts';

const templateName = 'fabric_syncd_template';

/** The same server, another database. */
export function withDatabase(url: string, name: string): string {
  const [head = '', query] = url.split('?');
  const server = /^[a-z]+:\/\/[^/]*/.exec(head)?.[0] ?? head;
  return `${server}/${name}${query === undefined ? '' : `?${query}`}`;
}

async function on<T>(url: string, act: (database: Database) => Promise<T>): Promise<T> {
  const database = openDatabase({ url, connectionsMax: 1, applicationName: 'fabric-syncd tests' });
  try {
    return await act(database);
  } finally {
    await database.close();
  }
}

const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Makes the template anew. Once a test run, before any file. */
export async function makeTemplate(url: string): Promise<{ name: string; drop(): Promise<void> }> {
  const name = `${templateName}_${randomBytes(4).toString('hex')}`;
  await on(url, ({ sql }) => sql.unsafe(`create database ${identifier(name)}`));
  await on(withDatabase(url, name), migrate);
  return { name, drop: () => dropDatabase(url, name) };
}

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  drop(): Promise<void>;
}

/**
 * A fresh database with the schema in it.
 * @param server where the template is: `inject('databaseUrl')` and `inject('databaseTemplate')`
 */
export async function cloneDatabase(server: { url: string; template: string }): Promise<TestDatabase> {
  const name = `fabric_syncd_test_${randomBytes(6).toString('hex')}`;
  await on(server.url, ({ sql }) =>
    sql.unsafe(`create database ${identifier(name)} template ${identifier(server.template)}`),
  );
  return { url: withDatabase(server.url, name), name, drop: () => dropDatabase(server.url, name) };
}

/** An empty one, without the schema. */
export async function emptyDatabase(serverUrl: string): Promise<TestDatabase> {
  const name = `fabric_syncd_test_${randomBytes(6).toString('hex')}`;
  await on(serverUrl, ({ sql }) => sql.unsafe(`create database ${identifier(name)}`));
  return { url: withDatabase(serverUrl, name), name, drop: () => dropDatabase(serverUrl, name) };
}

async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await on(serverUrl, ({ sql }) => sql.unsafe(`drop database if exists ${identifier(name)} with (force)`));
}
