// The truth: what Postgres keeps, as the daemon asks for it. One act a method, one file an act in `src/postgres`.
//
//   S1. An act is atomic: it happened whole or not at all. One that throws `DATABASE_UNAVAILABLE` may have happened;
//       the epoch makes repeating it safe.
//   S2. `commit` and `settle` under an epoch that is not the newest, or is another daemon's, change nothing and say `stale`.
//   S3. Times that the database compares (leases) are the database's own; due times are the caller's.

import type { BackoffPolicy } from '../../machines/fabric/backoff.ts';
import type { FailureNote } from '../../machines/fabric/failure.ts';
import type { Plan, PlanRow } from '../../machines/fabric/plan.ts';
import type { Claim, RunEnding, Trigger } from '../../machines/fabric/ports.ts';

/** What the fleet knows of one fabric. */
export interface FabricRow extends PlanRow {
  readonly name: string;
  readonly epoch: number;
  readonly leaseHolder: string | null;
  /** Open "sync now" requests. */
  readonly requestsOpen: number;
  /** W3C trace context of the last run that was claimed; null where it was not traced. */
  readonly traceparent: string | null;
  /** What a person has not approved yet; null where nothing waits. */
  readonly waitsFor: Approval['kind'] | null;
}

/** How to reach a fabric and what to read of it, as one run needs it. `credential` is still closed. */
export interface FabricSettings {
  readonly fabricId: string;
  readonly name: string;
  readonly server: string;
  readonly caPem: string;
  readonly tlsServerName: string;
  readonly namespace: string;
  readonly credential: StoredCredential;
  readonly kindsAdded: readonly string[];
  readonly kindsRemoved: readonly string[];
  readonly guardShare: number;
  readonly guardCount: number;
  /** Pinned at the first sync; null before. */
  readonly clusterUid: string | null;
  readonly approval: Approval | null;
  /** A person approved `approval` after it was written. */
  readonly approved: boolean;
}

export type StoredCredential =
  | { readonly kind: 'none' }
  | { readonly kind: 'sealed'; readonly sealed: Uint8Array }
  /** `file:PATH`, `credential:NAME` or `kubeconfig:PATH[#CONTEXT]`. */
  | { readonly kind: 'ref'; readonly ref: string };

/** What waits for a person's word before it is done. */
export type Approval =
  | {
      readonly kind: 'deletions';
      readonly runId: string;
      readonly sinceMs: number;
      /** kind -> how many would be deleted */
      readonly deletions: Readonly<Record<string, number>>;
      readonly of: number;
      /** Resource ids: an approval covers these and no others. */
      readonly resources: readonly string[];
    }
  | {
      readonly kind: 'cluster';
      readonly runId: string;
      readonly sinceMs: number;
      readonly pinned: string;
      readonly found: string;
    };

/** What is already stored of one live object. */
export interface KnownObject {
  readonly id: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** SHA-256, base64. */
  readonly hash: string;
  /** Of the API that it was last read by. */
  readonly version: string;
}

/** `<group>/<kind>/<namespace>/<name>`; none of the four can contain a slash. */
export type ObjectKey = string;

/** An object to write: new, or with another content or uid than the stored one. */
export interface StagedObject {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number | null;
  /** RFC 3339, as served. */
  readonly creationTimestamp: string | null;
  /** The cleaned object as JSON text: what the hash is of. */
  readonly json: string;
  /** SHA-256 of `json`, base64. */
  readonly hash: string;
}

/** Same content under other versions (an upgrade rewrote it, or serves a newer one): they move, no change is recorded. */
export interface TouchedObject {
  readonly id: string;
  /** Of the API that it was read by. */
  readonly version: string;
  readonly resourceVersion: string;
  readonly generation: number | null;
}

export interface QuarantinedObject {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly reason: string;
}

/** What one kind's list came to. */
export interface KindReport {
  /** `unwanted`: not asked for; it was removed from the kinds that are read, and rows of it were still live. */
  readonly answer: 'complete' | 'forbidden' | 'not_served' | 'unwanted';
  readonly listed: number;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly touched: number;
  readonly quarantined: number;
  /** Of an unwanted kind alone: how many left the inventory. No deletions: nothing is known of them in the fabric. */
  readonly unsynced?: number;
}

