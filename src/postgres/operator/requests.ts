import type { Sql } from 'postgres';
import type { RequestRow } from '../../ports/operator.ts';
import { type RunJson, runOf } from './run-row.ts';

/** How requests stand. One whose fabric was removed is not there any more. */
export async function requests(sql: Sql, requestIds: readonly string[]): Promise<readonly RequestRow[]> {
  const rows = await sql<(Omit<RequestRow, 'run'> & { run: RunJson | null })[]>`
    select q.id::text as "requestId", q.fabric_id::text as "fabricId", q.settled_at is not null as settled, q.refusal,
           to_jsonb(r) as run, coalesce(c.lease_until > now(), false) as leased
      from fabric_request q
      join fabric_cycle c using (fabric_id)
      left join fabric_run r on r.id = q.run_id
     where q.id = any(${requestIds as string[]}::bigint[])
     order by q.id`;
  return rows.map((row) => ({ ...row, run: row.run && runOf(row.run) }));
}
