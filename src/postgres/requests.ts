// "Sync now", as rows: they survive the daemon that heard them.

import { linksMax, type OpenRequests } from '../ports/store.ts';
import type { Database } from './connect.ts';

/** Fabrics with open requests, or one of them. */
export async function openRequests(database: Database, fabricId: string | null): Promise<readonly OpenRequests[]> {
  return database.act(
    'read the open requests',
    (sql) => sql<OpenRequests[]>`
      select fabric_id::text as "fabricId", (array_agg(asked_by order by id))[1] as by,
             coalesce((array_agg(traceparent order by id) filter (where traceparent is not null))[1:${linksMax}::int],
                      '{}') as traceparents
        from fabric_request
       where settled_at is null and (${fabricId}::bigint is null or fabric_id = ${fabricId}::bigint)
       group by fabric_id
       order by fabric_id`,
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
