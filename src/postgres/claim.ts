// The claim: the right to run one fabric once. One statement, in database time, before any work.
//
//   C1. Of all that ask while a lease is alive, one has it; its epoch is larger than every one before.
//   C2. `last_sync` becomes the moment of the claim, and what it was before is kept in `previous_sync`. The stamp of a run
//       that never ended is not a sync: taking over from one keeps what that run had kept, and counts it as an attempt.
//       The run that never ended is found by `fabric_cycle.run_id`: whatever opens or ends a run writes both in one statement.
//   C3. A timer that serves a due time which the row has moved past is refused: somebody else served it.

import type { Claimed, ClaimRequest } from '../ports/store.ts';
import type { Database } from './connect.ts';
import { jsonb } from './json.ts';
import {
  type FabricColumns,
  fabricColumns,
  fabricRow,
  fabricSettings,
  isConfigured,
  requestsOpen,
  type SettingsColumns,
  settingsColumns,
} from './rows.ts';

interface ClaimColumns extends FabricColumns, SettingsColumns {
  readonly verdict: 'claimed' | 'contended' | 'superseded';
  readonly runId: string | null;
}

export async function claim(database: Database, request: ClaimRequest): Promise<Claimed> {
  const { fabricId, daemon, leaseTtlMs, trigger, servedDueMs, traceparent } = request;
  const interrupted = {
    code: 'INTERRUPTED',
    message: 'the daemon that ran it ended in the middle, and another run took over',
    hint: 'Nothing to do.',
  };
  const [row] = await database.act(
    'claim a fabric',
    (sql) => sql<ClaimColumns[]>`
      -- The rows as they are once every earlier claim or end of a run is decided: the lock waits for it and reads them again.
      with locked as materialized (
        select f as old_f, c as old_c from fabric f join fabric_cycle c on c.fabric_id = f.id
         where f.id = ${fabricId}::bigint
           for no key update of f, c),
      -- The requests too, and for the same reason: what a run has answered meanwhile grants no other one. Without Redis
      -- nothing else tells two daemons apart that heard of one request.
      open as materialized (
        select q.id from locked l, fabric_request q
         where ${servedDueMs}::float8 is null and q.fabric_id = (l.old_c).fabric_id and q.settled_at is null
           for no key update of q),
      asked as (
        select l.*, case
            when c.lease_until > now() and c.lease_holder <> ${daemon} then 'contended'
            when not (${isConfigured(sql)} and f.sync_enabled)
              or c.paused_at is not null and (c.paused_until is null or c.paused_until > now()) then 'superseded'
            when ${servedDueMs}::float8 is null
              then case when exists (select from open) then 'claimed' else 'superseded' end
            when not f.scheduler_enabled or f.sync_interval = 0 then 'superseded'
            when c.due_at is null
              or date_trunc('milliseconds', c.due_at) > to_timestamp(${servedDueMs}::float8 / 1000) then 'superseded'
            else 'claimed' end as verdict
          from locked l, lateral (select (l.old_f).*) f, lateral (select (l.old_c).*) c),
      granted as (select a.*, (a.old_c).fabric_id as id from asked a where a.verdict = 'claimed'),
      closed as (
        update fabric_run r
           set outcome = 'interrupted', finished_at = now(), failure = ${jsonb(sql, interrupted)}
          from granted g
         where r.id = (g.old_c).run_id and r.outcome is null),
      run as (
        insert into fabric_run (fabric_id, epoch, trigger, daemon, due_at, traceparent)
        select g.id, (g.old_c).epoch + 1, ${trigger}, ${daemon}, to_timestamp(${servedDueMs}::float8 / 1000), ${traceparent}
          from granted g
        returning id),
      cycle as (
        update fabric_cycle c
           set state = 'syncing', epoch = c.epoch + 1, run_id = run.id, traceparent = ${traceparent},
               attempts = c.attempts + case when c.lease_holder is null then 0 else 1 end,
               lease_holder = ${daemon}, lease_until = now() + make_interval(secs => ${leaseTtlMs}::float8 / 1000),
               previous_sync = case when c.lease_holder is null then (g.old_f).last_sync else c.previous_sync end,
               previous_status = case when c.lease_holder is null then (g.old_f).sync_status else c.previous_status end
          from granted g, run
         where c.fabric_id = g.id
        returning c),
      stamped as (
        update fabric f
           set last_sync = now(), sync_status = 'syncing'
          from granted g
         where f.id = g.id
        returning f)
      select a.verdict, (select id::text from run) as "runId", ${settingsColumns(sql)}, ${fabricColumns(
        sql,
        sql`case when ${servedDueMs}::float8 is null then (select count(*)::int from open) else ${requestsOpen(sql)} end`,
      )}
        from asked a
        left join cycle on true
        left join stamped on true,
        lateral (select (coalesce(stamped.f, a.old_f)).*) f,
        lateral (select (coalesce(cycle.c, a.old_c)).*) c`,
  );
  if (!row) return { kind: 'gone' };
  switch (row.verdict) {
    case 'claimed': {
      if (row.runId === null) throw new Error('a claim was granted without a run');
      const claim = { runId: row.runId, epoch: row.epoch };
      return { kind: 'claimed', claim, row: fabricRow(row), settings: fabricSettings(row) };
    }
    case 'contended':
      // The schema keeps holder and end of a lease together.
      return { kind: 'contended', holder: row.leaseHolder ?? '', leaseUntilMs: row.leaseUntilMs ?? 0 };
    case 'superseded':
      return { kind: 'superseded', row: fabricRow(row) };
  }
}
