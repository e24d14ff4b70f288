import type { Sql } from 'postgres';
import { tableRights } from '../grants.ts';

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
  readonly database: string;
  readonly schema: string;
  /** What it may beyond any table, in words: `superuser`, `may make roles`. */
  readonly powers: readonly string[];
  /** Tables of ours that are there. */
  readonly tables: readonly TableHealth[];
}

export interface TableHealth {
  readonly name: string;
  /** This user is its owner, or is a member of it: it may change and drop it. */
  readonly owned: boolean;
  readonly rights: readonly string[];
}

export async function databaseHealth(sql: Sql): Promise<DatabaseHealth> {
  const [row] = await sql<[Omit<DatabaseHealth, 'tables'>]>`
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
           current_database()::text as database,
           coalesce(current_schema()::text, 'public') as schema,
           (select array_remove(array[case when rolsuper then 'superuser' end,
                                      case when rolcreaterole then 'may make roles' end,
                                      case when rolreplication then 'may copy the whole server' end,
                                      case when rolbypassrls then 'passes row security' end], null)
              from pg_roles where rolname = current_user) as powers`;
  const tables = await sql<TableHealth[]>`
    select c.relname::text as name, pg_has_role(c.relowner, 'usage') as owned,
           array(select lower(x) from unnest(array['select', 'insert', 'update', 'delete', 'truncate',
                                                   'references', 'trigger']) x
                  where has_table_privilege(c.oid, x)) as rights
      from pg_class c
     where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
       and c.relname = any(${Object.keys(tableRights)}::text[])
     order by c.relname`;
  return { ...row, tables };
}
