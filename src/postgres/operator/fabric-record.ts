import type { Fragment, Sql } from 'postgres';
import type { FabricRecord } from '../../ports/fabric-settings.ts';
import { storedCredential } from '../rows.ts';

/** A row of `fabric` as `recordColumns` selects it. */
export interface RawRecord
  extends Omit<FabricRecord, 'credential' | 'credentialGivenMs' | 'createdMs' | 'lastUpdatedMs'> {
  readonly sealed: Uint8Array | null;
  readonly ref: string;
  readonly given: Date | null;
  readonly created: Date;
  readonly lastUpdated: Date;
}

export function recordColumns(sql: Sql): Fragment {
  return sql`
    id::text as "fabricId", name, description, kubernetes_server as server, kubernetes_ca_cert as "caPem",
    tls_server_name as "tlsServerName", kubernetes_namespace as namespace, sync_enabled as "syncEnabled",
    scheduler_enabled as "schedulerEnabled", sync_interval as "intervalSeconds", kinds_added as "kindsAdded",
    kinds_removed as "kindsRemoved", guard_share::float8 as "guardShare", guard_count as "guardCount",
    credential_sealed as sealed, credential_ref as ref, credential_given_at as given, created, last_updated as "lastUpdated"`;
}

export function recordOf({ sealed, ref, given, created, lastUpdated, ...values }: RawRecord): FabricRecord {
  return {
    ...values,
    // A `real` is 0.2 only to seven digits.
    guardShare: Number(values.guardShare.toPrecision(6)),
    credential: storedCredential({ sealed, ref }),
    credentialGivenMs: sealed || ref !== '' ? (given?.getTime() ?? null) : null,
    createdMs: created.getTime(),
    lastUpdatedMs: lastUpdated.getTime(),
  };
}
