// "Sync now", as rows: they survive the daemon that heard them.

import type { Database } from './connect.ts';

export interface OpenRequest {
  readonly fabricId: string;
  readonly by: string;
  readonly traceparent: string | null;
}

/** Fabrics with an open request, or one of them; the oldest request speaks for all of a fabric. */
export async function openRequests(database: Database, fabricId: string | null): Promise<readonly OpenRequest[]> {
  return database.act(
    'read the open requests',
    (sql) => sql<OpenRequest[]>`
      select distinct on (fabric_id) fabric_id::text as "fabricId", asked_by as by, traceparent
        from fabric_request
       where settled_at is null and (${fabricId}::bigint is null or fabric_id = ${fabricId}::bigint)
       order by fabric_id, id`,
  );
}

/** @returns how many */
export async function refuseRequests(database: Database, fabricId: string, refusal: string): Promise<number> {
  const refused = await database.act(
    'refuse requests',
    (sql) => sql`
      update fabric_request
         set settled_at = now(), refusal = ${refusal}
       where fabric_id = ${fabricId}::bigint and settled_at is null`,
  );
  return refused.count;
}
