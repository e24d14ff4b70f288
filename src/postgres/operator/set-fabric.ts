import type { Sql } from 'postgres';
import type { Changed, CredentialToStore, FabricSettingsValues } from '../../ports/fabric-settings.ts';
import { writeSettings } from './write-settings.ts';

/** Changes what is given and leaves the rest. See `FabricBook.set`. */
export async function setFabric(
  sql: Sql,
  fabricId: string,
  values: Partial<FabricSettingsValues>,
  credential: CredentialToStore | null,
): Promise<Changed> {
  const newWayIn =
    credential !== null ||
    values.server !== undefined ||
    values.caPem !== undefined ||
    values.tlsServerName !== undefined ||
    values.namespace !== undefined;
  return sql.begin(async (tx): Promise<Changed> => {
    if (values.name !== undefined) {
      const [taken] = await tx`select from fabric where name = ${values.name} and id <> ${fabricId}::bigint`;
      if (taken) return { kind: 'name_taken' };
    }
    if (!(await writeSettings(tx, fabricId, values, credential))) return { kind: 'gone' };
    if (newWayIn) {
      // Never under a live lease: that run ends by its own rules. The trigger on `fabric` makes every daemon look.
      await tx`
        update fabric_cycle
           set due_at = now()
         where fabric_id = ${fabricId}::bigint
           and state in ('backoff', 'errored') and due_at > now()
           and (lease_until is null or lease_until <= now())`;
    }
    return { kind: 'changed' };
  });
}
