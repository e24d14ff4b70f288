// What a run changed, with both bodies: the history is kept backwards, so what came after a change is what stood before
// the next one, or what stands now.

import type { Sql } from 'postgres';
import type { ChangeRow, ObjectBody } from '../../ports/operator.ts';

interface Raw extends Omit<ChangeRow, 'before' | 'after'> {
  readonly before: ObjectBody['object'] | null;
  readonly beforeUid: string | null;
  readonly beforeVersion: string | null;
  readonly after: ObjectBody['object'] | null;
  readonly afterUid: string | null;
  readonly afterVersion: string | null;
}

/** In order of kind and name. Objects that came or went are named only: their bodies would be the whole of a first sync. */
export async function changes(sql: Sql, runId: string): Promise<readonly ChangeRow[]> {
  const rows = await sql<Raw[]>`
    select ch.change, r.api_group as "group", r.api_version as version, r.kind, r.namespace, r.name,
           body.before, body."beforeUid", body."beforeVersion", body.after, body."afterUid", body."afterVersion"
      from fabric_change ch
      join fabric_resource r on r.id = ch.resource_id
      left join lateral (
        select ch.before, ch.before_uid as "beforeUid", ch.before_resource_version as "beforeVersion",
               case when next.run_id is null then r.object else next.before end as after,
               case when next.run_id is null then r.uid else next.before_uid end as "afterUid",
               case when next.run_id is null then r.resource_version else next.before_resource_version end as "afterVersion"
          from (select 1) as one
          left join lateral (
            select n.run_id, coalesce(n.before, case when n.change in ('deleted', 'unsynced') then r.object end) as before,
                   n.before_uid, n.before_resource_version
              from fabric_change n
             where n.resource_id = ch.resource_id and n.run_id > ch.run_id
             order by n.run_id limit 1) as next on true) as body on ch.change in ('updated', 'recreated', 'restored')
     where ch.run_id = ${runId}::bigint
     order by r.kind, r.namespace, r.name`;
  return rows.map(({ before, beforeUid, beforeVersion, after, afterUid, afterVersion, ...named }) => ({
    ...named,
    before: before && { object: before, uid: beforeUid, resourceVersion: beforeVersion },
    after: after && { object: after, uid: afterUid, resourceVersion: afterVersion },
  }));
}
