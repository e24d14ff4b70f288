import type { CredentialToStore, FabricSettingsValues } from '../../ports/fabric-settings.ts';
import type { Transaction } from '../transaction.ts';

/** Writes what is given over the row of a fabric and leaves the rest. @returns false where the row is gone */
export async function writeSettings(
  tx: Transaction,
  fabricId: string,
  values: Partial<FabricSettingsValues>,
  credential: CredentialToStore | null,
): Promise<boolean> {
  const sealed = credential?.kind === 'seal' ? Buffer.from(credential.seal(fabricId)) : null;
  const ref = credential?.kind === 'ref' ? credential.ref : '';
  const written = await tx.run(
    (sql) => sql`
    update fabric
       set name                 = coalesce(${values.name ?? null}, name),
           description          = coalesce(${values.description ?? null}, description),
           kubernetes_server    = coalesce(${values.server ?? null}, kubernetes_server),
           kubernetes_ca_cert   = coalesce(${values.caPem ?? null}, kubernetes_ca_cert),
           tls_server_name      = coalesce(${values.tlsServerName ?? null}, tls_server_name),
           kubernetes_namespace = coalesce(${values.namespace ?? null}, kubernetes_namespace),
           sync_enabled         = coalesce(${values.syncEnabled ?? null}, sync_enabled),
           scheduler_enabled    = coalesce(${values.schedulerEnabled ?? null}, scheduler_enabled),
           sync_interval        = coalesce(${values.intervalSeconds ?? null}, sync_interval),
           kinds_added          = coalesce(${(values.kindsAdded as string[] | undefined) ?? null}::text[], kinds_added),
           kinds_removed        = coalesce(${(values.kindsRemoved as string[] | undefined) ?? null}::text[], kinds_removed),
           guard_share          = coalesce(${values.guardShare ?? null}::float8, guard_share),
           guard_count          = coalesce(${values.guardCount ?? null}, guard_count),
           credential_sealed    = case when ${credential !== null} then ${sealed} else credential_sealed end,
           credential_ref       = case when ${credential !== null} then ${ref} else credential_ref end,
           credential_given_at  = case when ${credential !== null} then now() else credential_given_at end,
           last_updated         = now()
     where id = ${fabricId}::bigint`,
  );
  return written.count > 0;
}
