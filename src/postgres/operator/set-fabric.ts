import type { Changed, CredentialToStore, FabricSettingsValues } from '../../ports/fabric-settings.ts';
import type { Transaction } from '../transaction.ts';
import { writeSettings } from './write-settings.ts';

/** Changes what is given and leaves the rest. See `FabricBook.set`. */
export async function setFabric(
  tx: Transaction,
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
  const { name } = values;
  if (name !== undefined) {
    const [taken] = await tx.run((sql) => sql`select from fabric where name = ${name} and id <> ${fabricId}::bigint`);
    if (taken) return { kind: 'name_taken' };
  }
  if (!(await writeSettings(tx, fabricId, values, credential))) return { kind: 'gone' };
  // The schema's trigger does it where a value changed; here also where it was given again: a file may hold another token.
  if (newWayIn) await tx.run((sql) => sql`select fabric_try_way_in(${fabricId}::bigint)`);
  return { kind: 'changed' };
}
