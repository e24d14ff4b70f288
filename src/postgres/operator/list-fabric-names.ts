import type { Sql } from 'postgres';

/** The names alone, for shell completion. */
export async function listFabricNames(sql: Sql): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`select name from fabric order by name limit 1000`;
  return rows.map(({ name }) => name);
}
