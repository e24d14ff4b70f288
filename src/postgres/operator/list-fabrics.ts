import type { Sql } from 'postgres';
import type { FabricRecord } from '../../ports/fabric-settings.ts';
import { type RawRecord, recordColumns, recordOf } from './fabric-record.ts';

/** Every fabric as it is set, in order of number. */
export async function listFabrics(sql: Sql): Promise<readonly FabricRecord[]> {
  const rows = await sql<RawRecord[]>`select ${recordColumns(sql)} from fabric order by id`;
  return rows.map(recordOf);
}
