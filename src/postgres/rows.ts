// What a fabric's two rows say, in the words of the store's port. One list of columns for every act, so that no two acts
// can tell a row differently.
//
//   Times leave as whole epoch milliseconds. What Postgres stamps itself is cut to the millisecond below, so that two
//   readings of one stamp are equal.

import type { Fragment, Sql } from 'postgres';
import { type FailureNote, hintByCode, verdictByCode } from '../../machines/fabric/failure.ts';
import type { Approval, FabricRow, FabricSettings, StoredCredential } from '../ports/store.ts';

export interface FabricColumns {
  readonly fabricId: string;
  readonly name: string;
  readonly configured: boolean;
  readonly syncEnabled: boolean;
  readonly schedulerEnabled: boolean;
  readonly intervalMs: number;
  readonly isPaused: boolean;
  readonly pausedUntilMs: number | null;
  readonly lastSyncMs: number | null;
  readonly createdMs: number;
  readonly state: FabricRow['state'];
  readonly dueAtMs: number | null;
  readonly dueKind: FabricRow['dueKind'];
  readonly tickMs: number | null;
  readonly tickIntervalMs: number | null;
  readonly attempts: number;
  readonly failure: unknown;
  readonly epoch: number;
  readonly leaseHolder: string | null;
  readonly leaseUntilMs: number | null;
  readonly requestsOpen: number;
  readonly traceparent: string | null;
  readonly waitsFor: FabricRow['waitsFor'];
}

/** A timestamp as whole milliseconds, or null. */
export function ms(sql: Sql, timestamp: Fragment): Fragment {
  return sql`floor(extract(epoch from ${timestamp}) * 1000)::float8`;
}

/** There is something to reach and a way in. Of a kubeconfig only the credential is read at a run, so it names no server. */
export function isConfigured(sql: Sql): Fragment {
  return sql`(f.kubernetes_server <> '' and (f.credential_sealed is not null or f.credential_ref <> ''))`;
}

/** Requests that nobody has answered, as a statement sees them. */
export function requestsOpen(sql: Sql): Fragment {
  return sql`(select count(*)::int from fabric_request q where q.fabric_id = f.id and q.settled_at is null)`;
}

/**
 * To select from `fabric f` joined with `fabric_cycle c`, under these very names.
 * @param open what `requestsOpen` is: an act that answers requests knows better than its own snapshot
 */
export function fabricColumns(sql: Sql, open: Fragment = requestsOpen(sql)): Fragment {
  return sql`
    f.id::text as "fabricId", f.name, ${isConfigured(sql)} as configured,
    f.sync_enabled as "syncEnabled", f.scheduler_enabled as "schedulerEnabled",
    f.sync_interval::float8 * 1000 as "intervalMs",
    c.paused_at is not null as "isPaused", ${ms(sql, sql`c.paused_until`)} as "pausedUntilMs",
    ${ms(sql, sql`f.last_sync`)} as "lastSyncMs", ${ms(sql, sql`f.created`)} as "createdMs",
    c.state, ${ms(sql, sql`c.due_at`)} as "dueAtMs", c.due_kind as "dueKind",
    ${ms(sql, sql`c.tick_at`)} as "tickMs", c.tick_interval::float8 * 1000 as "tickIntervalMs",
    c.attempts, c.failure, c.epoch::float8 as epoch, c.lease_holder as "leaseHolder",
    ${ms(sql, sql`c.lease_until`)} as "leaseUntilMs", ${open} as "requestsOpen", c.traceparent,
    case when c.approved_at is null then c.approval ->> 'kind' end as "waitsFor"`;
}

