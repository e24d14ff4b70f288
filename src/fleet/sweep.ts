// The sweep: makes true again what a crash, a lost message or a flushed Redis made false.
//
//   W1. It runs at the start, whenever a server came back, and every few seconds; each pass is safe to repeat.
//   W2. `syncing` means a live lease: an expired one becomes INTERRUPTED and gets a due time.
//   W3. Every enabled fabric has one timer in the store, at the due time that its row says. Postgres is the truth.
//   W4. A timer that is claimed is left alone, unless its row says another due time; or Postgres was away, and whoever
//       claimed it could do nothing with it.

import type { BackoffPolicy } from '../../machines/fabric/backoff.ts';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Clock } from '../clock.ts';
import type { Dice } from '../dice.ts';
import type { Log } from '../log.ts';
import type { FabricRow, Store } from '../ports/store.ts';
import type { StoredTimer, TimerStore } from '../ports/timers.ts';
import type { Service } from '../service.ts';
import type { Fleet } from './fleet.ts';
import type { Planned, Planner } from './planner.ts';

export interface SweepDeps {
  readonly store: Store;
  readonly timers: TimerStore;
  readonly fleet: Fleet;
  readonly planner: Planner;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs: number;
  readonly backoff: BackoffPolicy;
  readonly dice: Dice;
  /** How long a claimed timer is hidden, at most, before it is hidden again. */
  readonly holdMs: number;
  /** Writes down how runs of this daemon ended while Postgres was away, and tells each fabric when it is done. */
  readonly settleLeft: () => AsyncIterable<string>;
  /** Reads one fabric's row again, and hears its requests by what it says. */
  readonly reread: (fabricId: string, why: string) => void;
  /** A pass was made to its end. It must not throw. `startedMs`: epoch milliseconds. */
  readonly onPass?: (found: SweepFindings, why: string, startedMs: number) => void;
}

export interface SweepFindings {
  readonly fabrics: number;
  readonly interrupted: number;
  readonly resumed: number;
  readonly rearmed: number;
  readonly cancelled: number;
}

/** Larger fleets are compared whole only now and then; what is overdue is looked for at every pass. */
const wholeUpTo = 500;
const wholeEveryMs = 60_000;
/** A due time this long past, with a free lease, means that its timer was lost. */
const overdueGraceMs = 2_000;
const overdueMax = 500;

/** Why a pass is made: nothing is known yet. */
export const atStart = 'start';
/** Why a pass is made: Postgres, or the way to it, was away. */
export const afterOutage = 'postgres came back';
/** Why a row is read again: how its run ended is known to it now, and nobody has armed what comes next. */
export const settledLate = 'settled late';

export class Sweep implements Service {
  readonly name = 'sweep';
  readonly #deps: SweepDeps;
  #stopped = true;
  #cancelTimer: () => void = () => {};
  #turn: Promise<SweepFindings | null> = Promise.resolve(null);
  /** Passes that wait for their turn, by why they are made. */
  readonly #waiting = new Map<string, Promise<SweepFindings | null>>();
  #lastWholeMs = Number.NEGATIVE_INFINITY;
  #trouble: string | null = null;

  constructor(deps: SweepDeps) {
    this.#deps = deps;
  }

  /** What kept the last pass from its work, in words (Postgres does not answer), whoever asked for it; null where nothing did. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** The first pass is whole and must succeed: after it every fabric is known and has its timer. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.now(atStart);
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#turn.catch(() => null);
  }

  /** One whole pass, after any that is under way. One that still waits, for the same reason, serves whoever asks. */
  now(why: string): Promise<SweepFindings | null> {
    return this.#queue(true, why);
  }

