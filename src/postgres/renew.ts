import type { Claim } from '../../machines/fabric/ports.ts';
import type { Database } from './connect.ts';

/**
 * Moves the end of a lease. One that ran out unnoticed is renewed too, as long as nobody took it: its epoch is the newest.
 * @returns false where the epoch is not the newest any more, or its run has ended
 */
export async function renew(
  database: Database,
  daemon: string,
  { fabricId, claim, leaseTtlMs }: { fabricId: string; claim: Claim; leaseTtlMs: number },
): Promise<boolean> {
  const renewed = await database.act(
    'renew a lease',
    (sql) => sql`
      update fabric_cycle
         set lease_until = now() + make_interval(secs => ${leaseTtlMs}::float8 / 1000)
       where fabric_id = ${fabricId}::bigint and epoch = ${claim.epoch} and run_id = ${claim.runId}::bigint
         and lease_holder = ${daemon}`,
    // An answer that comes after the next renewal is of no use.
    Math.min(database.statementTimeoutMs, leaseTtlMs / 2),
  );
  return renewed.count === 1;
}
