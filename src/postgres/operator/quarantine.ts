import type { Sql } from 'postgres';
import type { QuarantineRow } from '../../ports/operator.ts';

/** Objects of a fabric that could not be stored, and why. */
export async function quarantine(sql: Sql, fabricId: string): Promise<readonly QuarantineRow[]> {
  const rows = await sql<(Omit<QuarantineRow, 'sinceMs' | 'group'> & { api_group: string; since: Date })[]>`
    select api_group, kind, namespace, name, reason, since
      from fabric_quarantine
     where fabric_id = ${fabricId}::bigint
     order by kind, namespace, name`;
  return rows.map(({ api_group, since, ...row }) => ({ ...row, group: api_group, sinceMs: since.getTime() }));
}
