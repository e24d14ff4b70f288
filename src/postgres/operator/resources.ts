// What is in a fabric, now or when a run had committed.

import type { Fragment, Sql } from 'postgres';
import type { ObjectBody, ResourceQuery, ResourceRow } from '../../ports/operator.ts';

interface Raw {
  readonly resourceId: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  readonly creationTimestamp: string | null;
  readonly generation: number | null;
  readonly changed: Date | null;
  readonly changedRun: string | null;
  readonly object: ObjectBody['object'] | null;
  readonly uid: string | null;
  readonly resourceVersion: string | null;
}

/** In order of kind and name. */
export async function resources(sql: Sql, query: ResourceQuery): Promise<readonly ResourceRow[]> {
  const rows = query.atRun === null ? await live(sql, query) : await then(sql, query, query.atRun);
  return rows.map(({ changed, object, uid, resourceVersion, ...row }) => ({
    ...row,
    changedMs: changed?.getTime() ?? null,
    body: object && { object, uid, resourceVersion },
  }));
}

function live(sql: Sql, { fabricId, kind, bodies }: ResourceQuery) {
  return sql<Raw[]>`
    select id::text as "resourceId", api_group as "group", api_version as version, kind, plural, namespace, name,
           ${served(sql, sql`creation_timestamp`)} as "creationTimestamp", generation::float8 as generation, changed_at as changed,
           changed_run::text as "changedRun", case when ${bodies} then object end as object, uid,
           resource_version as "resourceVersion"
      from fabric_resource
     where fabric_id = ${fabricId}::bigint and deleted_at is null
       and (${kind}::text is null or lower(${kind}) in (lower(kind), plural))
     order by kind, namespace, name`;
}

/**
 * The first change after the run says what stood before it, which is what stood when the run had committed; where
 * nothing changed since, it is what stands now. What only came later was not there.
 */
function then(sql: Sql, { fabricId, kind, bodies }: ResourceQuery, runId: string) {
  return sql<Raw[]>`
    select r.id::text as "resourceId", r.api_group as "group", r.api_version as version, r.kind, r.plural, r.namespace,
           r.name,
           case when named.uid = r.uid then ${served(sql, sql`r.creation_timestamp`)} end as "creationTimestamp",
           case when later.change is null then r.generation::float8 end as generation,
           last.finished_at as changed, last.run_id::text as "changedRun",
           case when ${bodies} then coalesce(later.before, r.object) end as object,
           named.uid, case when later.change is null then r.resource_version else later.before_resource_version end
             as "resourceVersion"
      from fabric_resource r
      left join lateral (
        select * from fabric_change ch
         where ch.resource_id = r.id and ch.run_id > ${runId}::bigint order by ch.run_id limit 1) later on true
      left join lateral (
        select ch.run_id, run.finished_at from fabric_change ch join fabric_run run on run.id = ch.run_id
         where ch.resource_id = r.id and ch.run_id <= ${runId}::bigint order by ch.run_id desc limit 1) last on true
     cross join lateral (
        select case when later.change is null then r.uid else coalesce(later.before_uid, r.uid) end as uid) named
     where r.fabric_id = ${fabricId}::bigint
       and case when later.change is null then r.deleted_at is null and r.created_run <= ${runId}::bigint
                else later.change in ('updated', 'deleted', 'unsynced', 'recreated') end
       and (${kind}::text is null or lower(${kind}) in (lower(r.kind), r.plural))
     order by r.kind, r.namespace, r.name`;
}

/** As Kubernetes writes it: in UTC, to the second. */
function served(sql: Sql, timestamp: Fragment): Fragment {
  return sql`to_char(${timestamp} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
}
