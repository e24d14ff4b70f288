import type { Transaction } from '../transaction.ts';

/** An inventory of a hundred thousand objects with its history takes its time. */
export const removeTimeoutMs = 10 * 60_000;

/** Removes a fabric with its inventory, runs and history. A run in hand finds its row gone and writes nothing. */
export async function removeFabric(tx: Transaction, fabricId: string): Promise<boolean> {
  await tx.run((sql) => sql`select set_config('statement_timeout', ${String(removeTimeoutMs)}, true)`);
  const removed = await tx.run((sql) => sql`delete from fabric where id = ${fabricId}::bigint`);
  return removed.count > 0;
}
