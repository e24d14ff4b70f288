import type { Sql } from 'postgres';

/** Tells every daemon to read one fabric again; null: all of them. */
export async function announce(sql: Sql, fabricId: string | null): Promise<void> {
  const said = fabricId === null ? { what: 'everything' } : { what: 'changed', fabric: fabricId };
  await sql`select pg_notify('fabric_syncd', ${JSON.stringify(said)})`;
}
