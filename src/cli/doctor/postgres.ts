import type { Clock } from '../../clock.ts';
import type { Database } from '../../postgres/connect.ts';
import { SchemaRefused, schemaState } from '../../postgres/migrate.ts';
import { type DatabaseHealth, databaseHealth } from '../../postgres/operator/health.ts';
import { clockFinding, type Finding, fail, ok, warn } from './finding.ts';

const versionMin = 150_000;
/** What one daemon opens at most, with a verb or two beside it. */
const connectionsWanted = 15;

/** @throws FabricFailure where it does not answer */
export async function checkPostgres(database: Database, clock: Clock): Promise<readonly Finding[]> {
  const askedMs = clock.nowMs();
  const health = await database.act('tell how it is', databaseHealth);
  const answeredMs = clock.nowMs();
  return [
    ...serverFindings(health, database.where),
    await schemaFinding(database, health),
    ...rightsFindings(health),
    clockFinding('postgres', Math.round(health.nowMs - (askedMs + answeredMs) / 2)),
  ];
}

function serverFindings(health: DatabaseHealth, where: string): Finding[] {
  const { version, versionNumber, standby, durable, connectionsMax, connectionsUsed } = health;
  const found: Finding[] = [];
  if (versionNumber < versionMin) {
    found.push(fail('postgres', `${where} is PostgreSQL ${version}`, 'PostgreSQL 15 or newer is needed.'));
  } else found.push(ok('postgres', `${where} is PostgreSQL ${version}`));
  if (standby) {
    found.push(fail('postgres', 'it is a standby and takes no writes', 'Name the primary in DATABASE_URL.'));
  }
  if (!durable) {
    const hint = 'Set fsync and synchronous_commit to on.';
    found.push(warn('postgres', 'it may lose commits when it crashes (fsync or synchronous_commit is off)', hint));
  }
  const free = connectionsMax - connectionsUsed;
  if (free < connectionsWanted) {
    const hint = 'Raise max_connections, or end what holds them.';
    found.push(warn('postgres', `${free} of ${connectionsMax} connections are free`, hint));
  } else found.push(ok('postgres', `${free} of ${connectionsMax} connections are free`));
  return found;
}

async function schemaFinding(database: Database, { mayCreate, user }: DatabaseHealth): Promise<Finding> {
  try {
    const { current, needed, pending } = await schemaState(database);
    if (pending.length === 0) return ok('schema', `up to date, at ${current}`);
    const detail = current === 0 ? 'there is none yet' : `at ${current}, and must be at ${needed}`;
    if (mayCreate) return warn('schema', detail, 'The daemon brings it up at its start; or run: fabric-syncd migrate');
    return fail('schema', `${detail}, and ${user} may not create it`, `grant create on schema public to ${user};`);
  } catch (thrown) {
    if (thrown instanceof SchemaRefused) return fail('schema', thrown.message, '');
    throw thrown;
  }
}

function rightsFindings({ tablesDenied, user }: DatabaseHealth): Finding[] {
  if (tablesDenied.length === 0) return [ok('rights', `${user} may read and write`)];
  const tables = tablesDenied.join(', ');
  const hint = `grant select, insert, update, delete on ${tables} to ${user};`;
  return [fail('rights', `${user} may not read and write ${tables}`, hint)];
}
