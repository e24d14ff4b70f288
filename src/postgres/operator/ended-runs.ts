import type { Sql } from 'postgres';
import type { EndedRun } from '../../ports/inspector-reads.ts';

/** The last runs of every fabric that have ended, the oldest first. */
export async function endedRuns(sql: Sql, limit: number): Promise<ReadonlyMap<string, readonly EndedRun[]>> {
  const rows = await sql<(EndedRun & { fabricId: string })[]>`
    select f.id::text as "fabricId", r.id::text as "runId", r.outcome,
           (extract(epoch from r.finished_at - r.started_at) * 1000)::float8 as "durationMs"
      from fabric f
      cross join lateral (
        select id, outcome, started_at, finished_at from fabric_run
         where fabric_id = f.id and finished_at is not null
         order by id desc limit ${limit}) as r
     order by f.id, r.id`;
  const found = new Map<string, EndedRun[]>();
  for (const { fabricId, runId, outcome, durationMs } of rows) {
    const run = { runId, outcome, durationMs: Math.max(0, Math.round(durationMs)) };
    const runs = found.get(fabricId);
    if (runs) runs.push(run);
    else found.set(fabricId, [run]);
  }
  return found;
}
