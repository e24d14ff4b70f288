// The least that a running daemon and the verbs beside it need of Postgres, for a role that owns nothing.
//
//   GR1. The schema is made and upgraded by its owner (`fabric-syncd migrate`); the running role cannot change it.
//   GR2. The tests run the daemon under exactly these, and take each of them away to see that it is missed.

export type TableRight = 'select' | 'insert' | 'update' | 'delete';

/** What each table of ours is used for. What people did is never changed afterwards, and of the ledger nothing is. */
export const tableRights: Readonly<Record<string, readonly TableRight[]>> = {
  fabric: ['select', 'insert', 'update', 'delete'],
  fabric_cycle: ['select', 'insert', 'update'],
  fabric_run: ['select', 'insert', 'update', 'delete'],
  fabric_resource: ['select', 'insert', 'update', 'delete'],
  fabric_change: ['select', 'insert', 'delete'],
  fabric_quarantine: ['select', 'insert', 'update', 'delete'],
  fabric_request: ['select', 'insert', 'update', 'delete'],
  fabric_act: ['select', 'insert', 'delete'],
  fabric_migration: ['select'],
};

/** As SQL for the owner of the schema: rights on these tables, those with the same rights in one statement. */
export function grantLines(rights: Readonly<Record<string, readonly string[]>>, role: string): readonly string[] {
  const tablesOf = new Map<string, string[]>();
  for (const [table, list] of Object.entries(rights)) {
    if (list.length === 0) continue;
    const key = list.join(', ');
    tablesOf.set(key, [...(tablesOf.get(key) ?? []), table]);
  }
  return [...tablesOf].map(([list, tables]) => `grant ${list} on ${tables.join(', ')} to ${role};`);
}

/** All that makes such a role, a statement a line. @param database its name */
export function runtimeRole(role: string, database: string, schema: string): readonly string[] {
  const [name, inDatabase, inSchema] = [role, database, schema].map(identifier);
  return [
    `create role ${name} login password 'PASSWORD';`,
    `revoke create on schema ${inSchema} from public;`,
    `grant connect, temporary on database ${inDatabase} to ${name};`,
    `grant usage on schema ${inSchema} to ${name};`,
    ...grantLines(tableRights, name ?? ''),
  ];
}

/** Quoted where it must be. */
export function identifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
