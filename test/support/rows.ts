// Rows made by hand, for tests of what reads them: a fabric, its runs, its objects and their changes.

import type { Sql } from 'postgres';

/** A configured fabric at rest, due in a minute. Columns of either table can be given. */
export async function makeFabric(
  sql: Sql,
  name: string,
  { fabric = {}, cycle = {} }: { fabric?: Record<string, unknown>; cycle?: Record<string, unknown> } = {},
): Promise<string> {
  const host = name.replaceAll(/[^A-Za-z0-9]+/g, '-');
  const settings = { kubernetes_server: `https://${host}.example:6443`, credential_ref: 'file:/token', ...fabric };
  const [row] = await sql<[{ id: string }]>`insert into fabric ${sql({ name, ...settings })} returning id::text`;
  await sql`
    update fabric_cycle
       set state = 'scheduled', due_at = date_trunc('milliseconds', now() + interval '1 minute'), due_kind = 'sync',
           tick_at = date_trunc('milliseconds', now() + interval '1 minute'), tick_interval = 60
     where fabric_id = ${row.id}`;
  if (Object.keys(cycle).length > 0) {
    await sql`update fabric_cycle set ${sql(cycle)} where fabric_id = ${row.id}`;
  }
  return row.id;
}

/** A run under the next epoch; finished now where it has an outcome. */
export async function makeRun(
  sql: Sql,
  fabricId: string,
  outcome: string | null,
  other: Record<string, unknown> = {},
): Promise<string> {
  const [{ epoch }] = await sql<[{ epoch: string }]>`
    update fabric_cycle set epoch = epoch + 1 where fabric_id = ${fabricId} returning epoch`;
  const columns = { fabric_id: fabricId, epoch, trigger: 'sync', daemon: 'test/1/a', outcome, ...other };
  const [row] = await sql<[{ id: string }]>`insert into fabric_run ${sql(columns)} returning id::text`;
  await sql`update fabric_run set finished_at = now() where id = ${row.id} and outcome is not null and finished_at is null`;
  return row.id;
}

/** What a claim leaves behind: a live lease, an open run, the stamp. @returns the run */
export async function makeRunning(sql: Sql, fabricId: string, holder = 'test/1/a'): Promise<string> {
  const runId = await makeRun(sql, fabricId, null);
  await sql`
    update fabric_cycle c
       set state = 'syncing', lease_holder = ${holder}, lease_until = now() + interval '1 minute', run_id = ${runId},
           previous_sync = f.last_sync, previous_status = f.sync_status
      from fabric f
     where c.fabric_id = ${fabricId} and f.id = c.fabric_id`;
  await sql`update fabric set sync_status = 'syncing', last_sync = now() where id = ${fabricId}`;
  return runId;
}

/** An object as it stands now; `deletedRun` makes it a tombstone. */
export async function makeResource(
  sql: Sql,
  fabricId: string,
  name: string,
  object: object,
  {
    createdRun,
    changedRun = createdRun,
    deletedRun = null,
    uid = `uid-${name}`,
    kind = 'Switch',
  }: {
    createdRun: string;
    changedRun?: string;
    deletedRun?: string | null;
    uid?: string;
    kind?: string;
  },
): Promise<string> {
  const [row] = await sql<[{ id: string }]>`
    insert into fabric_resource
      (fabric_id, api_group, api_version, kind, plural, namespace, name, uid, resource_version, generation,
       creation_timestamp, object, content_hash, created_run, changed_run, deleted_run, deleted_at)
    values
      (${fabricId}, 'wiring.githedgehog.com', 'v1beta1', ${kind}, ${`${kind.toLowerCase()}es`}, 'default', ${name},
       ${uid}, '100', 1, '2025-06-01T08:00:00Z', ${sql.json(object as never)}, '', ${createdRun}, ${changedRun},
       ${deletedRun}, ${deletedRun === null ? null : sql`now()`})
    returning id::text`;
  return row.id;
}

export async function makeChange(
  sql: Sql,
  runId: string,
  resourceId: string,
  change: string,
  before: object | null = null,
  beforeUid: string | null = null,
): Promise<void> {
  await sql`
    insert into fabric_change (run_id, resource_id, fabric_id, change, before, before_uid, before_resource_version)
    select ${runId}, r.id, r.fabric_id, ${change}, ${before === null ? null : sql.json(before as never)},
           ${before === null ? null : (beforeUid ?? sql`r.uid`)}, ${before === null ? null : '99'}
      from fabric_resource r
     where r.id = ${resourceId}`;
}
