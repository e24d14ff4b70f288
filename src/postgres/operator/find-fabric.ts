import type { Sql } from 'postgres';
import type { FabricName } from '../../ports/operator.ts';

/** By number or by name; a name is never all digits (the schema says so), so the two cannot be confused. */
export async function findFabric(sql: Sql, nameOrNumber: string): Promise<FabricName | null> {
  const numbered = /^[0-9]{1,18}$/.test(nameOrNumber) ? nameOrNumber : null;
  const [row] = await sql<FabricName[]>`
    select id::text as "fabricId", name
      from fabric
     where id = ${numbered}::bigint or name = ${nameOrNumber}`;
  return row ?? null;
}
