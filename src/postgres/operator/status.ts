import type { Sql } from 'postgres';
import type { StatusRead, StatusRow } from '../../ports/operator.ts';
import { approvalOf, type FabricColumns, fabricColumns, fabricRow, ms } from '../rows.ts';
import { type RunJson, runOf } from './run-row.ts';

interface StatusColumns extends FabricColumns {
  readonly nowMs: number;
  readonly description: string;
  readonly server: string;
  readonly namespace: string;
  readonly lastUpdatedMs: number;
  readonly syncStatus: StatusRow['syncStatus'];
  readonly syncError: string;
  readonly connectionStatus: StatusRow['connectionStatus'];
  readonly connectionError: string;
  readonly objects: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly previousSyncMs: number | null;
  readonly pausedBy: string | null;
  readonly pauseReason: string | null;
  readonly pausedMs: number | null;
  readonly approvalJson: unknown;
  readonly approvedBy: string | null;
  readonly approvedMs: number | null;
  readonly clusterUid: string | null;
  readonly lastRun: RunJson | null;
  readonly runInHand: RunJson | null;
  readonly quarantined: number;
}

/** Both rows of every fabric (or of some), its last finished run and the one in hand: one statement, one moment. */
export async function status(sql: Sql, fabricIds: readonly string[] | null): Promise<StatusRead> {
  const rows = await sql<StatusColumns[]>`
    select ${ms(sql, sql`now()`)} as "nowMs", ${fabricColumns(sql)}, f.description, f.kubernetes_server as server,
           f.kubernetes_namespace as namespace, ${ms(sql, sql`f.last_updated`)} as "lastUpdatedMs",
           f.sync_status as "syncStatus", f.sync_error as "syncError", f.connection_status as "connectionStatus",
           f.connection_error as "connectionError", f.cached_crd_count as objects, f.counts,
           ${ms(sql, sql`c.previous_sync`)} as "previousSyncMs", c.paused_by as "pausedBy",
           c.pause_reason as "pauseReason", ${ms(sql, sql`c.paused_at`)} as "pausedMs", c.approval as "approvalJson",
           c.approved_by as "approvedBy", ${ms(sql, sql`c.approved_at`)} as "approvedMs", c.cluster_uid as "clusterUid",
           (select to_jsonb(r) from fabric_run r
             where r.fabric_id = f.id and r.outcome is not null order by r.id desc limit 1) as "lastRun",
           (select to_jsonb(r) from fabric_run r where r.id = c.run_id and r.outcome is null) as "runInHand",
           (select count(*)::int from fabric_quarantine q where q.fabric_id = f.id) as quarantined
      -- One row even where there is no fabric: the time is asked for as well.
      from (select) always
      left join (fabric f join fabric_cycle c on c.fabric_id = f.id)
        on ${fabricIds === null} or f.id = any(${(fabricIds ?? []) as string[]}::bigint[])
     order by f.id`;
  return { nowMs: rows[0]?.nowMs ?? 0, fabrics: rows.filter((row) => row.fabricId !== null).map(statusRow) };
}

function statusRow(columns: StatusColumns): StatusRow {
  return {
    ...fabricRow(columns),
    description: columns.description,
    server: columns.server,
    namespace: columns.namespace,
    lastUpdatedMs: columns.lastUpdatedMs,
    syncStatus: columns.syncStatus,
    syncError: columns.syncError,
    connectionStatus: columns.connectionStatus,
    connectionError: columns.connectionError,
    objects: columns.objects,
    counts: columns.counts,
    previousSyncMs: columns.previousSyncMs,
    pause:
      columns.pausedMs === null
        ? null
        : {
            by: columns.pausedBy ?? '',
            reason: columns.pauseReason ?? '',
            sinceMs: columns.pausedMs,
            untilMs: columns.pausedUntilMs,
          },
    approval: approvalOf(columns.approvalJson),
    approvedBy: columns.approvedBy,
    approvedMs: columns.approvedMs,
    clusterUid: columns.clusterUid,
    lastRun: columns.lastRun && runOf(columns.lastRun),
    runInHand: columns.runInHand && runOf(columns.runInHand),
    quarantined: columns.quarantined,
  };
}
