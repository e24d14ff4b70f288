// `syncing` means a live lease. A lease that ran out belonged to a daemon that died, or that lost its way to Postgres:
// its run is closed, its epoch cannot commit any more, and the attempt counts like any other that failed. A fabric whose
// runs end the daemon itself must not end it again and again without a pause.

import type { BackoffPolicy } from '../../machines/fabric/backoff.ts';
import { hintByCode } from '../../machines/fabric/failure.ts';
import type { Database } from './connect.ts';

export interface Interrupted {
  readonly fabricId: string;
  readonly name: string;
  /** Who held the lease. */
  readonly holder: string;
}

/** The same waits as `machines/fabric/backoff.ts` makes, for as many as there are at once. */
export async function interruptExpired(
  database: Database,
  { baseMs, capMs, retriesMax, probeMsMin }: BackoffPolicy,
  roll: number,
): Promise<readonly Interrupted[]> {
  const hint = hintByCode.INTERRUPTED;
  const ended = await database.act(
    'end expired leases',
    (sql) => sql<Interrupted[]>`
      with expired as materialized (
        select f.id, f.name, c.run_id, c.lease_holder, c.previous_sync, c.attempts + 1 > ${retriesMax} as used_up,
               -- Their chances are spread evenly, whatever the first one is (steps of the golden ratio).
               mod(${roll}::numeric + f.id * 0.6180339887, 1)::float8 as chance,
               least(${capMs}::float8, ${baseMs}::float8 * 2 ^ least(c.attempts, 60)) as retry_ms,
               greatest(${probeMsMin}::float8, f.sync_interval * 1000.0) as probe_ms,
               jsonb_build_object(
                 'code', 'INTERRUPTED', 'hint', ${hint}::text, 'at', now(),
                 'message', format('the daemon %s ended in the middle of a run', c.lease_holder)) as failure
          from fabric f join fabric_cycle c on c.fabric_id = f.id
         where c.lease_until <= now()
           for no key update of f, c skip locked),
      closed as (
        update fabric_run r
           set outcome = 'interrupted', finished_at = now(), failure = e.failure
          from expired e
         -- The array says beforehand that they are few: else all runs there ever were may be read to find them.
         where r.id = e.run_id and r.id = any(array(select run_id from expired)) and r.outcome is null),
      rested as (
        update fabric_cycle c
           set state = case when e.used_up then 'errored' else 'backoff' end,
               due_kind = case when e.used_up then 'probe' else 'retry' end,
               due_at = date_trunc('milliseconds', now() + make_interval(secs =>
                 case when e.used_up then e.probe_ms * (1 + e.chance / 10) else e.retry_ms * e.chance end / 1000)),
               attempts = c.attempts + 1, failure = e.failure, epoch = c.epoch + 1,
               lease_holder = null, lease_until = null, run_id = null, previous_sync = null, previous_status = null
          from expired e
         where c.fabric_id = e.id),
      told as (
        update fabric f
           set last_sync = e.previous_sync, sync_status = 'error',
               sync_error = e.failure ->> 'message' || '. ' || (e.failure ->> 'hint')
          from expired e
         where f.id = e.id)
      select id::text as "fabricId", name, lease_holder as holder,
             pg_notify('fabric_syncd', json_build_object('what', 'changed', 'fabric', id::text)::text)
        from expired
       order by id`,
  );
  return ended.map(({ fabricId, name, holder }) => ({ fabricId, name, holder }));
}