export function fabricRow(columns: FabricColumns): FabricRow {
  return {
    fabricId: columns.fabricId,
    name: columns.name,
    configured: columns.configured,
    syncEnabled: columns.syncEnabled,
    schedulerEnabled: columns.schedulerEnabled,
    intervalMs: columns.intervalMs,
    paused: columns.isPaused ? { untilMs: columns.pausedUntilMs } : null,
    lastSyncMs: columns.lastSyncMs,
    createdMs: columns.createdMs,
    state: columns.state,
    dueAtMs: columns.dueAtMs,
    dueKind: columns.dueKind,
    tickMs: columns.tickMs,
    tickIntervalMs: columns.tickIntervalMs,
    attempts: columns.attempts,
    failure: failureNote(columns.failure),
    epoch: columns.epoch,
    leaseHolder: columns.leaseHolder,
    leaseUntilMs: columns.leaseUntilMs,
    requestsOpen: columns.requestsOpen,
    traceparent: columns.traceparent,
    waitsFor: columns.waitsFor,
  };
}

/** A stored failure, whoever wrote it: a code that this program does not know is a defect as far as it can tell. */
function failureNote(stored: unknown): FailureNote | null {
  if (stored === null || typeof stored !== 'object') return null;
  const { code, message, hint, retryAfterMs, facts } = stored as { [K in keyof FailureNote]?: unknown };
  const known = typeof code === 'string' && Object.hasOwn(verdictByCode, code);
  const ours = known ? (code as FailureNote['code']) : 'INTERNAL';
  return {
    code: ours,
    message: typeof message === 'string' ? message : String(code),
    hint: typeof hint === 'string' ? hint : hintByCode[ours],
    ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
    ...(typeof facts === 'object' && facts !== null && { facts: facts as NonNullable<FailureNote['facts']> }),
  };
}

export interface SettingsColumns {
  readonly server: string;
  readonly caPem: string;
  readonly tlsServerName: string;
  readonly namespace: string;
  readonly sealed: Uint8Array | null;
  readonly ref: string;
  readonly kindsAdded: readonly string[];
  readonly kindsRemoved: readonly string[];
  readonly guardShare: number;
  readonly guardCount: number;
  readonly clusterUid: string | null;
  readonly approval: unknown;
  readonly approved: boolean;
}

/** To select beside `fabricColumns`. */
export function settingsColumns(sql: Sql): Fragment {
  return sql`
    f.kubernetes_server as server, f.kubernetes_ca_cert as "caPem", f.tls_server_name as "tlsServerName",
    f.kubernetes_namespace as namespace, f.credential_sealed as sealed, f.credential_ref as ref,
    f.kinds_added as "kindsAdded", f.kinds_removed as "kindsRemoved",
    f.guard_share as "guardShare", f.guard_count as "guardCount",
    c.cluster_uid as "clusterUid", c.approval, c.approval is not null and c.approved_at is not null as approved`;
}

export function fabricSettings(columns: FabricColumns & SettingsColumns): FabricSettings {
  return {
    fabricId: columns.fabricId,
    name: columns.name,
    server: columns.server,
    caPem: columns.caPem,
    tlsServerName: columns.tlsServerName,
    namespace: columns.namespace,
    credential: storedCredential(columns),
    kindsAdded: columns.kindsAdded,
    kindsRemoved: columns.kindsRemoved,
    guardShare: columns.guardShare,
    guardCount: columns.guardCount,
    clusterUid: columns.clusterUid,
    approval: approvalOf(columns.approval),
    approved: columns.approved,
  };
}

export function storedCredential({ sealed, ref }: Pick<SettingsColumns, 'sealed' | 'ref'>): StoredCredential {
  // A copy: the driver's is a slice of Node's 64 KiB pool, and would keep all of that for as long as it is kept itself.
  if (sealed !== null) return { kind: 'sealed', sealed: Uint8Array.from(sealed) };
  return ref === '' ? { kind: 'none' } : { kind: 'ref', ref };
}

/** As `fabric_cycle.approval` holds it; `run` and `since` are what people read there. */
export function approvalJson(approval: Approval | null): object | null {
  if (approval === null) return null;
  const { runId, sinceMs, ...rest } = approval;
  return { ...rest, run: runId, since: sinceMs };
}

/** `approvalJson`, read back. @returns null where nothing waits */
export function approvalOf(stored: unknown): Approval | null {
  if (stored === null || typeof stored !== 'object') return null;
  const { run, since, ...rest } = stored as { run: string; since: number };
  return { ...rest, runId: String(run), sinceMs: Number(since) } as unknown as Approval;
}
