// Writing what a run found into the inventory, and what that changed into the history. The fabric's row is locked: nobody
// else writes this inventory meanwhile.
//
//   H1. The history is kept backwards: a change holds what stood before it. What was not there before has nothing.
//   H2. Each staged object is accounted for: as many changes are recorded as were staged, or nothing is written.
//   H3. An object that goes leaves a tombstone, whether it was deleted or its kind is not read any more; coming back, it
//       takes its old row, so its history stays one.
//
// `(fabric_id = …) is true` beside an id is a check and no way to find the row: as a plain condition it made the planner,
// before the first ANALYZE, compare every object of the fabric with every id (7 s for 10,000; 0.15 s by the primary key).
// What is new is told from what is not by the unique index, and not by a `not exists`: of a table that was empty at the last
// VACUUM the planner thinks that it still is, and read, for each object, all that the statement had written before it.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { TouchedObject } from '../ports/store.ts';
import type { Transaction } from './transaction.ts';

interface Target {
  readonly fabricId: string;
  readonly runId: string;
}

/** Same content under other versions: nothing happened to the object that a person would call a change. */
export async function touch(tx: Transaction, { fabricId }: Target, touched: readonly TouchedObject[]): Promise<void> {
  if (touched.length === 0) return;
  const moved = JSON.stringify(
    touched.map(({ id, version, resourceVersion, generation }) => ({ id, version, resourceVersion, generation })),
  );
  await tx.run(
    (sql) => sql`
      update fabric_resource r
         set api_version = t.version, resource_version = t."resourceVersion", generation = t.generation
        from json_to_recordset(${moved}::text::json)
               as t(id bigint, version text, "resourceVersion" text, generation bigint)
       where r.id = t.id and (r.fabric_id = ${fabricId}::bigint) is true and r.deleted_at is null`,
  );
}

/** @param change why they go. @returns how many went */
export async function bury(
  tx: Transaction,
  { fabricId, runId }: Target,
  resources: readonly string[],
  change: 'deleted' | 'unsynced',
): Promise<number> {
  if (resources.length === 0) return 0;
  const recorded = await tx.run(
    (sql) => sql`
      with gone as (
        update fabric_resource
           set deleted_run = ${runId}::bigint, deleted_at = now(), changed_run = ${runId}::bigint, changed_at = now()
         where (fabric_id = ${fabricId}::bigint) is true and id = any(${`{${resources.join(',')}}`}::text::bigint[])
           and deleted_at is null
        returning id, object, uid, resource_version)
      insert into fabric_change (run_id, resource_id, fabric_id, change, before, before_uid, before_resource_version)
      select ${runId}::bigint, id, ${fabricId}::bigint, ${change}, object, uid, resource_version from gone`,
  );
  return recorded.count;
}

/**
 * What was staged becomes the inventory.
 * @param staged how many. @returns how many changed: all of them
 * @throws FabricFailure `DATABASE_REFUSED` where it is not so (H2): one key was staged twice
 */
export async function merge(tx: Transaction, { fabricId, runId }: Target, staged: number): Promise<number> {
  const recorded = await tx.run(
    (sql) => sql`
      with stored as (
        -- As it stood before this statement: what the updates below write is not seen here.
        select r.id, r.object, r.uid, r.resource_version, r.deleted_at is not null as was_gone, r.uid <> s.uid as is_another
          from pg_temp.fabric_staged s
          join fabric_resource r
            on r.fabric_id = ${fabricId}::bigint and r.api_group = s.api_group and r.kind = s.kind
           and r.namespace = s.namespace and r.name = s.name),
      created as (
        insert into fabric_resource (
               fabric_id, api_group, api_version, kind, plural, namespace, name, uid, resource_version, generation,
               creation_timestamp, object, content_hash, created_run, changed_run)
        select ${fabricId}::bigint, api_group, api_version, kind, plural, namespace, name, uid, resource_version, generation,
               creation_timestamp, object, decode(content_hash, 'base64'), ${runId}::bigint, ${runId}::bigint
          from pg_temp.fabric_staged s
            on conflict (fabric_id, api_group, kind, namespace, name) do nothing
        returning id),
      rewritten as (
        update fabric_resource r
           set api_version = s.api_version, plural = s.plural, uid = s.uid, resource_version = s.resource_version,
               generation = s.generation, creation_timestamp = s.creation_timestamp, object = s.object,
               content_hash = decode(s.content_hash, 'base64'), changed_run = ${runId}::bigint, changed_at = now(),
               deleted_run = null, deleted_at = null
          from pg_temp.fabric_staged s
         where r.fabric_id = ${fabricId}::bigint and r.api_group = s.api_group and r.kind = s.kind
           and r.namespace = s.namespace and r.name = s.name)
      insert into fabric_change (run_id, resource_id, fabric_id, change, before, before_uid, before_resource_version)
      select ${runId}::bigint, id, ${fabricId}::bigint, 'created', null, null, null from created
       union all
      select ${runId}::bigint, id, ${fabricId}::bigint,
             case when was_gone then 'restored' when is_another then 'recreated' else 'updated' end,
             case when not was_gone then object end,
             case when not was_gone then uid end,
             case when not was_gone then resource_version end
        from stored`,
  );
  if (recorded.count === staged) return staged;
  throw new FabricFailure('DATABASE_REFUSED', `of ${staged} objects only ${recorded.count} could be merged`, {
    facts: { staged, merged: recorded.count },
  });
}
