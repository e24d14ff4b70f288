// The end of a run that did not commit: what the row said before it comes back, with the failure and the next due time.

import { oneLine } from '../../machines/fabric/failure.ts';
import type { Settled, SettleRequest } from '../ports/store.ts';
import { sumsOf } from '../ports/sums.ts';
import type { Database } from './connect.ts';
import { jsonb } from './json.ts';
import { approvalJson, type FabricColumns, fabricColumns, fabricRow, requestsOpen } from './rows.ts';

const what = 'settle a run';

/** One statement under the epoch of the claim; a stale one changes nothing. Again after a lost answer: settled as before. */
export async function settle(database: Database, daemon: string, request: SettleRequest): Promise<Settled> {
  const { fabricId, claim, outcome, failure, connection, due } = request;
  const failed = outcome === 'failed';
  const sums = request.figures && sumsOf(request.figures);
  const approval = approvalJson(request.approval);
  // A run that was cut short by no fault of the fabric's, and by nobody's wish, leaves the requests to the next one.
  const answers = failed || failure.code === 'CANCELLED';
  const [row] = await database.act(
    what,
    (sql) => sql<FabricColumns[]>`
      with locked as materialized (
        select f as old_f, c as old_c from fabric f join fabric_cycle c on c.fabric_id = f.id
         where f.id = ${fabricId}::bigint and c.epoch = ${claim.epoch} and c.run_id = ${claim.runId}::bigint
           and c.lease_holder = ${daemon}
           for no key update of f, c ${request.noWait ? sql`skip locked` : sql``}),
      note as (
        select ${jsonb(sql, failure)} || jsonb_build_object('at', now()) as failure),
      ended as (
        update fabric_run r
           set outcome = ${outcome}, finished_at = now(), failure = note.failure,
               created = ${sums?.created ?? 0}, updated = ${sums?.updated ?? 0}, deleted = ${sums?.deleted ?? 0},
               unchanged = ${sums?.unchanged ?? 0}, quarantined = ${sums?.quarantined ?? 0},
               kinds = ${jsonb(sql, request.figures?.kinds ?? {})}, requests = ${request.figures?.requests ?? 0},
               bytes_read = ${request.figures?.bytesRead ?? 0}
          from locked, note
         where r.id = ${claim.runId}::bigint),
      answered as (
        update fabric_request q
           set settled_at = now(), run_id = ${claim.runId}::bigint
          from locked l
         where ${answers} and q.fabric_id = (l.old_c).fabric_id and q.settled_at is null),
      rested as (
        update fabric_cycle c
           set state = case when ${request.rest === 'scheduled' && due === null} then 'idle' else ${request.rest} end,
               -- It failed by what was set when it began; what was set since then is tried at once.
               due_at = case when ${failed && due !== null} and c.way_in_at > (l.old_f).last_sync
                             then date_trunc('milliseconds', now())
                             else to_timestamp(${due?.dueAtMs ?? null}::float8 / 1000) end,
               due_kind = ${due?.kind ?? null},
               attempts = ${request.attempts},
               failure = case when ${failed} then note.failure when ${request.rest !== 'scheduled'} then c.failure end,
               previous_sync = null, previous_status = null, lease_holder = null, lease_until = null, run_id = null,
               approval = coalesce(a.approval, c.approval),
               approved_by = case when a.approval is null then c.approved_by end,
               approved_at = case when a.approval is null then c.approved_at end
          from locked l, note,
               lateral (select ${jsonb(sql, approval)} as approval) a
         where c.fabric_id = (l.old_c).fabric_id
        returning c),
      told as (
        update fabric f
           set last_sync = (l.old_c).previous_sync,
               sync_status = case when ${failed} then 'error' else coalesce((l.old_c).previous_status, 'never_synced') end,
               sync_error = case when ${failed} then ${errorLine(failure)} else f.sync_error end,
               connection_status = coalesce(${connection}, f.connection_status),
               connection_error = case when ${connection === null} then f.connection_error else ${oneLine(failure.message)} end
          from locked l
         where f.id = (l.old_f).id
        returning f)
      select ${fabricColumns(sql, answers ? sql`0` : requestsOpen(sql))},
             pg_notify('fabric_syncd', json_build_object(
               'what', 'changed', 'fabric', f.id::text, 'by', (l.old_c).lease_holder)::text)
        from locked l, rested, told, lateral (select (told.f).*) f, lateral (select (rested.c).*) c`,
  );
  return row ? { kind: 'settled', row: fabricRow(row) } : notSettled(database, daemon, request);
}

/** Cause and remedy, in the one line that people read. */
function errorLine({ message, hint }: SettleRequest['failure']): string {
  return oneLine(`${message.replace(/[.\s]+$/, '')}. ${hint}`, 2_000);
}

/** Why there was nothing to write. What its own holder alone writes as an outcome proves that it was its own end. */
async function notSettled(
  database: Database,
  daemon: string,
  { fabricId, claim, noWait }: SettleRequest,
): Promise<Settled> {
  const [row] = await database.act(
    what,
    (sql) => sql<(FabricColumns & { readonly ended: boolean | null; readonly open: boolean })[]>`
      select ${fabricColumns(sql)},
             r.daemon = ${daemon}
               and r.outcome in ('complete', 'partial', 'awaiting_approval', 'failed', 'cancelled') as ended,
             coalesce(c.epoch = ${claim.epoch} and c.run_id = ${claim.runId}::bigint
               and c.lease_holder = ${daemon}, false) as open
        from fabric f join fabric_cycle c on c.fabric_id = f.id
        left join fabric_run r
          on r.id = ${claim.runId}::bigint and r.fabric_id = f.id and r.epoch = ${claim.epoch}
       where f.id = ${fabricId}::bigint`,
  );
  if (!row) return { kind: 'gone' };
  if (row.ended) return { kind: 'settled', row: fabricRow(row) };
  return row.open && noWait ? { kind: 'locked' } : { kind: 'stale' };
}
