// The end of a run that read its fabric: one statement that says how it ended, arms what comes next and frees the lease,
// under the epoch of its claim. Alone it is the whole commit of a run that found nothing new; after a merge it is the last
// statement of that transaction.

import type { PendingQuery, Sql } from 'postgres';
import { oneLine } from '../../machines/fabric/failure.ts';
import type { CommitRequest, QuarantinedObject } from '../ports/store.ts';
import { sumsOf } from '../ports/sums.ts';
import { jsonb } from './json.ts';
import { approvalJson, type FabricColumns, fabricColumns } from './rows.ts';

/** @param recount the inventory was written to: its counts are taken anew. @returns no row where the epoch is stale */
export function finish(
  sql: Sql,
  daemon: string,
  request: CommitRequest,
  recount: boolean,
): PendingQuery<FabricColumns[]> {
  const { fabricId, claim, outcome, figures, next } = request;
  const sums = sumsOf(figures);
  const approval = approvalJson(request.approval);
  return sql<FabricColumns[]>`
    with locked as materialized (
      select f as old_f, c as old_c from fabric f join fabric_cycle c on c.fabric_id = f.id
       where f.id = ${fabricId}::bigint and c.epoch = ${claim.epoch} and c.run_id = ${claim.runId}::bigint
         and c.lease_holder = ${daemon}
         for no key update of f, c),
    ended as (
      update fabric_run r
         set outcome = ${outcome}, finished_at = now(), created = ${sums.created}, updated = ${sums.updated},
             deleted = ${sums.deleted}, unchanged = ${sums.unchanged}, quarantined = ${sums.quarantined},
             kinds = ${jsonb(sql, figures.kinds)}, requests = ${figures.requests}, bytes_read = ${figures.bytesRead}
        from locked
       where r.id = ${claim.runId}::bigint),
    -- Those who asked while it ran have joined it.
    answered as (
      update fabric_request q
         set settled_at = now(), run_id = ${claim.runId}::bigint
        from locked l
       where q.fabric_id = (l.old_c).fabric_id and q.settled_at is null),
    bad as (
      select distinct on (api_group, kind, namespace, name) *
        from json_to_recordset(${quarantineJson(request.quarantined)}::text::json)
          as o(api_group text, kind text, namespace text, name text, reason text)),
    mended as (
      delete from fabric_quarantine q using locked l
       where q.fabric_id = (l.old_c).fabric_id
         and (q.api_group || '/' || q.kind <> all(${request.kindsWanted as string[]}::text[])
              or q.api_group || '/' || q.kind = any(${request.kindsComplete as string[]}::text[])
                 and (q.api_group, q.kind, q.namespace, q.name) not in (select api_group, kind, namespace, name from bad))),
    quarantined as (
      insert into fabric_quarantine (fabric_id, api_group, kind, namespace, name, reason, run_id)
      select (l.old_c).fabric_id, b.*, ${claim.runId}::bigint from locked l, bad b
      on conflict (fabric_id, api_group, kind, namespace, name) do update
         set reason = excluded.reason, run_id = excluded.run_id
       where fabric_quarantine.reason <> excluded.reason),
    tally as (
      select coalesce(sum(n), 0)::int as total, coalesce(jsonb_object_agg(kind, n), '{}') as counts
        from (select kind, count(*) as n from fabric_resource
               where ${recount} and fabric_id = ${fabricId}::bigint and deleted_at is null group by kind) k),
    -- What a person approved meanwhile stays approved, as long as no more waits than was shown: compared as sets, because
    -- jsonb's own "contains" compares each with each, and once, where there is an approval at all.
    waits as materialized (
      select w.approval, case
               when b.approved_at is null or w.approval is null then false
               when w.approval ->> 'kind' is distinct from b.approval ->> 'kind'
                 or w.approval ->> 'found' is distinct from b.approval ->> 'found' then false
               when w.approval -> 'resources' is not distinct from b.approval -> 'resources' then true
               else not exists (
                 select jsonb_array_elements_text(w.approval -> 'resources')
                 except
                 select jsonb_array_elements_text(b.approval -> 'resources')) end as covered
        from locked l, lateral (select (l.old_c).*) b, lateral (select ${jsonb(sql, approval)} as approval offset 0) w),
    rested as (
      update fabric_cycle c
         set state = case when ${next === null} then 'idle' else 'scheduled' end,
             due_at = to_timestamp(${next?.dueAtMs ?? null}::float8 / 1000),
             due_kind = case when ${next === null} then null else 'sync' end,
             tick_at = coalesce(to_timestamp(${next?.tickMs ?? null}::float8 / 1000), c.tick_at),
             tick_interval = coalesce(${next === null ? null : Math.round(next.intervalMs / 1000)}::int, c.tick_interval),
             attempts = 0, failure = null, previous_sync = null, previous_status = null,
             lease_holder = null, lease_until = null, run_id = null,
             cluster_uid = coalesce(${request.clusterUid}, c.cluster_uid),
             approval = w.approval,
             approved_by = case when w.covered then c.approved_by end,
             approved_at = case when w.covered then c.approved_at end
        from locked l, waits w
       where c.fabric_id = (l.old_c).fabric_id
      returning c),
    told as (
      update fabric f
         set sync_status = case when ${outcome === 'complete'} then 'in_sync' else 'out_of_sync' end,
             sync_error = ${oneLine(request.remark, 2_000)},
             connection_status = 'connected', connection_error = '',
             counts = case when ${recount} then t.counts else f.counts end,
             cached_crd_count = case when ${recount} then t.total else f.cached_crd_count end,
             vpcs_count = case when ${recount} then coalesce((t.counts ->> 'VPC')::int, 0) else f.vpcs_count end,
             connections_count = case when ${recount} then coalesce((t.counts ->> 'Connection')::int, 0) else f.connections_count end,
             servers_count = case when ${recount} then coalesce((t.counts ->> 'Server')::int, 0) else f.servers_count end,
             switches_count = case when ${recount} then coalesce((t.counts ->> 'Switch')::int, 0) else f.switches_count end
        from locked l, tally t
       where f.id = (l.old_f).id
      returning f)
    select ${fabricColumns(sql, sql`0`)},
           pg_notify('fabric_syncd', json_build_object(
             'what', 'changed', 'fabric', f.id::text, 'by', (l.old_c).lease_holder)::text)
      from locked l, rested, told, lateral (select (told.f).*) f, lateral (select (rested.c).*) c`;
}

/** What could not be stored may hold what cannot be stored here either. */
function quarantineJson(objects: readonly QuarantinedObject[]): string {
  return JSON.stringify(
    objects.map(({ group, kind, namespace, name, reason }) => ({
      api_group: oneLine(group.toWellFormed(), 253),
      kind: oneLine(kind.toWellFormed(), 253),
      namespace: oneLine(namespace.toWellFormed(), 253),
      name: oneLine(name.toWellFormed(), 253),
      reason: oneLine(reason.toWellFormed()),
    })),
  );
}
