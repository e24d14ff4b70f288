// What people did, told to every daemon on the channel that its `listen` reads.

import type { Fragment, Sql } from 'postgres';

/** What an act that wrote rows says; the schema's own triggers say `insert`, `update`, `delete` and `request`. */
type OperatorNotice = 'changed' | 'unlock';

/** `pg_notify(…)` to select from the rows that an act touched, so that it is told only if the act happened. */
export function notice(sql: Sql, what: OperatorNotice, fabricId: Fragment, by: string): Fragment {
  return sql`pg_notify('fabric_syncd', json_build_object(
    'what', ${what}::text, 'fabric', ${fabricId}::text, 'by', ${by}::text)::text)`;
}
