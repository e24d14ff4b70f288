// A force-unlock, safe at any moment: the run that is cut off keeps an epoch that may not commit any more.

import type { Sql } from 'postgres';
import type { Unlocked } from '../../ports/operator.ts';
import { acted } from './acted.ts';
import { notice } from './notify.ts';

/**
 * One statement: bumps the epoch, closes the open run as fenced, frees the lease and puts back what the row said before the
 * run, with the due time that the run had served: it is still due. Open requests stay open: the next run answers them.
 */
export async function unlock(sql: Sql, fabricId: string, by: string): Promise<Unlocked | null> {
  const failure = { code: 'FENCE_STALE', message: `${by} unlocked the fabric`, hint: 'Nothing to do.' };
  const [row] = await sql<{ holder: string | null; runId: string | null; epoch: number }[]>`
    with before as (
      -- Both rows in the order in which every act of the store locks them.
      select c.* from fabric f join fabric_cycle c on c.fabric_id = f.id
       where f.id = ${fabricId}::bigint for no key update of f, c),
    closed as (
      update fabric_run r
         set outcome = 'fenced', finished_at = now(), failure = ${sql.json(failure)}
        from before b
       where r.id = b.run_id and r.outcome is null
      returning r.id),
    freed as (
      update fabric_cycle c
         set epoch = c.epoch + 1, lease_holder = null, lease_until = null, run_id = null,
             previous_sync = null, previous_status = null,
             state = case when b.state <> 'syncing' then b.state
                          when b.due_kind = 'sync' then 'scheduled'
                          when b.due_kind = 'retry' then 'backoff'
                          when b.due_kind = 'probe' then 'errored'
                          else 'idle' end
        from before b
       where c.fabric_id = b.fabric_id
      returning c.fabric_id, c.epoch::float8 as epoch),
    restored as (
      update fabric f
         set last_sync = b.previous_sync,
             sync_status = coalesce(nullif(b.previous_status, 'syncing'),
                                    case when b.previous_sync is null then 'never_synced' else 'out_of_sync' end)
        from before b
       where f.id = b.fabric_id and b.state = 'syncing'),
    told as (${acted(sql, 'unlock', by, sql`freed`)})
    select case when b.lease_until > now() then b.lease_holder end as holder,
           (select id::text from closed) as "runId",
           freed.epoch,
           ${notice(sql, 'unlock', sql`freed.fabric_id`, by)}
      from freed join before b using (fabric_id)`;
  return row ? { holder: row.holder, runId: row.runId, epoch: row.epoch } : null;
}
