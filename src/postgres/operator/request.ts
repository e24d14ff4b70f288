import type { Sql } from 'postgres';
import { acted } from './acted.ts';

/** "Sync now", a row a fabric; the schema's trigger tells every daemon. Fabrics that are gone are left out. */
export async function request(
  sql: Sql,
  fabricIds: readonly string[],
  by: string,
  traceparent: string | null,
  act: 'trigger' | 'retry' = 'trigger',
): Promise<readonly { fabricId: string; requestId: string }[]> {
  return sql<{ fabricId: string; requestId: string }[]>`
    with asked as (
      insert into fabric_request (fabric_id, asked_by, traceparent)
      select id, ${by}, ${traceparent} from fabric where id = any(${fabricIds as string[]}::bigint[]) order by id
      returning fabric_id, id),
    told as (${acted(sql, act, by, sql`asked`)})
    select fabric_id::text as "fabricId", id::text as "requestId" from asked order by fabric_id`;
}
