import type { Sql } from 'postgres';
import type { RunRow } from '../../ports/operator.ts';
import { type RunJson, runOf } from './run-row.ts';

/** The runs of a fabric, the newest first. */
export async function runs(sql: Sql, fabricId: string, limit: number): Promise<readonly RunRow[]> {
  const rows = await sql<{ run: RunJson }[]>`
    select to_jsonb(r) as run from fabric_run r where fabric_id = ${fabricId}::bigint order by id desc limit ${limit}`;
  return rows.map((row) => runOf(row.run));
}

export async function run(sql: Sql, runId: string): Promise<RunRow | null> {
  const [row] = await sql<{ run: RunJson }[]>`select to_jsonb(r) as run from fabric_run r where id = ${runId}::bigint`;
  return row ? runOf(row.run) : null;
}
