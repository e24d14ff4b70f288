// When a fabric is due next: after a run that committed, and after one that did not.
//
//   U1. The phase is kept (`nextTick`), and what was done by hand does not move it.
//   U2. A run that served no due time moves none, unless it failed: then the retry or the probe is what comes next.

import { type BackoffPolicy, probeDelayMs, retryDelayMs } from '../../machines/fabric/backoff.ts';
import { nextTick } from '../../machines/fabric/plan.ts';
import type { SettleInput } from '../../machines/fabric/ports.ts';
import type { Clock } from '../clock.ts';
import type { Dice } from '../dice.ts';
import type { FabricRow, NextDue, SettleRequest } from '../ports/store.ts';

type Due = SettleRequest['due'];

/** What is known of a run that ends. */
export interface EndingRun {
  /** As it was when the claim was granted; null where it was not. */
  readonly row: FabricRow | null;
  /** When the claim was asked for, monotonic milliseconds. */
  readonly claimedMs: number;
}

/** Before a run is made again that our own servers cut short. */
const pauseMsMin = 1_000;

/** Why a fabric that rests so has a timer. */
const dueKind = { scheduled: 'sync', backoff: 'retry', errored: 'probe' } as const;

export class DueTimes {
  readonly #clock: Clock;
  readonly #dice: Dice;
  readonly #backoff: BackoffPolicy;

  constructor({ clock, dice, backoff }: { clock: Clock; dice: Dice; backoff: BackoffPolicy }) {
    this.#clock = clock;
    this.#dice = dice;
    this.#backoff = backoff;
  }

  /** @returns null where the fabric has no periodic sync */
  afterCommit(row: FabricRow): NextDue | null {
    if (!row.syncEnabled || !row.schedulerEnabled || row.intervalMs <= 0) return null;
    const { intervalMs, dueAtMs } = row;
    // A tick of another interval has no phase to keep.
    const tickMs = row.tickIntervalMs === intervalMs ? row.tickMs : null;
    const next = { ...nextTick(tickMs, intervalMs, this.#clock.nowMs(), this.#dice.roll()), intervalMs };
    // Synced by hand before its time: the schedule does not move, not even by another jitter. But a due time that has
    // come, whatever the tick says (somebody moved it), was served.
    const stands = next.tickMs === tickMs && row.dueKind === 'sync' && dueAtMs !== null && dueAtMs >= tickMs;
    return stands ? { ...next, dueAtMs } : next;
  }

  /** After a run that did not commit. */
  afterEnd({ rest, outcome, attempts, failure }: SettleInput, run: EndingRun | null): Due {
    const nowMs = this.#clock.nowMs();
    const row = run?.row ?? null;
    if (outcome === 'failed') {
      return rest === 'scheduled' ? null : this.#nextTry(rest, attempts, row, failure.retryAfterMs);
    }
    const next = row && this.afterCommit(row);
    if (!next || row.dueAtMs === null) return null;
    const kind = dueKind[rest];
    if (row.dueAtMs > nowMs) return { kind, dueAtMs: row.dueAtMs };
    switch (failure.code) {
      case 'CANCELLED':
        return rest === 'scheduled' ? { kind, dueAtMs: next.dueAtMs } : this.#nextTry(rest, attempts, row);
      case 'SHUTDOWN':
        // Still due, so that the next start resumes it.
        return { kind, dueAtMs: nowMs };
      default:
        // Our own servers were away: soon again, but one that never gets through rests for as long as it works.
        return { kind, dueAtMs: nowMs + Math.min(row.intervalMs, this.#backoff.capMs, this.#pauseMs(run)) };
    }
  }

  /** The same without any pause, where the run had served a due time. */
  stillDue(due: NonNullable<Due>, run: EndingRun | null): Due {
    const nowMs = this.#clock.nowMs();
    const servedMs = run?.row?.dueAtMs ?? null;
    return servedMs !== null && servedMs <= nowMs ? { ...due, dueAtMs: nowMs } : due;
  }

  #pauseMs(run: EndingRun | null): number {
    return Math.max(pauseMsMin, run ? Math.round(this.#clock.monotonicMs() - run.claimedMs) : 0);
  }

  #nextTry(rest: 'backoff' | 'errored', attempts: number, row: FabricRow | null, retryAfterMs?: number) {
    const roll = this.#dice.roll();
    const delayMs =
      rest === 'backoff'
        ? retryDelayMs(this.#backoff, attempts, roll, retryAfterMs)
        : probeDelayMs(this.#backoff, row?.intervalMs ?? 0, roll, retryAfterMs);
    return { kind: dueKind[rest], dueAtMs: this.#clock.nowMs() + delayMs };
  }
}
