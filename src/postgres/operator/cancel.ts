import type { Sql } from 'postgres';

/** Tells whoever runs the fabric to stop. Nothing is written: the run itself puts the row back. */
export async function cancel(sql: Sql, fabricId: string, by: string): Promise<void> {
  await sql`select pg_notify('fabric_syncd', ${JSON.stringify({ what: 'cancel', fabric: fabricId, by })})`;
}
