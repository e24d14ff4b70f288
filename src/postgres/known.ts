import type { Sql } from 'postgres';
import type { KnownObject, ObjectKey } from '../ports/store.ts';
import type { Database } from './connect.ts';

/**
 * The live objects of a fabric without their content. Rows are put into the map as they come in, so that ten thousand
 * of them neither stand in memory twice nor hold the event loop at once.
 */
export async function known(
  database: Database,
  fabricId: string,
  signal: AbortSignal,
): Promise<Map<ObjectKey, KnownObject>> {
  const objects = new Map<ObjectKey, KnownObject>();
  // There are as many rows as objects, and one or two versions.
  const versions = new Map<string, string>();
  const statement = (sql: Sql) =>
    sql<(KnownObject & { key: ObjectKey })[]>`
      select api_group || '/' || kind || '/' || namespace || '/' || name as key,
             id::text, uid, resource_version as "resourceVersion", encode(content_hash, 'base64') as hash,
             api_version as version
        from fabric_resource
       where fabric_id = ${fabricId}::bigint and deleted_at is null`.forEach(
      ({ key, id, uid, resourceVersion, hash, version: read }) => {
        const version = versions.get(read) ?? read;
        versions.set(version, version);
        objects.set(key, { id, uid, resourceVersion, hash, version });
      },
    );
  await database.actUntil('read the inventory', statement, signal);
  return objects;
}
