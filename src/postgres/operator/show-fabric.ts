import type { Sql } from 'postgres';
import type { FabricRecord } from '../../ports/fabric-settings.ts';
import { type RawRecord, recordColumns, recordOf } from './fabric-record.ts';

/** One fabric as it is set; null where it is gone. */
export async function showFabric(sql: Sql, fabricId: string): Promise<FabricRecord | null> {
  const [row] = await sql<RawRecord[]>`select ${recordColumns(sql)} from fabric where id = ${fabricId}::bigint`;
  return row ? recordOf(row) : null;
}
