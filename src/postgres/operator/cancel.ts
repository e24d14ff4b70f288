import type { Sql } from 'postgres';
import { acted } from './acted.ts';

/**
 * Tells whoever runs the fabric to stop. Its row is not touched: the run itself puts it back. Who asks again because
 * nobody heard it has asked once, for the record.
 */
export async function cancel(sql: Sql, fabricId: string, by: string): Promise<void> {
  await sql`
    with meant as (
      select f.id as fabric_id from fabric f
       where f.id = ${fabricId}::bigint
         and not exists (select from fabric_act a
                          where a.fabric_id = f.id and a.act = 'cancel' and a.by = ${by}
                            and a.at > now() - interval '1 minute')),
    told as (${acted(sql, 'cancel', by, sql`meant`)})
    select pg_notify('fabric_syncd', ${JSON.stringify({ what: 'cancel', fabric: fabricId, by })})`;
}
