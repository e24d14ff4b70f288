import type { Sql } from 'postgres';
import type { ObjectName } from '../../ports/operator.ts';

/** The names of resources, in order of kind and name, for people. */
export async function resourceNames(sql: Sql, ids: readonly string[], limit: number): Promise<readonly ObjectName[]> {
  return sql<ObjectName[]>`
    select api_group as "group", api_version as version, kind, namespace, name
      from fabric_resource
     where id = any(${ids as string[]}::bigint[])
     order by kind, namespace, name
     limit ${limit}`;
}
