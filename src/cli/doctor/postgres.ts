import type { Clock } from '../../clock.ts';
import type { Database } from '../../postgres/connect.ts';
import { grantLines, identifier, tableRights } from '../../postgres/grants.ts';
import { SchemaRefused, schemaState } from '../../postgres/migrate.ts';
import { type DatabaseHealth, databaseHealth } from '../../postgres/operator/health.ts';
import { clockFinding, type Finding, fail, ok, warn } from './finding.ts';

const versionMin = 150_000;
/** What one daemon opens at most: 10 and 10 for single statements, 4 for commits, 1 to listen; and a few for who looks. */
const connectionsWanted = 30;

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
    const hint = `Run as the owner of the schema: fabric-syncd migrate. Or: grant create on schema public to ${user};`;
    return fail('schema', `${detail}, and ${user} may not create it`, hint);
  } catch (thrown) {
    if (thrown instanceof SchemaRefused) return fail('schema', thrown.message, '');
    throw thrown;
  }
}

/** What is missing, and what is more than `doctor --grants` asks for. */
export function rightsFindings({ tables, user, mayCreate, powers }: DatabaseHealth): Finding[] {
  const missing = Object.fromEntries(
    tables.map(({ name, rights }) => [name, (tableRights[name] ?? []).filter((right) => !rights.includes(right))]),
  );
  const denied = Object.keys(missing).filter((name) => missing[name]?.length);
  if (denied.length > 0) {
    const hint = grantLines(missing, identifier(user)).join(' ');
    return [fail('rights', `${user} may not read and write ${denied.join(', ')}`, hint)];
  }
  const found = [ok('rights', `${user} may read and write`)];
  const less = 'A role with what is needed and no more: fabric-syncd doctor --grants.';
  const more = [
    ...(tables.some(({ owned }) => owned) ? ['owns the tables'] : []),
    ...(mayCreate ? ['may create in the schema'] : []),
    ...tables
      .filter(({ owned }) => !owned)
      .map(
        ({ name, rights }) =>
          [name, rights.filter((right) => !tableRights[name]?.some((one) => one === right))] as const,
      )
      .filter(([, rights]) => rights.length > 0)
      .map(([name, rights]) => `may ${rights.join(' and ')} on ${name}`),
  ];
  if (powers.length > 0)
    found.push(warn('rights', `${user} is far more than it needs to be: ${powers.join(', ')}`, less));
  else if (more.length > 0) {
    // The schema is brought up by the daemon itself then: a choice, and no fault.
    found.push({ ...ok('rights', `more than a running daemon needs: ${user} ${more.join(', ')}`), hint: less });
  } else found.push(ok('rights', `${user} has no more than is needed; migrate runs as the owner of the schema`));
  return found;
}
