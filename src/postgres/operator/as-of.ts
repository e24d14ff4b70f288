import type { Sql } from 'postgres';
import type { AsOf } from '../../ports/operator.ts';
import { type RunJson, runOf } from './run-row.ts';

/**
 * The last run that had committed an inventory by a time. A run that failed left the inventory as it was, so only
 * those that committed count. Times are told in milliseconds, so the end of a run counts from the millisecond it is in.
 */
export async function asOf(sql: Sql, fabricId: string, atMs: number): Promise<AsOf> {
  const [row] = await sql<{ run: RunJson | null; oldest: Date | null }[]>`
    with committed as (
      select * from fabric_run
       where fabric_id = ${fabricId}::bigint and outcome in ('complete', 'partial', 'awaiting_approval'))
    select (select to_jsonb(c) from committed c
             where date_trunc('milliseconds', finished_at) <= to_timestamp(${atMs}::float8 / 1000) order by id desc limit 1) as run,
           (select min(finished_at) from committed) as oldest`;
  if (row?.run) return { kind: 'run', run: runOf(row.run) };
  return { kind: 'unknown', oldestKeptMs: row?.oldest?.getTime() ?? null };
}
