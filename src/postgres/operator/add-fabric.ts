import type { Added, CredentialToStore, FabricSettingsValues } from '../../ports/fabric-settings.ts';
import type { Transaction } from '../transaction.ts';
import { writeSettings } from './write-settings.ts';

/**
 * Adds a fabric; what is not given is the schema's default. The number is made, and the credential sealed under it, in
 * one transaction: nobody sees a fabric without its credential.
 */
export async function addFabric(
  tx: Transaction,
  values: Partial<FabricSettingsValues> & { readonly name: string },
  credential: CredentialToStore | null,
): Promise<Added> {
  const [row] = await tx.run(
    (sql) => sql<{ fabricId: string }[]>`
      insert into fabric (name) values (${values.name}) on conflict (name) do nothing returning id::text as "fabricId"`,
  );
  if (!row) return { kind: 'name_taken' };
  await writeSettings(tx, row.fabricId, values, credential);
  return { kind: 'added', fabricId: row.fabricId };
}
