// plan(row, now): what a fabric should be doing, read off its row. A start, a settings change, the end of a run and
// `bootstrap` all ask this one function, so they cannot disagree.
//
//   L1. Pure: no clock, no chance, no I/O. The same row and time give the same plan.
//   L2. A fabric that may sync by itself gets exactly one due time; one that may not gets a reason.
//   L3. The phase is kept: a due time that the row remembers stands. Missed ticks coalesce into one.
//   L4. A clock that was wrong for a while must not silence a fabric: a due time further ahead than any that this program
//       makes was made by a clock that has been set back since, and is made anew.

import type { FailureNote } from './failure.ts';

/** The states a fabric may rest in. `locked` and `syncing` are never planned: they are earned by a lease. */
export type RestingState = 'idle' | 'scheduled' | 'backoff' | 'errored';
export type FabricState = RestingState | 'locked' | 'syncing';

/** Why the timer was armed. */
export type DueKind = 'sync' | 'retry' | 'probe';

export type IdleReason = 'not_configured' | 'sync_disabled' | 'paused' | 'scheduler_disabled' | 'interval_zero';

/** A manual sync makes sense only where a person has not said "stop" and there is something to read. */
export const manualAllowed: Readonly<Record<IdleReason, boolean>> = {
  not_configured: false,
  sync_disabled: false,
  paused: false,
  scheduler_disabled: true,
  interval_zero: true,
};

/** What `plan` needs of the two rows of a fabric. Times are epoch milliseconds. */
export interface PlanRow {
  readonly fabricId: string;
  readonly configured: boolean;
  readonly syncEnabled: boolean;
  readonly schedulerEnabled: boolean;
  /** 0 means: no periodic sync. */
  readonly intervalMs: number;
  readonly paused: { readonly untilMs: number | null } | null;
  readonly lastSyncMs: number | null;
  readonly createdMs: number;
  /** The durable half: what was remembered when the fabric last came to rest, or what it was doing. */
  readonly state: FabricState;
  readonly dueAtMs: number | null;
  readonly dueKind: DueKind | null;
  /** The periodic tick (without jitter) that the phase is counted from, and the interval it was made with. */
  readonly tickMs: number | null;
  readonly tickIntervalMs: number | null;
  readonly attempts: number;
  readonly failure: FailureNote | null;
  /** Until when the database lease is held, by whomever; null when it is free. */
  readonly leaseUntilMs: number | null;
}

export type Plan =
  | { readonly state: 'idle'; readonly reason: IdleReason }
  | {
      readonly state: 'scheduled' | 'backoff' | 'errored';
      readonly kind: DueKind;
      readonly dueAtMs: number;
      readonly attempts: number;
      readonly failure: FailureNote | null;
      readonly why: PlanWhy;
    };

export type PlanWhy =
  | 'never_synced'
  | 'overdue'
  | 'remembered'
  | 'interval_changed'
  | 'after_last_sync'
  | 'interrupted'
  | 'running_elsewhere'
  | 'clock_set_back';

export interface PlanPolicy {
  /** A fabric that never synced is due this long after it was added. */
  readonly firstSyncMs: number;
  /** Fabrics that become due at once (many added, many overdue) are spread over this window by their stable offsets. */
  readonly rampMs: number;
}

export const planDefault: PlanPolicy = { firstSyncMs: 5_000, rampMs: 0 };

/** L4: beyond the interval, what the ramp, the first sync and the jitter may add, with room. */
const scheduleAheadMsMax = 60_000;
/** L4: beyond the interval and its tenth, the longest settings for retries and probes, with the longest `Retry-After`. */
const troubleAheadMsMax = 27 * 3_600_000;

/** What a process was doing when it died decides where the fabric comes back. */
export const afterCrash = {
  idle: 'idle',
  scheduled: 'scheduled',
  locked: 'backoff',
  syncing: 'backoff',
  backoff: 'backoff',
  errored: 'errored',
} as const satisfies Record<FabricState, RestingState>;

/** Why this fabric must not sync by itself; null where it may. The first reason that applies is the one to tell. */
export function idleReason(row: PlanRow, nowMs: number): IdleReason | null {
  if (!row.configured) return 'not_configured';
  if (!row.syncEnabled) return 'sync_disabled';
  if (row.paused && (row.paused.untilMs === null || row.paused.untilMs > nowMs)) return 'paused';
  if (!row.schedulerEnabled) return 'scheduler_disabled';
  if (row.intervalMs <= 0) return 'interval_zero';
  return null;
}

