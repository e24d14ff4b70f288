// What an operator asks of the truth: the acts behind the CLI's verbs and behind the inspector.
// `src/postgres/operator` is the adapter. Acts that a daemon must hear of tell it by NOTIFY, in their own transaction.

import type { FailureNote } from '../../machines/fabric/failure.ts';
import type { Trigger } from '../../machines/fabric/ports.ts';
import type { Approval, FabricRow, KindReport } from './store.ts';

export type SyncStatus = 'never_synced' | 'syncing' | 'in_sync' | 'out_of_sync' | 'error';
export type ConnectionStatus = 'unknown' | 'connected' | 'disconnected' | 'error';
export type RunOutcome =
  | 'complete'
  | 'partial'
  | 'awaiting_approval'
  | 'failed'
  | 'cancelled'
  | 'interrupted'
  | 'fenced';

/** A run as its row tells it. Times are epoch milliseconds. */
export interface RunRow {
  readonly runId: string;
  readonly fabricId: string;
  readonly epoch: number;
  readonly trigger: Trigger;
  readonly daemon: string;
  /** The due time it served; null for a manual run. */
  readonly dueAtMs: number | null;
  readonly startedMs: number;
  readonly finishedMs: number | null;
  /** Null while it runs. */
  readonly outcome: RunOutcome | null;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
  readonly quarantined: number;
  readonly kinds: Readonly<Record<string, Partial<KindReport>>>;
  readonly requests: number;
  readonly bytesRead: number;
  readonly failure: FailureNote | null;
  /** Of the run's own trace; absent or null where it was not traced. */
  readonly traceparent?: string | null;
}

/** Both rows of a fabric as people read them, with its last finished run and the one in hand. */
export interface StatusRow extends FabricRow {
  readonly description: string;
  readonly server: string;
  readonly namespace: string;
  readonly lastUpdatedMs: number;
  /** As stored; what it means now is `src/inspector/view.ts`'s to say. */
  readonly syncStatus: SyncStatus;
  readonly syncError: string;
  readonly connectionStatus: ConnectionStatus;
  readonly connectionError: string;
  readonly objects: number;
  /** kind -> live objects */
  readonly counts: Readonly<Record<string, number>>;
  /** What `lastSyncMs` was before the run in hand. */
  readonly previousSyncMs: number | null;
  readonly pause: {
    readonly by: string;
    readonly reason: string;
    readonly sinceMs: number;
    readonly untilMs: number | null;
  } | null;
  readonly approval: Approval | null;
  readonly approvedBy: string | null;
  readonly approvedMs: number | null;
  readonly clusterUid: string | null;
  readonly lastRun: RunRow | null;
  readonly runInHand: RunRow | null;
  /** Objects that could not be stored. */
  readonly quarantined: number;
}

export interface StatusRead {
  /** The database's own time when the rows were read, epoch milliseconds: leases are compared with it. */
  readonly nowMs: number;
  readonly fabrics: readonly StatusRow[];
}

export interface QuarantineRow {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly reason: string;
  readonly sinceMs: number;
}

/** A fabric as it was named by a person. */
export interface FabricName {
  readonly fabricId: string;
  readonly name: string;
}

/** `unsynced`: its kind was removed from what is read; nothing is known of it in the fabric. */
export type ChangeKind = 'created' | 'updated' | 'deleted' | 'unsynced' | 'recreated' | 'restored';

export interface ObjectName {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** One changed object of a run. `before` is null where it was not there, `after` where it was not any more. */
export interface ChangeRow extends ObjectName {
  readonly change: ChangeKind;
  readonly before: ObjectBody | null;
  readonly after: ObjectBody | null;
}

/** The stored object, and the metadata that has columns of its own (absent where it is not known for that time). */
export interface ObjectBody {
  readonly object: Readonly<Record<string, unknown>>;
  readonly uid: string | null;
  readonly resourceVersion: string | null;
}

export interface ResourceRow extends ObjectName {
  readonly resourceId: string;
  readonly plural: string;
  /** RFC 3339, as served. */
  readonly creationTimestamp: string | null;
  readonly generation: number | null;
  readonly changedMs: number | null;
  readonly changedRun: string | null;
  /** Null where only the table was asked for. */
  readonly body: ObjectBody | null;
}

export interface ResourceQuery {
  readonly fabricId: string;
  /** Kind or plural, any case; null: every kind. */
  readonly kind: string | null;
  /** As it was when this run had committed; null: as it is. */
  readonly atRun: string | null;
  readonly bodies: boolean;
}

/** What the inventory was at a time is what the last run that had committed by then had left. */
export type AsOf =
  | { readonly kind: 'run'; readonly run: RunRow }
  /** Nothing had been committed by then, or its history is not kept any more. */
  | { readonly kind: 'unknown'; readonly oldestKeptMs: number | null };

export interface RequestRow {
  readonly requestId: string;
  readonly fabricId: string;
  readonly settled: boolean;
  readonly refusal: string | null;
  readonly run: RunRow | null;
  /** Somebody holds a live lease on the fabric: a run is in hand. */
  readonly leased: boolean;
}

export type Approved =
  | { readonly kind: 'approved'; readonly requestId: string | null }
  /** Nothing waits any more, or something else does than what was shown. */
  | { readonly kind: 'changed' };

export interface Unlocked {
  /** Who held a live lease; null where it was free. */
  readonly holder: string | null;
  /** The run that was fenced off; null where none was open. */
  readonly runId: string | null;
  readonly epoch: number;
}

export interface Operator {
  /** Every fabric, or one. In order of id. */
  status(fabricId?: string): Promise<StatusRead>;
  /** By number or by name. */
  find(nameOrNumber: string): Promise<FabricName | null>;
  quarantine(fabricId: string): Promise<readonly QuarantineRow[]>;
  /** The newest first. */
  runs(fabricId: string, limit: number): Promise<readonly RunRow[]>;
  run(runId: string): Promise<RunRow | null>;
  changes(runId: string): Promise<readonly ChangeRow[]>;
  asOf(fabricId: string, atMs: number): Promise<AsOf>;
  resources(query: ResourceQuery): Promise<readonly ResourceRow[]>;
  /** Names of resources by id, for people: what an approval covers. */
  resourceNames(ids: readonly string[], limit: number): Promise<readonly ObjectName[]>;

  /**
   * "Sync now", one row a fabric; every daemon hears of it. Fabrics that are gone are left out.
   * @param act what is recorded: a retry is what a person asks of a fabric in trouble
   */
  request(
    fabricIds: readonly string[],
    by: string,
    traceparent: string | null,
    act?: 'trigger' | 'retry',
  ): Promise<readonly { fabricId: string; requestId: string }[]>;
  requests(requestIds: readonly string[]): Promise<readonly RequestRow[]>;
  pause(fabricId: string, pause: { by: string; reason: string; untilMs: number | null }): Promise<void>;
  /** @returns false where it was not paused */
  resume(fabricId: string, by: string): Promise<boolean>;
  /** Approves what waits since the run that was shown, and asks for a sync where `ask`. */
  approve(
    fabricId: string,
    approval: { runId: string; by: string; ask: boolean; traceparent: string | null },
  ): Promise<Approved>;
  /**
   * Bumps the epoch, closes the run as fenced, frees the lease, puts back what the row said before the run.
   * @returns null where there is no such fabric
   */
  unlock(fabricId: string, by: string): Promise<Unlocked | null>;
  /** Tells whoever runs the fabric to stop. */
  cancel(fabricId: string, by: string): Promise<void>;
  /** Tells every daemon to read this fabric (or everything) again. */
  announce(fabricId: string | null): Promise<void>;
}
