import type { Sql } from 'postgres';
import { acted } from './acted.ts';
import { notice } from './notify.ts';

/** Who, why and until when. A pause over a pause replaces it. A run in hand goes on. */
export async function pause(
  sql: Sql,
  fabricId: string,
  { by, reason, untilMs }: { by: string; reason: string; untilMs: number | null },
): Promise<void> {
  await sql`
    with paused as (
      update fabric_cycle
         set paused_at = now(), paused_by = ${by}, pause_reason = ${reason},
             paused_until = to_timestamp(${untilMs}::float8 / 1000)
       where fabric_id = ${fabricId}::bigint
      returning fabric_id),
    told as (${acted(sql, 'pause', by, sql`paused`, reason)})
    select ${notice(sql, 'changed', sql`fabric_id`, by)} from paused`;
}
