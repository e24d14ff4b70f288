import type { Sql } from 'postgres';
import type { Belongings } from '../../ports/fabric-settings.ts';

/** What would go with a fabric if it were removed. */
export async function belongings(sql: Sql, fabricId: string): Promise<Belongings> {
  const [row] = await sql<[Belongings]>`
    select (select count(*)::int from fabric_resource
             where fabric_id = ${fabricId}::bigint and deleted_at is null) as objects,
           (select count(*)::int from fabric_resource
             where fabric_id = ${fabricId}::bigint and deleted_at is not null) as tombstones,
           (select count(*)::int from fabric_run where fabric_id = ${fabricId}::bigint) as runs,
           -- By its objects: the table of all changes is never read whole.
           (select coalesce(sum(c.n), 0)::int
              from fabric_resource r,
                   lateral (select count(*) as n from fabric_change ch where ch.resource_id = r.id) c
             where r.fabric_id = ${fabricId}::bigint) as changes,
           (select lease_holder from fabric_cycle
             where fabric_id = ${fabricId}::bigint and lease_until > now()) as "leaseHolder"`;
  return row;
}
