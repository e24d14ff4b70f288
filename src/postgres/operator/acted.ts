// The record of what people did, written in the statement of the act itself.

import type { Fragment, Sql } from 'postgres';
import type { ActRow } from '../../ports/inspector-reads.ts';

/**
 * To stand as one of the act's `with` parts.
 * @param from the part whose `fabric_id`s were acted on; where it is empty nothing is told
 */
export function acted(sql: Sql, act: string, by: string, from: Fragment, detail = ''): Fragment {
  return sql`insert into fabric_act (fabric_id, by, act, detail) select fabric_id, ${by}, ${act}, ${detail} from ${from}`;
}

/** The newest first. */
export async function acts(sql: Sql, fabricId: string, limit: number): Promise<readonly ActRow[]> {
  return sql<ActRow[]>`
    select floor(extract(epoch from at) * 1000)::float8 as "atMs", by, act, detail
      from fabric_act where fabric_id = ${fabricId}::bigint order by id desc limit ${limit}`;
}
