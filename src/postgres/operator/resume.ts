import type { Sql } from 'postgres';
import { acted } from './acted.ts';
import { notice } from './notify.ts';

/** @returns false where it was not paused */
export async function resume(sql: Sql, fabricId: string, by: string): Promise<boolean> {
  const resumed = await sql`
    with resumed as (
      update fabric_cycle
         set paused_at = null, paused_by = null, pause_reason = null, paused_until = null
       where fabric_id = ${fabricId}::bigint and paused_at is not null
      returning fabric_id),
    told as (${acted(sql, 'resume', by, sql`resumed`)})
    select ${notice(sql, 'changed', sql`fabric_id`, by)} from resumed`;
  return resumed.length > 0;
}
