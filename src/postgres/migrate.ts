// Brings the schema to what this program needs: numbered `.sql` files, each in one transaction with its line in the ledger.
//
//   M1. Several daemons may start at once: a transaction-wide advisory lock lets one of them do each step.
//   M2. A schema that is newer than this program, or whose past differs from the files, is refused and left untouched.
//   M3. A step happened whole or not at all, with its line in the ledger.
//   M4. A schema that is as it must be is only looked at: a role that owns nothing may do that.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Sql } from 'postgres';
import type { Database } from './connect.ts';
import type { Transaction } from './transaction.ts';

const folder = new URL('./migrations/', import.meta.url);
/** Any number that no other program takes: "fabric" in ASCII. */
const advisoryLock = '112568449526115';
const statementTimeoutMs = 10 * 60_000;
const lockTimeoutMs = 60_000;

export interface Migration {
  readonly number: number;
  /** `0001_fabric.sql` */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text, hex. */
  readonly hash: string;
}

export interface SchemaState {
  /** Newest applied; 0 where there is none. */
  readonly current: number;
  /** What this program needs. */
  readonly needed: number;
  readonly pending: readonly string[];
}

/** Thrown where the schema must not be touched: see M2. Its message says what to do. */
export class SchemaRefused extends Error {
  override readonly name = 'SchemaRefused';
  readonly kind: 'newer' | 'changed';

  constructor(kind: 'newer' | 'changed', message: string) {
    super(message);
    this.kind = kind;
  }
}

/**
 * @returns the names of the migrations that were applied, in order
 * @throws SchemaRefused, or FabricFailure where the database cannot do it
 */
export async function migrate(database: Database): Promise<readonly string[]> {
  const migrations = await loadMigrations();
  const applied: string[] = [];
  // M4.
  if ((await schemaState(database)).pending.length === 0) return applied;
  for (;;) {
    const name = await database.transact('migrate the schema', (tx) => applyNext(tx, migrations), {
      deadlineMs: statementTimeoutMs + lockTimeoutMs,
    });
    if (name === null) return applied;
    applied.push(name);
  }
}

/** Looks, and changes nothing. @throws SchemaRefused as `migrate` does */
export async function schemaState(database: Database): Promise<SchemaState> {
  const migrations = await loadMigrations();
  const ledger = await database.act('tell its schema', async (sql) => {
    const [there] = await sql<{ there: boolean }[]>`select to_regclass('fabric_migration') is not null as there`;
    return there?.there ? readLedger(sql) : [];
  });
  return compare(ledger, migrations);
}

/** The migrations of this program, in order. @throws Error where their numbers have a gap */
export async function loadMigrations(): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]);
      if (number !== index + 1) throw new Error(`migration ${name} is not number ${index + 1}`);
      // A checkout may have changed the line ends.
      const sql = (await readFile(new URL(name, folder), 'utf8')).replaceAll('\r\n', '\n');
      return { number, name, sql, hash: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

interface LedgerLine {
  readonly number: number;
  readonly name: string;
  readonly hash: string;
}

/** One step, under the lock. @returns null where nothing is left to do */
async function applyNext(tx: Transaction, migrations: readonly Migration[]): Promise<string | null> {
  await tx.run(
    (sql) => sql`
      select set_config('statement_timeout', ${String(statementTimeoutMs)}, true),
             set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`,
  );
  await tx.run((sql) => sql`select pg_advisory_xact_lock(${advisoryLock}::bigint)`);
  await tx.run(
    (sql) => sql`
      create table if not exists fabric_migration (
        number     integer primary key,
        name       text not null,
        hash       text not null,
        applied_at timestamptz not null default now())`,
  );
  const { current } = compare(await tx.run(readLedger), migrations);
  const next = migrations[current];
  if (!next) return null;
  await tx.run(
    (sql) => sql`
      insert into fabric_migration (number, name, hash) values (${next.number}, ${next.name}, ${next.hash})`,
  );
  await tx.run((sql) => sql.unsafe(next.sql));
  return next.name;
}

function readLedger(sql: Sql) {
  return sql<LedgerLine[]>`select number, name, hash from fabric_migration order by number`;
}

function compare(ledger: readonly LedgerLine[], migrations: readonly Migration[]): SchemaState {
  for (const [index, line] of ledger.entries()) {
    const ours = migrations[index];
    if (!ours) {
      throw new SchemaRefused(
        'newer',
        `The schema is newer (${line.name}) than this program (${migrations.at(-1)?.name ?? 'none'}): install a newer fabric-syncd, or restore a backup.`,
      );
    }
    if (ours.number !== line.number || ours.hash !== line.hash) {
      throw new SchemaRefused(
        'changed',
        `The schema was made by another ${ours.name} than this program has (${line.name}): install the version that made it, or use an empty database.`,
      );
    }
  }
  return {
    current: ledger.length,
    needed: migrations.length,
    pending: migrations.slice(ledger.length).map(({ name }) => name),
  };
}
