import type { Sql } from 'postgres';

/** Only over what was opened: a credential that somebody gives meanwhile is newer than either seal. It is as old as it was. */
export async function resealFabric(
  sql: Sql,
  fabricId: string,
  before: Uint8Array,
  after: Uint8Array,
): Promise<boolean> {
  const written = await sql`
    update fabric set credential_sealed = ${Buffer.from(after)}
     where id = ${fabricId}::bigint and credential_sealed = ${Buffer.from(before)}`;
  return written.count > 0;
}
