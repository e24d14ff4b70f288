// The read model: what is so, for the terminal, for `--json` and for a page. One truth, so that no two of them differ.
//
//   V1. Pure: rows, timers and the daemon's word in, a document out. The document is plain JSON with stable names.
//   V2. `syncing` is said only while a lease is alive; `in_sync` never of an inventory older than twice the interval.
//   V3. A part that could not be asked is named as such, and everything else is still said.

import type { FailureNote } from '../../machines/fabric/failure.ts';
import { type FabricState, type IdleReason, idleReason, type Plan, plan } from '../../machines/fabric/plan.ts';
import { formatIso } from '../clock.ts';
import type { RunRow, StatusRead, StatusRow, SyncStatus } from '../ports/operator.ts';
import type { Approval } from '../ports/store.ts';
import type { StoredTimer } from '../ports/timers.ts';
import { hintFor, whatToDo } from './hints.ts';
import { type TimerState, type TimersRead, timerDisagrees, timerState } from './timer-view.ts';

/** What the daemon's socket says, where it answers. */
export interface DaemonWord {
  readonly daemon: string;
  readonly version: string;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly ok: boolean;
  /** Why it is not ok, in words; empty where it is. */
  readonly why: string;
  readonly redis: string;
  readonly postgres: string;
  readonly fabrics: readonly {
    readonly id: string;
    readonly name: string;
    readonly state: FabricState;
    readonly attempts: number;
  }[];
}

export interface ViewInput {
  /** Where Postgres does not answer, its problem in one line. */
  readonly rows: StatusRead | { readonly problem: string };
  readonly timers: TimersRead;
  /** Null: no socket answers. */
  readonly daemon: DaemonWord | null;
  /** This host's time, used where Postgres gives none. */
  readonly nowMs: number;
  /** The rows are not those of all fabrics, so a timer without one is no orphan. */
  readonly partial?: boolean;
  /**
   * Fabrics whose timer disagreed with its row in an earlier look. Only these are told to disagree: rows and timers are
   * read a moment apart, and a run that ends in between moves both. Absent: every disagreement is told.
   */
  readonly suspects?: ReadonlySet<string>;
}

export interface StatusView {
  readonly at: string;
  readonly daemon: {
    readonly answers: boolean;
    readonly ok: boolean;
    readonly why: string;
    readonly name: string | null;
    readonly version: string | null;
    readonly pid: number | null;
    readonly uptime_ms: number | null;
  };
  readonly postgres: { readonly answers: boolean; readonly problem: string };
  readonly redis: { readonly state: TimersRead['state']; readonly problem: string; readonly timers: number | null };
  readonly fabrics: readonly FabricView[];
  /** Timers in Redis of fabrics that are not there. */
  readonly orphan_timers: readonly string[];
  /** Fabrics and orphans where Redis and Postgres disagree. */
  readonly disagreements: number;
}

export interface FabricView {
  readonly id: string;
  readonly name: string;
  readonly state: FabricState;
  /** Why it is idle; null where it is not. */
  readonly reason: IdleReason | null;
  /** Null where only the daemon could be asked. */
  readonly sync_status: SyncStatus | null;
  /** The true cause in one line; empty where nothing is wrong. */
  readonly sync_error: string;
  readonly error_code: string | null;
  /** One line: what a person can do; empty where there is nothing to do. */
  readonly hint: string;
  readonly due_at: string | null;
  readonly due_kind: 'sync' | 'retry' | 'probe' | null;
  /** Negative where it is overdue; null while it runs. */
  readonly due_in_ms: number | null;
  readonly last_sync: string | null;
  /** How old the inventory is: since the last run that committed, also while one is in hand. */
  readonly age_ms: number | null;
  readonly interval_s: number | null;
  readonly objects: number | null;
  readonly attempts: number;
  readonly requests_open: number;
  readonly connection_status: string | null;
  readonly last_run: RunView | null;
  readonly run: RunView | null;
  readonly pause: {
    readonly by: string;
    readonly reason: string;
    readonly since: string;
    readonly until: string | null;
  } | null;
  readonly approval: ApprovalView | null;
  readonly timer: {
    readonly state: TimerState;
    readonly due_at: string | null;
    readonly kind: string | null;
    readonly shows_at: string | null;
  };
}

export interface RunView {
  readonly id: string;
  readonly outcome: string | null;
  readonly trigger: string;
  readonly daemon: string;
  readonly epoch: number;
  readonly due_at: string | null;
  readonly started_at: string;
  readonly finished_at: string | null;
  /** From due to started, 0 where the clocks of two hosts say that it was earlier; null for a manual run. */
  readonly lateness_ms: number | null;
  readonly duration_ms: number | null;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  /** Left the inventory because their kinds are not read any more: no deletions. */
  readonly unsynced: number;
  readonly unchanged: number;
  readonly quarantined: number;
  readonly requests: number;
  readonly bytes_read: number;
  readonly error: string;
  readonly error_code: string | null;
  readonly hint: string;
}

