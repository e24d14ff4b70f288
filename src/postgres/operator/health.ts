import type { Sql } from 'postgres';

/** What a person should know of a Postgres: for `doctor`. */
export interface DatabaseHealth {
  /** `15.18` */
  readonly version: string;
  /** 150018 */
  readonly versionNumber: number;
  readonly user: string;
  /** A standby, which takes no writes. */
  readonly standby: boolean;
  /** A crash loses no commit. */
  readonly durable: boolean;
  /** Its own time, epoch milliseconds. */
  readonly nowMs: number;
  readonly connectionsMax: number;
  readonly connectionsUsed: number;
  readonly mayCreate: boolean;
  /** Tables of ours that this user may not read and write. */
  readonly tablesDenied: readonly string[];
}

export async function databaseHealth(sql: Sql): Promise<DatabaseHealth> {
  const [row] = await sql<[DatabaseHealth]>`
    select split_part(current_setting('server_version'), ' ', 1) as version,
           current_setting('server_version_num')::int as "versionNumber",
           current_user::text as "user",
           pg_is_in_recovery() as standby,
           current_setting('fsync')::boolean and current_setting('synchronous_commit') <> 'off' as durable,
           (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs",
           current_setting('max_connections')::int
             - current_setting('superuser_reserved_connections')::int as "connectionsMax",
           (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as "connectionsUsed",
           coalesce(has_schema_privilege(current_schema(), 'create'), false) as "mayCreate",
           (select coalesce(array_agg(c.relname::text order by c.relname), '{}')
              from pg_class c
             where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
               and c.relname in ('fabric', 'fabric_cycle', 'fabric_run', 'fabric_resource', 'fabric_change',
                                 'fabric_quarantine', 'fabric_request', 'fabric_act', 'fabric_migration')
               and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
                        and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete'))
           ) as "tablesDenied"`;
  return row;
}