  #schedule(): void {
    this.#cancelTimer = this.#deps.clock.after(this.#deps.everyMs, () => {
      this.#queue(false, 'sweep')
        .catch(() => null)
        .finally(() => {
          if (!this.#stopped) this.#schedule();
        });
    });
  }

  #queue(whole: boolean, why: string): Promise<SweepFindings | null> {
    const waiting = this.#waiting.get(why);
    if (waiting) return waiting;
    this.#turn = this.#turn
      .catch(() => null)
      .then(() => {
        this.#waiting.delete(why);
        return this.#watched(whole, why);
      });
    this.#waiting.set(why, this.#turn);
    return this.#turn;
  }

  /** A pass, whoever asked for it, says whether Postgres answers. */
  async #watched(whole: boolean, why: string): Promise<SweepFindings> {
    const { log } = this.#deps;
    try {
      const found = await this.#pass(whole, why);
      if (this.#trouble !== null) log.info({}, 'Postgres answers again');
      this.#trouble = null;
      return found;
    } catch (cause) {
      const { code, message, hint } = FabricFailure.from(cause);
      // Who waits for the start hears of it; and once is enough.
      // And who stops does not try again.
      if (this.#trouble === null && why !== atStart && !this.#stopped)
        log.error({ code, hint }, `the sweep failed, it is tried again: ${message}`);
      this.#trouble = `${code}: ${message}`;
      throw cause;
    }
  }

  async #pass(whole: boolean, why: string): Promise<SweepFindings> {
    const { store, fleet, clock, log } = this.#deps;
    const startedMs = clock.nowMs();
    for await (const fabricId of this.#deps.settleLeft()) this.#deps.reread(fabricId, settledLate);
    const interrupted = await store.interruptExpired(this.#deps.backoff, this.#deps.dice.roll());
    for (const { fabricId, name, holder } of interrupted) {
      log.warn(
        { fabric: name, fabric_id: fabricId, holder, code: 'INTERRUPTED' },
        'a run was interrupted: its lease expired; it is rescheduled',
      );
    }
    const resumed = await store.endPauses();
    const nowMs = clock.monotonicMs();
    const empty = fleet.size > 0 && (await this.#deps.timers.nextMs()) === null;
    // What a start finds is planned anew, however often it was tried.
    const wasAway = why !== atStart && (this.#trouble !== null || why === afterOutage);
    const compare = whole || wasAway || empty || fleet.size <= wholeUpTo || nowMs - this.#lastWholeMs >= wholeEveryMs;
    const found = compare
      ? await this.#compareAll(wasAway ? afterOutage : why)
      : await this.#compareSome(
          interrupted.map((one) => one.fabricId),
          resumed,
        );
    if (compare) this.#lastWholeMs = nowMs;
    await this.#hearRequests();
    const findings = { ...found, interrupted: interrupted.length, resumed: resumed.length };
    this.#deps.onPass?.(findings, why, startedMs);
    return findings;
  }

  async #compareAll(why: string) {
    const { store, timers, fleet, planner, log } = this.#deps;
    // Timers first: a fabric that commits in between then has a newer row, and the row is the truth.
    const stored = new Map((await timers.all()).map((timer) => [timer.fabricId, timer]));
    const rows = await store.fabrics();
    const planned = await planner.remember(rows);
    const { rearmed } = await this.#repair(planned, stored, why);
    let cancelled = 0;
    const wanted = new Set(planned.filter(({ plan }) => plan.state !== 'idle').map(({ row }) => row.fabricId));
    for (const fabricId of stored.keys()) {
      if (wanted.has(fabricId)) continue;
      await timers.cancel(fabricId);
      cancelled++;
    }
    const alive = new Set(rows.map((row) => row.fabricId));
    for (const fabricId of fleet.ids()) if (!alive.has(fabricId)) fleet.remove(fabricId);
    if (why !== atStart && (rearmed > 0 || cancelled > 0)) {
      log.warn({ rearmed, cancelled, why }, 'the timers did not agree with Postgres and were repaired');
    }
    return { fabrics: rows.length, rearmed, cancelled };
  }

  /** What a large fleet can afford at every pass: the overdue, and what this pass itself moved. */
  async #compareSome(interrupted: readonly string[], resumed: readonly string[]) {
    const { store, timers, planner, clock, log } = this.#deps;
    const lost = await store.overdue(clock.nowMs() - overdueGraceMs, overdueMax);
    if (lost.length + interrupted.length + resumed.length === 0) return { fabrics: 0, rearmed: 0, cancelled: 0 };
    const stored = new Map((await timers.all()).map((timer) => [timer.fabricId, timer]));
    // Again, after the timers: those that moved on in between are not overdue any more.
    const overdue = await store.overdue(clock.nowMs() - overdueGraceMs, overdueMax);
    const rows: FabricRow[] = [...overdue];
    for (const fabricId of [...interrupted, ...resumed]) {
      const row = await store.fabric(fabricId);
      if (row) rows.push(row);
    }
    const planned = await planner.remember(rows);
    const { rearmed } = await this.#repair(planned, stored, 'overdue');
    if (rearmed > 0) log.warn({ rearmed }, 'overdue fabrics had no timer and got one');
    return { fabrics: rows.length, rearmed, cancelled: 0 };
  }

  async #repair(planned: readonly Planned[], stored: ReadonlyMap<string, StoredTimer>, why: string) {
    const { timers, fleet, clock } = this.#deps;
    const nowMs = clock.nowMs();
    const wrong = planned.flatMap(({ row, plan }) => {
      if (plan.state === 'idle' || plan.why === 'running_elsewhere') return [];
      const timer = stored.get(row.fabricId);
      if (timer && timer.dueAtMs === plan.dueAtMs && timer.kind === plan.kind) {
        // No hold lasts so long: it was not one of us who wrote it, or one whose clock was wrong. Nobody would claim it.
        const isLost = timer.showsAtMs > Math.max(plan.dueAtMs, nowMs) + this.#deps.holdMs;
        const isHidden = plan.dueAtMs <= nowMs && timer.showsAtMs > nowMs && !fleet.slots.waits(row.fabricId);
        if (!isLost && (why !== afterOutage || !isHidden)) return [];
      }
      // The timer may already be ahead of the row that was read a moment earlier; its own fabric knows.
      if (timer && fleet.slots.has(row.fabricId)) return [];
      return [{ fabricId: row.fabricId, kind: plan.kind, dueAtMs: plan.dueAtMs, traceparent: row.traceparent }];
    });
    if (wrong.length > 0) await timers.armMany(wrong, { onlyMissing: false });
    for (const one of planned) fleet.plan(one, why, true);
    return { rearmed: wrong.length };
  }

  async #hearRequests(): Promise<void> {
    const { store, fleet, reread } = this.#deps;
    for (const { fabricId, by, traceparents } of await store.openRequests()) {
      // What is known here may be older than the request: nobody is refused but by the row as it is now.
      const answer = fleet.request(fabricId, by, traceparents);
      if (typeof answer !== 'string') reread(fabricId, 'request');
    }
  }
}