export interface RunFigures {
  /** kind -> report */
  readonly kinds: Readonly<Record<string, KindReport>>;
  readonly requests: number;
  readonly bytesRead: number;
}

export interface ClaimRequest {
  readonly fabricId: string;
  readonly daemon: string;
  readonly leaseTtlMs: number;
  readonly trigger: Trigger;
  /** The due time being served: the claim is refused (`superseded`) where the row's is later or gone. Null: manual. */
  readonly servedDueMs: number | null;
  readonly traceparent: string | null;
}

export type Claimed =
  | { readonly kind: 'claimed'; readonly claim: Claim; readonly row: FabricRow; readonly settings: FabricSettings }
  | { readonly kind: 'contended'; readonly holder: string; readonly leaseUntilMs: number }
  | { readonly kind: 'superseded'; readonly row: FabricRow }
  | { readonly kind: 'gone' };

export interface NextDue {
  readonly tickMs: number;
  readonly dueAtMs: number;
  readonly intervalMs: number;
}

export interface CommitRequest {
  readonly fabricId: string;
  readonly claim: Claim;
  readonly outcome: RunEnding['outcome'];
  readonly figures: RunFigures;
  /** Created or changed. Consumed once, in order; may be generated lazily. */
  readonly staged: Iterable<StagedObject>;
  readonly stagedCount: number;
  readonly touched: readonly TouchedObject[];
  /** Resource ids that are absent from a complete list (and allowed to go). */
  readonly deletions: readonly string[];
  /** Resource ids of kinds that are not read any more: they become tombstones, and their change is `unsynced`. */
  readonly unsynced: readonly string[];
  /** `<group>/<kind>` that this run is about: the quarantine keeps no others. */
  readonly kindsWanted: readonly string[];
  /** `<group>/<kind>` whose lists were complete: their old quarantine entries are replaced. */
  readonly kindsComplete: readonly string[];
  readonly quarantined: readonly QuarantinedObject[];
  /** To pin, or null to leave as it is. */
  readonly clusterUid: string | null;
  readonly approval: Approval | null;
  /** The next periodic tick; null where the fabric has none. */
  readonly next: NextDue | null;
  /** One line for `sync_error` (why it is only partial, what waits for approval); empty for a complete run. */
  readonly remark: string;
}

export type Committed =
  /** `changes`: recorded in `fabric_change`. `touched` are not among them. */
  { readonly kind: 'committed'; readonly row: FabricRow; readonly changes: number } | { readonly kind: 'stale' };

export interface SettleRequest {
  readonly fabricId: string;
  readonly claim: Claim;
  readonly rest: 'scheduled' | 'backoff' | 'errored';
  readonly outcome: 'failed' | 'cancelled';
  readonly attempts: number;
  readonly failure: FailureNote;
  /** What it says about the connection; null leaves it. */
  readonly connection: 'disconnected' | 'error' | null;
  readonly due: { readonly kind: 'sync' | 'retry' | 'probe'; readonly dueAtMs: number } | null;
  /** A failed first reading of another cluster waits for a person. */
  readonly approval: Approval | null;
  readonly figures: RunFigures | null;
  /** Does not wait for whoever holds the rows; says `locked` instead, with nothing written. */
  readonly noWait?: true;
}

export type Settled =
  /** The row as it is now. Also where this daemon had ended that run already (settled or committed): its answer was lost. */
  | { readonly kind: 'settled'; readonly row: FabricRow }
  /** Somebody else ended that run: nothing is written. */
  | { readonly kind: 'stale' }
  /** The fabric was removed. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'locked' };

/** Something that another process did, or a person did in SQL. */
export type Notice =
  /** Another daemon committed, somebody paused or resumed: read the row again. `by`: who, where they said so. */
  | { readonly what: 'changed'; readonly fabricId: string; readonly by?: string }
  /** A fabric came or went, or its settings changed: whoever wrote the row has armed nothing. */
  | { readonly what: 'settings'; readonly fabricId: string }
  | { readonly what: 'request'; readonly fabricId: string }
  | { readonly what: 'cancel'; readonly fabricId: string; readonly by: string }
  | { readonly what: 'unlock'; readonly fabricId: string; readonly by: string }
  /** The connection was lost and is back: anything may have happened. */
  | { readonly what: 'everything' };

