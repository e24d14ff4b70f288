import type { Sql } from 'postgres';

/** Removes a fabric with its inventory, runs and history. A run in hand finds its row gone and writes nothing. */
export async function removeFabric(sql: Sql, fabricId: string): Promise<boolean> {
  const removed = await sql`delete from fabric where id = ${fabricId}::bigint`;
  return removed.count > 0;
}
