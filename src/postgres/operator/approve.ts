import type { Sql } from 'postgres';
import type { Approved, Operator } from '../../ports/operator.ts';
import { acted } from './acted.ts';

/** Approves exactly what was shown: what waits since another run meanwhile is left for another look. */
export async function approve(
  sql: Sql,
  fabricId: string,
  { runId, by, ask, traceparent }: Parameters<Operator['approve']>[1],
): Promise<Approved> {
  const [row] = await sql<{ approved: boolean; requestId: string | null }[]>`
    with approved as (
      update fabric_cycle
         set approved_by = ${by}, approved_at = now()
       where fabric_id = ${fabricId}::bigint and approval ->> 'run' = ${runId}
      returning fabric_id),
    asked as (
      insert into fabric_request (fabric_id, asked_by, traceparent)
      select fabric_id, ${by}, ${traceparent} from approved where ${ask}
      returning id),
    told as (${acted(sql, 'approve', by, sql`approved`)})
    select exists (select from approved) as approved, (select id::text from asked) as "requestId"`;
  return row?.approved ? { kind: 'approved', requestId: row.requestId } : { kind: 'changed' };
}