/** @param nowMs epoch milliseconds, in the clock that wrote the row's times */
export function plan(row: PlanRow, nowMs: number, policy: PlanPolicy = planDefault): Plan {
  const reason = idleReason(row, nowMs);
  if (reason) return { state: 'idle', reason };

  const running = row.leaseUntilMs !== null && row.leaseUntilMs > nowMs;
  if (!running && afterCrash[row.state] !== row.state) {
    return {
      state: 'backoff',
      kind: 'retry',
      // What the dead run served is still due: a time made up here would be known to nobody else.
      dueAtMs: troubleStands(row, nowMs) ? row.dueAtMs : spread(row, nowMs, policy),
      attempts: row.attempts,
      failure: row.failure,
      why: 'interrupted',
    };
  }
  // Trouble keeps its own due time; a change of the interval does not hurry a backoff.
  if ((row.state === 'backoff' || row.state === 'errored') && row.dueAtMs !== null) {
    const stands = troubleStands(row, nowMs);
    return {
      state: row.state,
      kind: row.state === 'backoff' ? 'retry' : 'probe',
      dueAtMs: stands ? row.dueAtMs : spread(row, nowMs, policy),
      attempts: row.attempts,
      failure: row.failure,
      why: stands ? 'remembered' : 'clock_set_back',
    };
  }

  const at = (dueAtMs: number, why: PlanWhy): Plan => ({
    state: 'scheduled',
    kind: 'sync',
    dueAtMs,
    attempts: 0,
    failure: null,
    why: running ? 'running_elsewhere' : why,
  });
  // A remembered due time stands, past or not (L3): somebody may be about to serve it, and moving it would refuse them.
  const sameInterval = row.tickIntervalMs === row.intervalMs;
  if (row.dueAtMs !== null && (running || sameInterval)) {
    if (running || row.dueAtMs - nowMs <= row.intervalMs + scheduleAheadMsMax) {
      return at(row.dueAtMs, row.dueAtMs > nowMs ? 'remembered' : 'overdue');
    }
    return at(nextTick(row.tickMs, row.intervalMs, nowMs, 0).dueAtMs, 'clock_set_back');
  }
  if (row.lastSyncMs === null) {
    // Those that were added together become due together: they are spread from there on, not from now.
    const firstMs = Math.min(row.createdMs, nowMs) + policy.firstSyncMs;
    return at(spread(row, Math.max(firstMs, nowMs), policy), 'never_synced');
  }
  const next = Math.min(row.lastSyncMs, nowMs) + row.intervalMs;
  if (next <= nowMs) return at(spread(row, nowMs, policy), 'overdue');
  return at(next, row.tickIntervalMs === null ? 'after_last_sync' : 'interval_changed');
}

function troubleStands<Row extends PlanRow>(row: Row, nowMs: number): row is Row & { readonly dueAtMs: number } {
  return row.dueAtMs !== null && row.dueAtMs - nowMs <= 1.1 * row.intervalMs + troubleAheadMsMax;
}

function spread(row: PlanRow, fromMs: number, policy: PlanPolicy): number {
  return fromMs + Math.round(policy.rampMs * stableOffset(row.fabricId));
}

export interface Tick {
  /** The periodic tick itself: what the phase is counted from. */
  readonly tickMs: number;
  /** When the timer fires: the tick plus the jitter. */
  readonly dueAtMs: number;
}

/**
 * The next periodic tick after a run: the last tick plus whole intervals, so the phase never drifts by the length of a
 * run, and ticks that were missed coalesce into one. Never more than one interval ahead (L4).
 *
 * @param tickMs the tick that the phase is counted from; null where there was none yet
 * @param roll chance, in [0, 1): the jitter, at most 1 % of the interval and at most 500 ms
 */
export function nextTick(tickMs: number | null, intervalMs: number, nowMs: number, roll: number): Tick {
  const anchor = tickMs ?? nowMs;
  // Whole intervals from the anchor to the last tick that is not after now: negative where the anchor is ahead.
  const passed = Math.floor((nowMs - anchor) / intervalMs);
  const next = anchor + (passed + 1) * intervalMs;
  return { tickMs: next, dueAtMs: next + Math.round(Math.min(500, intervalMs / 100) * roll) };
}

/** A number in [0, 1) that is the same for a fabric on every machine and at every start (FNV-1a, 32 bit). */
export function stableOffset(fabricId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < fabricId.length; i++) {
    hash ^= fabricId.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  // FNV's low bits are good, its high bits are not for short keys: fold and mix once (murmur3's finalizer).
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return (hash >>> 0) / 2 ** 32;
}
