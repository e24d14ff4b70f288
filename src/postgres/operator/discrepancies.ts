import type { Sql } from 'postgres';
import { isConfigured } from '../rows.ts';

export interface Discrepancy {
  readonly fabric: string;
  /**
   * `undue`: it may sync by itself and has no due time, or the other way round. `stuck`: it says syncing, and nobody has
   * held its lease for a while. `epoch`: a run is newer than the newest claim. `last_sync`: it is not when the last
   * committed run began. The last two cannot come about by this program.
   */
  readonly kind: 'undue' | 'stuck' | 'epoch' | 'last_sync';
  /** The values that do not fit together. */
  readonly values: string;
}

/** What must hold between the rows of each fabric at any moment and does not, as of one moment. */
export async function discrepancies(sql: Sql, leaseOverForMs: number): Promise<readonly Discrepancy[]> {
  return sql<Discrepancy[]>`
    with fabrics as (
      select f.id, f.name, f.sync_status, f.last_sync, c.due_at, c.epoch, c.lease_holder, c.previous_sync, c.lease_until,
             coalesce(c.lease_until > now(), false) as leased, c.state,
             f.sync_enabled and f.scheduler_enabled and f.sync_interval > 0 and ${isConfigured(sql)}
               and (c.paused_at is null or c.paused_until <= now()) as may,
             (select started_at from fabric_run r where r.fabric_id = f.id
                 and r.outcome in ('complete', 'partial', 'awaiting_approval') order by r.id desc limit 1) as committed,
             (select max(r.epoch) from fabric_run r where r.fabric_id = f.id) as run_epoch
        from fabric f join fabric_cycle c on c.fabric_id = f.id)
    select name as fabric, 'undue' as kind,
           case when may then 'it may sync, and has no due time' else 'it may not sync, and is due at ' || due_at end as values
      from fabrics where may <> (due_at is not null) and not leased
    union all
    select name, 'stuck', format('sync_status %s, state %s, lease until %s', sync_status, state, lease_until)
      from fabrics where (sync_status = 'syncing' or state = 'syncing')
       and coalesce(lease_until <= now() - ${leaseOverForMs} * interval '1 millisecond', true)
    union all
    select name, 'epoch', format('epoch %s, a run has %s', epoch, run_epoch) from fabrics where run_epoch > epoch
    union all
    select name, 'last_sync', format('last_sync %s, committed %s', last_sync, committed)
      from fabrics where committed is not null
       and case when lease_holder is null then last_sync else previous_sync end is distinct from committed
     order by 1, 2`;
}
