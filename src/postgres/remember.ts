import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { RememberedPlan } from '../ports/store.ts';
import type { Database } from './connect.ts';
import { lockNotAvailable } from './failure.ts';

/** A daemon holds a row for a moment; a person's open transaction may hold it for hours. */
const lockWaitMs = 1_000;

/**
 * Writes plans into the rows, many at once. A row that has moved since it was planned, by a run or by another daemon's
 * plan, is left as it is, and so is one with a lease: one that expired is `interruptExpired`'s to end. One that somebody
 * keeps locked for longer than a moment is left out, so that the others do not wait for it. Where a periodic due time is
 * new, it is the tick that the phase is counted from.
 * @returns the ids that were written
 */
export async function remember(database: Database, plans: readonly RememberedPlan[]): Promise<readonly string[]> {
  if (plans.length === 0) return [];
  try {
    return await write(database, plans, 'wait');
  } catch (thrown) {
    if (!(thrown instanceof FabricFailure) || thrown.facts?.sqlstate !== lockNotAvailable) throw thrown;
    return write(database, plans, 'skip');
  }
}

async function write(
  database: Database,
  plans: readonly RememberedPlan[],
  locked: 'wait' | 'skip',
): Promise<readonly string[]> {
  const rows = JSON.stringify(plans.map(rowOf));
  const mayBeLocked = locked === 'skip' ? plans.map(({ row }) => row.fabricId) : [];
  const written = await database.act(
    'remember plans',
    (sql) => sql<{ fabricId: string }[]>`
      -- For this statement alone. It stands in the join, so that it is set before the first row is locked.
      with patience as materialized (
        select set_config('lock_timeout', ${String(lockWaitMs)}, true)),
      free as materialized (
        select fabric_id from fabric_cycle
         where fabric_id = any(${mayBeLocked}::bigint[]) for no key update skip locked)
      update fabric_cycle c
         set state = p.state, due_at = p.due_at, due_kind = p.due_kind, attempts = p.attempts,
             failure = case when p.failing then c.failure end,
             (tick_at, tick_interval) = (
               select case when is_new then p.due_at else c.tick_at end,
                      case when is_new then p.interval_s else c.tick_interval end
                 from (select coalesce(p.due_kind = 'sync' and (
                                p.due_at is distinct from date_trunc('milliseconds', c.due_at)
                                or p.interval_s is distinct from c.tick_interval), false) as is_new) tick)
        from patience,
             (select *, to_timestamp(due_ms / 1000) as due_at
                from json_to_recordset(${rows}::text::json) as o(
                       fabric_id bigint, epoch bigint, was_state text, was_due_ms float8, interval_s integer,
                       state text, due_ms float8, due_kind text, attempts integer, failing boolean)) p
       where c.fabric_id = p.fabric_id and c.epoch = p.epoch and c.lease_until is null and c.state = p.was_state
         and date_trunc('milliseconds', c.due_at) is not distinct from to_timestamp(p.was_due_ms / 1000)
         and (${locked === 'wait'} or c.fabric_id in (select fabric_id from free))
      returning c.fabric_id::text as "fabricId"`,
  );
  return written.map(({ fabricId }) => fabricId);
}

function rowOf({ plan, row: { fabricId, epoch, intervalMs, state, dueAtMs: wasDueMs } }: RememberedPlan) {
  const was = { fabric_id: fabricId, epoch, was_state: state, was_due_ms: wasDueMs };
  const common = { ...was, interval_s: Math.round(intervalMs / 1000), state: plan.state };
  if (plan.state === 'idle') return { ...common, due_ms: null, due_kind: null, attempts: 0, failing: false };
  const { dueAtMs, kind, attempts, failure } = plan;
  return { ...common, due_ms: dueAtMs, due_kind: kind, attempts, failing: failure !== null };
}
