import type { Database } from './connect.ts';

/** Ends pauses whose time has come, in database time. @returns their fabrics */
export async function endPauses(database: Database): Promise<readonly string[]> {
  const ended = await database.act(
    'end pauses',
    (sql) => sql<{ fabricId: string }[]>`
      with ended as (
        update fabric_cycle
           set paused_at = null, paused_by = null, pause_reason = null, paused_until = null
         where paused_until <= now()
        returning fabric_id)
      select fabric_id::text as "fabricId",
             pg_notify('fabric_syncd', json_build_object('what', 'changed', 'fabric', fabric_id::text)::text)
        from ended`,
  );
  return ended.map(({ fabricId }) => fabricId);
}
