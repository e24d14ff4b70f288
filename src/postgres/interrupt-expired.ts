// `syncing` means a live lease. A lease that ran out belonged to a daemon that died, or that lost its way to Postgres:
// its run is closed, its epoch can not commit any more, and the fabric is due again soon.

import { hintByCode } from '../../machines/fabric/failure.ts';
import type { Database } from './connect.ts';

export interface Interrupted {
  readonly fabricId: string;
  readonly name: string;
  /** Who held the lease. */
  readonly holder: string;
}

export async function interruptExpired(database: Database, backoffBaseMs: number): Promise<readonly Interrupted[]> {
  const hint = hintByCode.INTERRUPTED;
  const ended = await database.act(
    'end expired leases',
    (sql) => sql<Interrupted[]>`
      with expired as materialized (
        select f.id, f.name, c.lease_holder, c.previous_sync,
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
         where r.fabric_id = e.id and r.outcome is null),
      rested as (
        update fabric_cycle c
           set state = 'backoff', due_kind = 'retry',
               due_at = date_trunc('milliseconds', now() + make_interval(secs => ${backoffBaseMs}::float8 / 1000)),
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
