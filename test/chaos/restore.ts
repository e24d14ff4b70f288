// PostgreSQL from an older dump, as an operator does it: pg_dump while everything runs, and pg_restore over what is there,
// in one transaction. The chronicle is left out of it, and so is not undone.

import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findPostgres } from '../../src/demo/servers/postgres-binaries.ts';
import { chronicleSchema } from './chronicle.ts';

const run = promisify(execFile);
const withinMs = 30_000;
/** A restore locks every table at once: where a daemon's transaction stands in its way, one of both is ended. */
const triesMax = 5;

export interface DumpTools {
  dump(url: string, file: string): Promise<void>;
  restore(url: string, file: string): Promise<void>;
}

/** @param server its version. @returns null where these tools are not installed, or are older than the server */
export async function findDumpTools(server: { readonly version: string }): Promise<DumpTools | null> {
  const major = Number.parseInt(server.version, 10);
  for (const found of await findPostgres('system', undefined)) {
    const [pgDump, pgRestore] = ['pg_dump', 'pg_restore'].map((name) => join(dirname(found.postgres), name));
    if (found.major < major || pgDump === undefined || pgRestore === undefined) continue;
    const usable = await Promise.all([pgDump, pgRestore].map((path) => access(path, constants.X_OK))).then(
      () => true,
      () => false,
    );
    if (usable) return { dump: dumpWith(pgDump), restore: restoreWith(pgRestore) };
  }
  return null;
}

const dumpWith = (pgDump: string) => async (url: string, file: string) => {
  const options = ['--format=custom', `--exclude-schema=${chronicleSchema}`, `--file=${file}`, `--dbname=${url}`];
  await run(pgDump, options, { timeout: withinMs, env: {} });
};

const restoreWith = (pgRestore: string) => async (url: string, file: string) => {
  const options = ['--clean', '--if-exists', '--single-transaction', '--exit-on-error', `--dbname=${url}`, file];
  for (let tries = 1; ; tries += 1) {
    try {
      await run(pgRestore, options, { timeout: withinMs, env: {} });
      return;
    } catch (cause) {
      if (tries >= triesMax || !String(cause).includes('deadlock')) throw cause;
    }
  }
};
