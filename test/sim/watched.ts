// What a checker remembers of one fabric from step to step.

import type { Row } from '../support/memory-database.ts';

export interface Watched {
  /** Of the newest claim, and of the newest commit. */
  claimedEpoch: number;
  committedEpoch: number;
  /** `last_sync` as the last commit left it. */
  syncedMs: number | null;
  /** Virtual time of the claim of the run in hand, and what it was not to read. */
  claimedAtMs: number;
  kindsRemoved: readonly string[];
  /** Runs since the last commit that nobody asked for. */
  tries: number;
  triedAtMs: number;
  /** Nobody may say much of it before: somebody changed something. */
  disturbedMs: number;
  /** A run may go on for a while that was fenced off by a person. */
  unlockedMs: number;
  hadTimer: boolean;
  may: boolean;
  /** Virtual time since which it may sync by itself, and of its last commit. */
  committedAtMs: number;
}

/** What is known of a row that was not watched before, or that a backup brought back. */
export function beginning(row: Row): Partial<Watched> {
  const running = row.leaseHolder !== null;
  return {
    claimedEpoch: row.epoch,
    committedEpoch: running ? row.epoch - 1 : row.epoch,
    syncedMs: running ? row.previousSyncMs : row.lastSyncMs,
  };
}

export function sameRow(one: Row, other: Row): boolean {
  return one.epoch === other.epoch && one.leaseHolder === other.leaseHolder && one.dueAtMs === other.dueAtMs;
}

export function maySync({ configured, syncEnabled, schedulerEnabled, intervalMs, paused }: Row): boolean {
  return configured && syncEnabled && schedulerEnabled && intervalMs > 0 && paused === null;
}
