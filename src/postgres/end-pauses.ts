import type { Database } from './connect.ts';

/**
 * Ends pauses whose time has come, in database time. A row that somebody holds is left to the next time: one open
 * transaction must not keep the others waiting. @returns their fabrics
 */
export async function endPauses(database: Database): Promise<readonly string[]> {
  const ended = await database.act(
    'end pauses',
    (sql) => sql<{ fabricId: string }[]>`
      with over as materialized (
        select fabric_id from fabric_cycle where paused_until <= now() for no key update skip locked),
      ended as (
        update fabric_cycle c
           set paused_at = null, paused_by = null, pause_reason = null, paused_until = null
          from over
         where c.fabric_id = over.fabric_id
        returning c.fabric_id)
      select fabric_id::text as "fabricId",
             pg_notify('fabric_syncd', json_build_object('what', 'changed', 'fabric', fabric_id::text)::text)
        from ended`,
  );
  return ended.map(({ fabricId }) => fabricId);
}
