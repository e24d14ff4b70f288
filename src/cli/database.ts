// Postgres for the length of one verb.

import type { Config } from '../config.ts';
import type { FabricBook } from '../ports/fabric-settings.ts';
import type { FabricName } from '../ports/operator.ts';
import { type Database, openDatabase } from '../postgres/connect.ts';
import { migrate, type SchemaState, schemaState } from '../postgres/migrate.ts';
import { postgresFabricBook } from '../postgres/operator/fabric-book.ts';
import { findFabric } from '../postgres/operator/find-fabric.ts';
import { CliFailure } from './cli-failure.ts';
import { configured } from './configured.ts';
import type { World } from './world.ts';

/** What a verb that works on settings needs. */
export interface Settings {
  readonly config: Config;
  readonly database: Database;
  readonly book: FabricBook;
  /** By number or by name. */
  find(nameOrNumber: string): Promise<FabricName | null>;
}

/**
 * Opens Postgres, has the schema checked (and made, where `migrating`), and closes it whatever happens.
 *
 * @param migrating brings the schema up to date first: for verbs that are the first thing done on an empty database
 * @throws CliFailure, FabricFailure, or what `readConfig` and `migrate` throw
 */
export async function withSettings<Result>(
  { world, signal }: { readonly world: World; readonly signal: AbortSignal },
  act: (settings: Settings) => Promise<Result>,
  { migrating = false }: { readonly migrating?: boolean } = {},
): Promise<Result> {
  const config = configured(world);
  const database = databaseOf(config, world);
  // An act on the database ends at once when a person says stop.
  const cut = () => database.cut();
  signal.addEventListener('abort', cut, { once: true });
  try {
    const { pending } = await schemaState(database);
    if (pending.length > 0 && migrating) await migrate(database);
    if (pending.length > 0 && !migrating) throw schemaMissing(await schemaState(database));
    return await act({
      config,
      database,
      book: postgresFabricBook(database),
      find: (nameOrNumber) => database.act('find the fabric', (sql) => findFabric(sql, nameOrNumber)),
    });
  } finally {
    signal.removeEventListener('abort', cut);
    await database.close();
  }
}

/** Opens nothing yet. @throws CliFailure where no database is set, or its URL cannot be read */
export function databaseOf(config: Config, world: World): Database {
  if (config.databaseUrl === null) {
    throw new CliFailure('settings', 'DATABASE_URL_MISSING', 'DATABASE_URL is not set: no database to work on', {
      hint: 'For example: DATABASE_URL=postgres://fabric_syncd@127.0.0.1/fabric_syncd',
    });
  }
  try {
    return openDatabase({
      url: config.databaseUrl,
      applicationName: `fabric-syncd cli (${world.pid})`,
      connectionsMax: 2,
      clock: world.clock,
    });
  } catch (thrown) {
    // Said without the URL: it may hold a password.
    throw new CliFailure('settings', 'DATABASE_URL_INVALID', `DATABASE_URL: ${(thrown as Error).message}`);
  }
}

export function schemaMissing({ current, needed }: SchemaState): CliFailure {
  const what =
    current === 0 ? 'the database has no schema yet' : `the schema is at ${current} and must be at ${needed}`;
  return new CliFailure('failed', 'SCHEMA_OUTDATED', what, { hint: 'Run: fabric-syncd migrate' });
}