/** The open requests of one fabric. */
export interface OpenRequests {
  readonly fabricId: string;
  /** Who asked first. */
  readonly by: string;
  /** W3C trace contexts of those who asked, as far as they have one: the first `linksMax` of them. */
  readonly traceparents: readonly string[];
}

/** A run that answers a crowd is not to carry it all. */
export const linksMax = 8;

export interface RememberedPlan {
  readonly plan: Plan;
  /** What it was read off: a row that has moved since then says something newer. */
  readonly row: Pick<FabricRow, 'fabricId' | 'epoch' | 'intervalMs' | 'state' | 'dueAtMs'>;
}

/** How far the history has been looked through for what is too old. */
export interface PruneMark {
  readonly step: 'runs' | 'tombstones' | 'requests' | 'acts';
  /** The last fabric whose runs were looked at. */
  readonly fabricId: string;
}

export interface Pruned {
  /** Deleted. */
  readonly rows: number;
  /** Where to go on; null where everything was looked through. */
  readonly next: PruneMark | null;
}

export interface Store {
  /** Every fabric, in order of id. */
  fabrics(): Promise<readonly FabricRow[]>;
  fabric(fabricId: string): Promise<FabricRow | null>;

  /** One statement: where the lease is free, expired or this daemon's own, takes it, bumps the epoch, opens the run. */
  claim(request: ClaimRequest): Promise<Claimed>;
  /** @returns false where the epoch is not the newest any more */
  renew(request: { fabricId: string; claim: Claim; leaseTtlMs: number }): Promise<boolean>;
  /** The live objects of a fabric, without their content. */
  known(fabricId: string, signal: AbortSignal): Promise<Map<ObjectKey, KnownObject>>;
  /**
   * @param onFenced called at most once, as soon as nobody else can get the fabric until this has ended, neither by a claim
   *   nor as one whose lease ran out. A renewal would wait as they do. Not called by one that has nothing to merge: it is a
   *   single statement
   */
  commit(request: CommitRequest, signal: AbortSignal, onFenced?: () => void): Promise<Committed>;
  settle(request: SettleRequest): Promise<Settled>;

  /**
   * Writes what `plan` decided into the rows (state, due time, failure), except where somebody holds a lease, the row is
   * not any more what was planned, or somebody keeps it locked.
   * @returns the ids that were written
   */
  remember(plans: readonly RememberedPlan[]): Promise<readonly string[]>;
  /**
   * Turns expired leases into `INTERRUPTED`: a failed attempt like any other. Bumps their epoch, closes their runs.
   * @param roll chance, in [0, 1): where the jitter begins; each fabric gets its own
   * @returns their fabrics
   */
  interruptExpired(
    backoff: BackoffPolicy,
    roll: number,
  ): Promise<readonly { fabricId: string; name: string; holder: string }[]>;
  /** Fabrics whose due time passed before `dueBeforeMs` and whose lease is free: somebody's timer was lost. */
  overdue(dueBeforeMs: number, atMost: number): Promise<readonly FabricRow[]>;
  /** Ends pauses whose time has come, but for rows that somebody keeps locked. @returns their fabrics */
  endPauses(): Promise<readonly string[]>;
  /** Fabrics with an open "sync now" request: all of them, or one. */
  openRequests(fabricId?: string): Promise<readonly OpenRequests[]>;
  /** Settles a fabric's open requests without a run. @returns how many */
  refuseRequests(fabricId: string, refusal: string): Promise<number>;
  /**
   * Deletes a piece of the runs, changes and tombstones older than this. The last run that had committed by then stays:
   * what it left is what the fabric was until the next one.
   * @param from where the last piece said to go on; null: at the beginning
   */
  prune(keepMs: number, from: PruneMark | null, signal: AbortSignal): Promise<Pruned>;

  /** Until the returned function is called. Reconnects by itself and then says `everything`. */
  listen(hear: (notice: Notice) => void): Promise<() => Promise<void>>;
  /** Throws `DATABASE_UNAVAILABLE` when it does not answer within the deadline. */
  ping(): Promise<void>;
}
