// i. Due times are kept, and what is promised is never further away than the state of a fabric allows.
//
//   D1. A commit promises the next tick: the one that the phase was counted from, plus whole intervals, the first of them
//       that is not past; and the due time is that tick with a small jitter. Who triggers a run moves neither.
//   D2. Wherever a due time comes from, when it is written it lies at most an interval ahead (`scheduled`), a backoff and what
//       the server asked for (`backoff`), or a probe (`errored`).
//   D3. When the faults have stopped and what they left is mended, no due time passes unserved, no run lasts longer than its
//       deadline, none fails, and so every enabled fabric commits within interval, jitter and deadline.

import type { CommitRequest, FabricRow, SettleRequest } from '../../src/ports/store.ts';
import type { Row } from '../support/memory-database.ts';
import type { SimProcess } from './host.ts';
import type { Place } from './place.ts';
import { maySync } from './watched.ts';

/** What is remembered of one fabric. */
interface Kept {
  /** Of the claim in hand. */
  run: { readonly runId: string; readonly row: FabricRow; readonly atMs: number } | null;
  /** As the last commit left it; null where people or a backup began it anew. */
  phase: { readonly tickMs: number; readonly intervalMs: number } | null;
  dueAtMs: number | null;
  /** Virtual time by which it has committed; null where that is to be seen from its row. */
  commitsByMs: number | null;
}

/** From the moment that is due to the claim, where nothing is in the way: a few questions, and a slot. */
const serveMs = 5_000;
/** How long after a jump of a clock something may still come that was made before, from a backup too. */
const clockForgottenMs = 15 * 60_000;
const jitterMs = (intervalMs: number) => Math.min(500, intervalMs / 100);
/** Many that become due at once are spread. */
const rampMs = 1_000;

export class PromiseCheck {
  readonly #place: Place;
  readonly #kept = new Map<string, Kept>();
  #calmMs: number | null = null;
  #clockJumpedMs = Number.NEGATIVE_INFINITY;
  #skewMaxMs = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  /** All that needs a moment to come true has had it. */
  get soonMs(): number {
    const { leaseTtlMs, sweepIntervalMs } = this.#place.config;
    // A claimed timer shows again after its hold; a sweep sees it, and another one mends what that one saw half of.
    return 2 * leaseTtlMs + 3 * sweepIntervalMs + 20_000;
  }

  /** After calm: within this time a fabric has committed whatever state it was in, and after it once more. */
  livenessMs(intervalMs: number): number {
    const { runDeadlineMs, backoff } = this.#place.config;
    const probeMs = 1.1 * Math.max(backoff.probeMsMin, intervalMs, backoff.capMs);
    const stillMs = 90_000;
    const retryAfterMs = 120_000;
    return probeMs + runDeadlineMs + stillMs + retryAfterMs + this.soonMs + 60_000 + this.#skewMaxMs;
  }

  calmed(): void {
    this.#calmMs = this.#place.world.nowMs;
  }

  clockJumped(byMs: number): void {
    this.#clockJumpedMs = this.#place.world.nowMs;
    this.#skewMaxMs = Math.max(this.#skewMaxMs, Math.abs(byMs));
  }