export type ApprovalView =
  | {
      readonly kind: 'deletions';
      readonly run: string;
      readonly since: string;
      readonly deletions: Readonly<Record<string, number>>;
      readonly total: number;
      readonly of: number;
      readonly approved_by: string | null;
    }
  | {
      readonly kind: 'cluster';
      readonly run: string;
      readonly since: string;
      readonly pinned: string;
      readonly found: string;
      readonly approved_by: string | null;
    };

export function statusView({ rows, timers, daemon, nowMs, suspects, partial = false }: ViewInput): StatusView {
  const answered = 'fabrics' in rows;
  const sure = (fabricId: string) => suspects === undefined || suspects.has(fabricId);
  const stored = timers.state === 'answers' ? timers.timers : [];
  const timerOf = new Map(stored.map((timer) => [timer.fabricId, timer]));
  const wordOf = new Map(daemon?.fabrics.map((one) => [one.id, one]));
  const fabrics = answered
    ? rows.fabrics.map((row) =>
        fabricView(row, rows.nowMs, wordOf.get(row.fabricId), (planned, running) => {
          const timer = timerOf.get(row.fabricId);
          const state = timerState(planned, running, timer, timers.state);
          return timerView(timerDisagrees[state] && !sure(row.fabricId) ? 'moving' : state, timer);
        }),
      )
    : (daemon?.fabrics ?? []).map(fromWord);
  const known = new Set(fabrics.map((fabric) => fabric.id));
  const orphans = answered && !partial ? stored.filter(({ fabricId }) => !known.has(fabricId) && sure(fabricId)) : [];
  return {
    at: formatIso(answered ? rows.nowMs : nowMs),
    daemon: {
      answers: daemon !== null,
      ok: daemon?.ok ?? false,
      why: daemon?.why ?? '',
      name: daemon?.daemon ?? null,
      version: daemon?.version ?? null,
      pid: daemon?.pid ?? null,
      uptime_ms: daemon?.uptimeMs ?? null,
    },
    postgres: { answers: answered, problem: answered ? '' : rows.problem },
    redis: {
      state: timers.state,
      problem: timers.state === 'unavailable' ? timers.problem : '',
      timers: timers.state === 'answers' ? stored.length : null,
    },
    fabrics,
    orphan_timers: orphans.map((timer) => timer.fabricId),
    disagreements: orphans.length + fabrics.filter((fabric) => timerDisagrees[fabric.timer.state]).length,
  };
}

function fabricView(
  row: StatusRow,
  nowMs: number,
  word: DaemonWord['fabrics'][number] | undefined,
  timer: (planned: Plan, running: boolean) => FabricView['timer'],
): FabricView {
  const running = isRunning(row, nowMs);
  const planned = plan(row, nowMs);
  const state = running ? 'syncing' : word?.state === 'locked' ? 'locked' : planned.state;
  const reason = running ? null : idleReason(row, nowMs);
  const failure = failureInForce(row, planned, running);
  const freshMs = running ? row.previousSyncMs : row.lastSyncMs;
  const status = syncStatus(row, planned, running, nowMs);
  const stale = status === 'out_of_sync' && row.syncStatus === 'in_sync';
  return {
    id: row.fabricId,
    name: row.name,
    state,
    reason,
    sync_status: status,
    sync_error: syncError(row, { planned, running, stale, failure }),
    error_code: failure?.code ?? (isInterrupted(planned) ? 'INTERRUPTED' : null),
    hint: whatToDo({ row, reason, failure, stale, approval: row.approval, approvedBy: row.approvedBy }),
    due_at: planned.state === 'idle' ? null : isoOrNull(row.dueAtMs),
    due_kind: planned.state === 'idle' ? null : row.dueKind,
    due_in_ms: planned.state === 'idle' || running || row.dueAtMs === null ? null : row.dueAtMs - nowMs,
    last_sync: isoOrNull(row.lastSyncMs),
    age_ms: freshMs === null ? null : Math.max(0, nowMs - freshMs),
    interval_s: Math.round(row.intervalMs / 1000),
    objects: row.objects,
    attempts: row.attempts,
    requests_open: row.requestsOpen,
    connection_status: row.connectionStatus,
    last_run: row.lastRun && runView(row.lastRun, row.name),
    run: running && row.runInHand ? runView(row.runInHand, row.name, nowMs) : null,
    pause: pauseView(row.pause, nowMs),
    approval: row.approval && approvalView(row.approval, row.approvedBy),
    timer: timer(planned, running),
  };
}

function timerView(state: TimerState, timer: StoredTimer | undefined): FabricView['timer'] {
  return {
    state,
    due_at: isoOrNull(timer?.dueAtMs ?? null),
    kind: timer?.kind ?? null,
    shows_at: isoOrNull(timer?.showsAtMs ?? null),
  };
}

/** Fabrics, and ids of orphan timers, where Redis and Postgres disagree. */
export function disagreeing(view: StatusView): ReadonlySet<string> {
  const fabrics = view.fabrics.filter((fabric) => timerDisagrees[fabric.timer.state]).map((fabric) => fabric.id);
  return new Set([...fabrics, ...view.orphan_timers]);
}

