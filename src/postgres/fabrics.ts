import type { FabricRow } from '../ports/store.ts';
import type { Database } from './connect.ts';
import { type FabricColumns, fabricColumns, fabricRow } from './rows.ts';

/** Every fabric, in order of id. */
export async function fabrics(database: Database): Promise<readonly FabricRow[]> {
  const rows = await database.act(
    'read the fabrics',
    (sql) => sql<FabricColumns[]>`
      select ${fabricColumns(sql)} from fabric f join fabric_cycle c on c.fabric_id = f.id order by f.id`,
  );
  return rows.map(fabricRow);
}

export async function fabric(database: Database, fabricId: string): Promise<FabricRow | null> {
  const [row] = await database.act(
    'read a fabric',
    (sql) => sql<FabricColumns[]>`
      select ${fabricColumns(sql)} from fabric f join fabric_cycle c on c.fabric_id = f.id
       where f.id = ${fabricId}::bigint`,
  );
  return row ? fabricRow(row) : null;
}

/** Fabrics whose due time passed and whose lease is free, the longest overdue first. */
export async function overdue(database: Database, dueBeforeMs: number, atMost: number): Promise<readonly FabricRow[]> {
  const rows = await database.act(
    'read what is overdue',
    (sql) => sql<FabricColumns[]>`
      select ${fabricColumns(sql)} from fabric f join fabric_cycle c on c.fabric_id = f.id
       where c.due_at < to_timestamp(${dueBeforeMs}::float8 / 1000) and (c.lease_until is null or c.lease_until <= now())
       order by c.due_at
       limit ${atMost}`,
  );
  return rows.map(fabricRow);
}