  meddled(fabricId: string): void {
    Object.assign(this.#of(fabricId), { phase: null, commitsByMs: null });
  }

  claimed(runId: string, row: FabricRow): void {
    this.#of(row.fabricId).run = { runId, row, atMs: this.#place.world.nowMs };
  }

  /** D1. A daemon is about to commit. */
  commits(process: SimProcess, { fabricId, claim, next }: CommitRequest): string | null {
    const { run, phase } = this.#of(fabricId);
    if (run?.runId !== claim.runId) return null;
    const { intervalMs, syncEnabled, schedulerEnabled, tickMs, tickIntervalMs } = run.row;
    const periodic = syncEnabled && schedulerEnabled && intervalMs > 0;
    if (!next || !periodic) return periodic === (next !== null) ? null : `i. it is due next: ${next !== null}`;
    const nowMs = process.clock.nowMs();
    const anchorMs = tickIntervalMs === intervalMs ? tickMs : null;
    const known = phase?.intervalMs === intervalMs ? [phase.tickMs] : [];
    const [least, most] = [nowMs + 1, nowMs + intervalMs];
    if (next.intervalMs !== intervalMs || next.tickMs < least || next.tickMs > most) {
      return `i. the next tick is ${next.tickMs - nowMs} ms away; the interval is ${intervalMs} ms`;
    }
    const lost = [anchorMs ?? nowMs, ...known].find((tick) => (next.tickMs - tick) % intervalMs !== 0);
    if (lost !== undefined) return `i. the phase is lost: ${next.tickMs} is not whole intervals from ${lost}`;
    const laterMs = next.dueAtMs - next.tickMs;
    if (laterMs >= 0 && laterMs <= Math.ceil(jitterMs(intervalMs))) return null;
    return `i. it is due ${laterMs} ms after the tick, of ${intervalMs} ms`;
  }

  committed(fabricId: string, { next }: CommitRequest): void {
    const { world, config } = this.#place;
    const kept = this.#of(fabricId);
    kept.phase = next;
    const withinMs = next && next.intervalMs + jitterMs(next.intervalMs) + config.runDeadlineMs + serveMs;
    kept.commitsByMs = withinMs && world.nowMs + withinMs;
  }

  /** D3. A daemon is about to write that a run failed. */
  settles({ fabricId, claim, outcome, failure }: SettleRequest, quietSinceMs: number): string | null {
    const kept = this.#of(fabricId);
    const { run } = kept;
    if (outcome !== 'failed') return null;
    kept.commitsByMs = null;
    // A person's word comes within a minute.
    if (failure.code === 'CLUSTER_CHANGED' || run?.runId !== claim.runId || !this.#isCalm(quietSinceMs)) return null;
    const sinceMs = Math.max(this.#calmMs ?? 0, quietSinceMs);
    return run.atMs - sinceMs > this.soonMs ? `i. a run fails in the calm (${failure.code}: ${failure.message})` : null;
  }

  /** After each step. */
  look(row: Row, quietSinceMs: number): string | null {
    const kept = this.#of(row.fabricId);
    const far = row.dueAtMs === kept.dueAtMs ? null : this.#tooFar(row);
    kept.dueAtMs = row.dueAtMs;
    if (row.dueAtMs === null && row.leaseHolder === null) kept.phase = null;
    if (far || !this.#isCalm(quietSinceMs)) return far;
    return maySync(row) ? this.#late(row, kept) : null;
  }

  /** D2. */
  #tooFar({ state, dueAtMs, intervalMs, attempts, failure }: Row): string | null {
    const { world, config, postgres } = this.#place;
    if (dueAtMs === null) return null;
    const { baseMs, capMs, probeMsMin } = config.backoff;
    const patienceMs = Math.min(3_600_000, failure?.retryAfterMs ?? 0);
    const most = {
      backoff: patienceMs + Math.min(capMs, baseMs * 2 ** Math.max(0, attempts - 1)),
      errored: 1.1 * Math.max(probeMsMin, intervalMs, patienceMs),
      scheduled: intervalMs + jitterMs(intervalMs) + rampMs,
    };
    const lately = world.nowMs - this.#clockJumpedMs < clockForgottenMs || this.#skewed();
    const aheadMs = dueAtMs - postgres.database.now() - (lately ? 2 * this.#skewMaxMs : 0);
    const mostMs = most[state as keyof typeof most] ?? Number.POSITIVE_INFINITY;
    return aheadMs > mostMs + 5 ? `i. ${state}, it is due in ${aheadMs} ms; ${Math.round(mostMs)} at most` : null;
  }

  /** D3. */
  #late(row: Row, kept: Kept): string | null {
    const { world, postgres, config } = this.#place;
    const nowMs = postgres.database.now();
    if (row.leaseHolder !== null) {
      const lastsMs = kept.run ? world.nowMs - kept.run.atMs : 0;
      const most = config.runDeadlineMs + config.leaseTtlMs + serveMs;
      return lastsMs > most ? `i. a run of it lasts ${Math.round(lastsMs)} ms` : null;
    }
    const lateMs = row.dueAtMs === null ? 0 : nowMs - row.dueAtMs;
    if (lateMs > serveMs) return `i. ${row.state}, it is ${Math.round(lateMs)} ms overdue in the calm`;
    const leftMs = Math.max(0, -lateMs) + config.runDeadlineMs + serveMs;
    kept.commitsByMs ??= row.dueAtMs === null ? null : world.nowMs + leftMs;
    if (kept.commitsByMs === null || world.nowMs <= kept.commitsByMs) return null;
    return `i. ${row.state}, it did not commit in the calm when it was to`;
  }

  #isCalm(quietSinceMs: number): boolean {
    if (this.#calmMs === null) return false;
    return this.#place.world.nowMs - Math.max(this.#calmMs, quietSinceMs) > this.soonMs;
  }

  #skewed(): boolean {
    const { hosts, postgres } = this.#place;
    return postgres.skewMs !== 0 || hosts.some(({ skewMs }) => skewMs !== 0);
  }

  #of(fabricId: string): Kept {
    const known = this.#kept.get(fabricId);
    if (known) return known;
    const kept: Kept = { run: null, phase: null, dueAtMs: null, commitsByMs: null };
    this.#kept.set(fabricId, kept);
    return kept;
  }
}