/** V2: a lease is alive. `syncing` in the row alone says only that somebody once began. */
export function isRunning(row: Pick<StatusRow, 'leaseUntilMs'>, nowMs: number): boolean {
  return row.leaseUntilMs !== null && row.leaseUntilMs > nowMs;
}

function syncStatus(row: StatusRow, planned: Plan, running: boolean, nowMs: number): SyncStatus {
  if (running) return 'syncing';
  if (planned.state === 'backoff' || planned.state === 'errored') return 'error';
  // A run that died, of a fabric that may not sync any more: nobody will turn it into INTERRUPTED and run it again.
  if (row.syncStatus === 'syncing') return row.previousSyncMs === null ? 'never_synced' : 'out_of_sync';
  const periodic = row.schedulerEnabled && row.intervalMs > 0;
  const stale = periodic && row.lastSyncMs !== null && nowMs - row.lastSyncMs > 2 * row.intervalMs;
  return stale && row.syncStatus === 'in_sync' ? 'out_of_sync' : row.syncStatus;
}

/** What is wrong until a run succeeds: also while it is tried again, which may take long where a server is silent. */
function failureInForce(row: StatusRow, planned: Plan, running: boolean): FailureNote | null {
  const inTrouble = running ? row.attempts > 0 : planned.state === 'backoff' || planned.state === 'errored';
  return inTrouble ? row.failure : null;
}

function syncError(
  row: StatusRow,
  {
    planned,
    running,
    stale,
    failure,
  }: { planned: Plan; running: boolean; stale: boolean; failure: FailureNote | null },
): string {
  if (!running && isInterrupted(planned)) return 'the daemon that ran it ended in the middle';
  // The row's own line carries the hint as well, for those who read the table alone.
  if (failure) return failure.message;
  if (running) return '';
  if (row.syncError !== '') return row.syncError;
  return stale ? 'the last sync is older than twice the interval' : '';
}

function isInterrupted(planned: Plan): boolean {
  return planned.state !== 'idle' && planned.why === 'interrupted';
}

/** @param nowMs for a run in hand: how long it has lasted so far */
export function runView(run: RunRow, fabricName: string, nowMs: number | null = null): RunView {
  const endedMs = run.finishedMs ?? nowMs;
  return {
    id: run.runId,
    outcome: run.outcome,
    trigger: run.trigger,
    daemon: run.daemon,
    epoch: run.epoch,
    due_at: isoOrNull(run.dueAtMs),
    started_at: formatIso(run.startedMs),
    finished_at: isoOrNull(run.finishedMs),
    lateness_ms: run.dueAtMs === null ? null : Math.max(0, run.startedMs - run.dueAtMs),
    duration_ms: endedMs === null ? null : Math.max(0, endedMs - run.startedMs),
    created: run.created,
    updated: run.updated,
    deleted: run.deleted,
    unsynced: Object.values(run.kinds).reduce((total, { unsynced = 0 }) => total + unsynced, 0),
    unchanged: run.unchanged,
    quarantined: run.quarantined,
    requests: run.requests,
    bytes_read: run.bytesRead,
    error: run.failure?.message ?? '',
    error_code: run.failure?.code ?? null,
    hint: run.failure ? hintFor(run.failure, fabricName) : '',
  };
}

function approvalView(approval: Approval, approvedBy: string | null): ApprovalView {
  const common = { run: approval.runId, since: formatIso(approval.sinceMs), approved_by: approvedBy };
  switch (approval.kind) {
    case 'deletions': {
      const { deletions, of } = approval;
      const total = Object.values(deletions).reduce((sum, count) => sum + count, 0);
      return { kind: 'deletions', ...common, deletions, total, of };
    }
    case 'cluster':
      return { kind: 'cluster', ...common, pinned: approval.pinned, found: approval.found };
  }
}

/** A pause whose time has come is none, though nobody has taken it out of the row yet. */
function pauseView(pause: StatusRow['pause'], nowMs: number): FabricView['pause'] {
  if (!pause || (pause.untilMs !== null && pause.untilMs <= nowMs)) return null;
  return { by: pause.by, reason: pause.reason, since: formatIso(pause.sinceMs), until: isoOrNull(pause.untilMs) };
}

/** Without Postgres, only what the daemon has in memory. */
function fromWord({ id, name, state, attempts }: DaemonWord['fabrics'][number]): FabricView {
  return {
    id,
    name,
    state,
    reason: null,
    sync_status: null,
    sync_error: '',
    error_code: null,
    hint: '',
    due_at: null,
    due_kind: null,
    due_in_ms: null,
    last_sync: null,
    age_ms: null,
    interval_s: null,
    objects: null,
    attempts,
    requests_open: 0,
    connection_status: null,
    last_run: null,
    run: null,
    pause: null,
    approval: null,
    timer: { state: 'unknown', due_at: null, kind: null, shows_at: null },
  };
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : formatIso(ms);
}
