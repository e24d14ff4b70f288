// One attempt to sync one fabric, step by step, as the statechart asks for it: lease, claim, run, renewal, settling.
// The machine decides what comes next; this file decides nothing, it does.
//
//   A1. Whatever a step acquired and did not hand on is given back by that step, also when it throws.
//   A2. A lease is held under a token until `runSync` or `settle` gives it back; `dropAll` gives back the rest.
//   A3. The plan that a step returns is read off the row as it is now, not as it was when the attempt began.
//   A4. Lease and claim are trusted only until a monotonic time counted from before the question; a run that is not
//       renewed by then is told so at that time, whatever the renewal in hand is waiting for.
//   A5. Once a commit holds the epoch nobody else can get the fabric: its claim is trusted until the commit has ended, and
//       not renewed, as a renewal would wait for it. The commit's own deadline and the run's bound it.
//   A6. What Postgres did not take of the end of a run is kept, and written when it is back: a run that nobody makes any
//       more does not keep its fabric waiting for its own lease.

import { randomUUID } from 'node:crypto';
import type { BackoffPolicy } from '../../machines/fabric/backoff.ts';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Plan } from '../../machines/fabric/plan.ts';
import type {
  ArmInput,
  AttemptInput,
  ClaimAnswer,
  LockAnswer,
  RunEnding,
  RunInput,
  SettleInput,
} from '../../machines/fabric/ports.ts';
import type { Clock } from '../clock.ts';
import type { Dice } from '../dice.ts';
import { type FabricLock, type Lease, trustMs } from '../ports/lock.ts';
import type { FabricRow, FabricSettings, Settled, SettleRequest, Store } from '../ports/store.ts';
import type { TimerStore } from '../ports/timers.ts';
import type { CommitStep, SyncEnding, SyncJob } from '../sync/run.ts';
import { connectionAfter } from './connection-after.ts';
import { DueTimes } from './due-times.ts';
import type { Planner } from './planner.ts';

export interface AttemptPolicy {
  readonly leaseTtlMs: number;
  /** How long the timer of a fabric that runs stays hidden from here on. */
  readonly holdMs: number;
  readonly backoff: BackoffPolicy;
}

export interface AttemptDeps {
  readonly daemon: string;
  readonly store: Store;
  readonly timers: TimerStore;
  readonly lock: FabricLock;
  readonly planner: Planner;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly policy: AttemptPolicy;
  /** Reads, compares, merges and commits (`src/sync/run.ts`). */
  readonly sync: (job: SyncJob, signal: AbortSignal) => Promise<SyncEnding>;
  /** A run was committed. */
  readonly onCommitted: (job: SyncJob, ending: Extract<SyncEnding, { kind: 'committed' }>) => void;
}

interface Held {
  readonly fabricId: string;
  lease: Lease | null;
  /** Monotonic milliseconds. */
  claimTrustedUntilMs: number;
  /** How far the commit in hand has come; null where none is. */
  commit: CommitStep | null;
  row: FabricRow | null;
  settings: FabricSettings | null;
  /** How the run in hand ended, where it failed: what `settle` writes beside the failure. */
  ending: Extract<SyncEnding, { kind: 'failed' }> | null;
  /** When the claim was asked for, monotonic milliseconds. */
  claimedMs: number;
}

/** How a run ended that could not be written down, as Postgres was away. */
interface Unwritten {
  readonly input: SettleInput;
  readonly held: Held | null;
}

export class Attempts {
  readonly #deps: AttemptDeps;
  readonly #due: DueTimes;
  readonly #held = new Map<string, Held>();
  /** By fabric (A6). */
  readonly #unwritten = new Map<string, Unwritten>();

  constructor(deps: AttemptDeps) {
    this.#deps = deps;
    this.#due = new DueTimes({ clock: deps.clock, dice: deps.dice, backoff: deps.policy.backoff });
  }

  /** Acquires nothing. @throws `REDIS_UNAVAILABLE` where the timer could not be made durable; the sweep arms it then */
  async armTimer({ fabricId, kind, dueAtMs }: ArmInput, traceparent: string | null = null): Promise<void> {
    await this.#deps.timers.arm({ fabricId, kind, dueAtMs, traceparent });
  }

  /**
   * Acquires the lease, where anybody can be asked for it, and keeps it under the token of the answer: `makeClaim` is next.
   * @throws the signal's reason where it is aborted meanwhile; the lease is given back then
   */
  async acquireLease({ fabricId }: AttemptInput, signal: AbortSignal): Promise<LockAnswer> {
    const { lock } = this.#deps;
    const answer = await lock.acquire(fabricId);
    if (answer.kind === 'contended') return { kind: 'contended', holder: null };
    const lease = answer.kind === 'acquired' ? answer.lease : null;
    if (signal.aborted) {
      if (lease) await lock.release(lease);
      throw signal.reason;
    }
    const token = randomUUID();
    const claimTrustedUntilMs = Number.NEGATIVE_INFINITY;
    const nothing = { commit: null, row: null, settings: null, ending: null, claimedMs: 0 };
    this.#held.set(token, { fabricId, lease, claimTrustedUntilMs, ...nothing });
    return { kind: 'acquired', token, degraded: lease === null };
  }

  /**
   * Acquires the claim, for `runSync` or `settle` to end. Where it is not granted, or this throws, the lease is given back.
   * @param traceparent of the run's own trace
   * @throws `LEASE_LOST` where the lease was dropped meanwhile; `DATABASE_UNAVAILABLE` and `DATABASE_REFUSED`: a claim that
   *   was granted all the same runs out, and is found by the sweep
   */
  async makeClaim(input: AttemptInput & { token: string }, traceparent: string | null = null): Promise<ClaimAnswer> {
    const { store, daemon, policy, clock } = this.#deps;
    const { token, fabricId, trigger, servedDueMs } = input;
    let claimed = false;
    try {
      // Over a lease of our own the claim would take this fabric's last run for one that a crash cut off.
      await this.#writeDown(fabricId);
      const askedMs = clock.monotonicMs();
      const answer = await store.claim({
        fabricId,
        daemon,
        leaseTtlMs: policy.leaseTtlMs,
        trigger,
        servedDueMs,
        traceparent,
      });
      switch (answer.kind) {
        case 'claimed': {
          const held = this.#held.get(token);
          if (!held) throw new FabricFailure('LEASE_LOST', `the lease of ${answer.row.name} was given up meanwhile`);
          held.row = answer.row;
          held.settings = answer.settings;
          held.claimTrustedUntilMs = this.#claimTrustedUntil(askedMs);
          held.claimedMs = askedMs;
          claimed = true;
          return { kind: 'claimed', claim: answer.claim, attempts: answer.row.attempts };
        }
        case 'contended':
          return { kind: 'contended', holder: answer.holder };
        case 'superseded': {
          const plan = await this.#planOf(answer.row);
          // The row refuses what its own plan calls due: our clock and Postgres's differ about the end of a pause, say.
          // Armed again at once it would be refused again at once; the claimed timer shows again when its hold ends.
          const again = servedDueMs !== null && plan.state !== 'idle' && plan.dueAtMs <= servedDueMs;
          return again ? { kind: 'contended', holder: null } : { kind: 'superseded', plan };
        }
        default:
          return { kind: 'superseded', plan: { state: 'idle', reason: 'not_configured' } };
      }
    } finally {
      if (!claimed) await this.#giveBack(token);
    }
  }

  /**
   * Runs to the commit, which ends the claim; then the lease is given back.
   * @throws how the run failed, or `LEASE_LOST` where it could not begin: lease and claim are held then for `settle`
   */
  async runSync(input: RunInput, signal: AbortSignal): Promise<RunEnding> {
    const held = this.#held.get(input.token);
    if (!held?.row || !held.settings) throw new FabricFailure('LEASE_LOST', 'the lease was given up before the run');
    // The answer to the claim was long on its way, or this process stood still: the fabric may be somebody else's by now.
    if (this.#deps.clock.monotonicMs() >= trustedUntilMs(held)) {
      throw new FabricFailure('LEASE_LOST', 'the lease had ended when the run was to begin');
    }
    const { row, settings } = held;
    const job: SyncJob = {
      fabricId: input.fabricId,
      claim: input.claim,
      settings,
      next: () => this.#due.afterCommit(row),
      onCommit: (step) => {
        held.commit = step;
      },
    };
    const ending = await this.#deps.sync(job, signal);
    if (ending.kind === 'failed') {
      held.commit = null;
      held.ending = ending;
      throw ending.failure;
    }
    this.#deps.onCommitted(job, ending);
    await this.#giveBack(input.token);
    return { outcome: ending.outcome, plan: await this.#planOf(ending.row) };
  }

  /**
   * Renews lease, claim and the timer's hold at a third of the lease, until the returned function is called.
   * @param lost called at most once: the lease is lost, or may be
   */
  keepLease({ fabricId, claim, token }: RunInput, lost: (reason: string) => void): () => void {
    const { lock, store, timers, clock, policy } = this.#deps;
    const { leaseTtlMs, holdMs } = policy;
    let over = false;
    let stopTimer = () => {};
    let stopGuard = () => {};
    const end = (reason?: string) => {
      if (over) return;
      over = true;
      stopTimer();
      stopGuard();
      if (reason) lost(reason);
    };
    const trust = (held: Held) => {
      const untilMs = trustedUntilMs(held);
      const leaseFirst = held.lease?.trustedUntilMs === untilMs;
      stopGuard();
      if (untilMs === Number.POSITIVE_INFINITY) return;
      stopGuard = clock.after(untilMs - clock.monotonicMs(), () => {
        // Given back meanwhile: the run has committed, and is only reading its row again.
        if (!this.#held.has(token)) return end();
        // The commit got hold of the epoch meanwhile (A5).
        if (trustedUntilMs(held) > untilMs) return trust(held);
        end(leaseFirst ? 'it was not renewed in time' : 'Postgres did not renew the claim in time');
      });
    };
    const renew = async () => {
      const held = this.#held.get(token);
      if (!held) return end();
      const askedMs = clock.monotonicMs();
      const [lease, mine] = await Promise.all([
        held.lease ? lock.renew(held.lease) : null,
        held.commit === 'fenced' ? null : store.renew({ fabricId, claim, leaseTtlMs }).catch(() => null),
        // The hold keeps the timer from showing to others; the lease is what protects the run.
        timers.hold(fabricId, clock.nowMs() + holdMs).catch(() => undefined),
      ]);
      if (over) return;
      if (!this.#held.has(token)) return end();
      if (held.lease && !lease) return end('its renewal was refused or in doubt');
      // Behind a commit it is the commit that ended the claim; where it was somebody else, the commit will say so.
      if (mine === false && held.commit === null) return end('another run took over');
      if (mine) held.claimTrustedUntilMs = this.#claimTrustedUntil(askedMs);
      held.lease = lease;
      keep(held);
    };
    const keep = (held: Held) => {
      trust(held);
      stopTimer = clock.after(leaseTtlMs / 3, () => {
        renew().catch((error: unknown) => end(`its renewal failed: ${FabricFailure.from(error).code}`));
      });
    };
    const held = this.#held.get(token);
    if (held) keep(held);
    return () => end();
  }

  /**
   * Ends the claim of a run that did not commit, and says where the row rests now. The lease is given back, also where this
   * throws.
   * @throws `DATABASE_UNAVAILABLE`: it is kept, and written when Postgres is back (A6). `DATABASE_REFUSED`: the claim runs out
   */
  async settle(input: SettleInput): Promise<{ plan: Plan }> {
    const { fabricId, token } = input;
    const held = this.#held.get(token) ?? null;
    try {
      const answer = await this.#settle(input, this.#due.afterEnd(input, held), held);
      // Overtaken: the row says where to rest.
      const row = answer.kind === 'settled' ? answer.row : await this.#deps.store.fabric(fabricId);
      return { plan: row ? await this.#planOf(row) : { state: 'idle', reason: 'not_configured' } };
    } catch (thrown) {
      if (FabricFailure.from(thrown).code === 'DATABASE_UNAVAILABLE') this.#unwritten.set(fabricId, { input, held });
      throw thrown;
    } finally {
      await this.#giveBack(token);
    }
  }

  /**
   * Writes down how runs ended while Postgres was away (A6), but for those whose rows somebody keeps locked: they must not
   * keep the others waiting, and are for the next time.
   * Tells each fabric as soon as its row says so, also where the next one fails: its timer is still hidden by the claim of
   * the run.
   * @throws `DATABASE_UNAVAILABLE` where it still is: what is left is kept. Anything else once: that end is forgotten
   */
  async *settleLeft(): AsyncIterable<string> {
    for (const fabricId of [...this.#unwritten.keys()]) {
      if (await this.#writeDown(fabricId, { noWait: true })) yield fabricId;
    }
  }

  /** @returns whether its row says so now; else somebody keeps it locked, which only `noWait` does not wait for */
  async #writeDown(fabricId: string, how: Pick<SettleRequest, 'noWait'> = {}): Promise<boolean> {
    const unwritten = this.#unwritten.get(fabricId);
    if (!unwritten) return true;
    const { input, held } = unwritten;
    const due = this.#due.afterEnd(input, held);
    const forget = () => {
      if (this.#unwritten.get(fabricId) === unwritten) this.#unwritten.delete(fabricId);
    };
    try {
      // Postgres was away for a while, and that was the pause that others have to make.
      const again = due && input.failure.code === 'DATABASE_UNAVAILABLE' ? this.#due.stillDue(due, held) : due;
      const { kind } = await this.#settle(input, again, held, how);
      if (kind !== 'locked') forget();
      return kind !== 'locked';
    } catch (thrown) {
      // What Postgres refuses it will refuse for ever, and would keep every sweep from its work: the sweep ends the lease.
      if (FabricFailure.from(thrown).code !== 'DATABASE_UNAVAILABLE') forget();
      throw thrown;
    }
  }

  #settle(
    input: SettleInput,
    due: SettleRequest['due'],
    held: Held | null,
    how: Pick<SettleRequest, 'noWait'> = {},
  ): Promise<Settled> {
    const { fabricId, rest, outcome, attempts, failure, claim } = input;
    return this.#deps.store.settle({
      fabricId,
      claim,
      rest,
      outcome,
      attempts,
      failure,
      connection: connectionAfter(failure.code),
      due,
      approval: held?.ending?.approval ?? null,
      figures: held?.ending?.figures ?? null,
      ...how,
    });
  }

  /** The fabric is gone, and with it whoever would have given its lease back. */
  async drop(fabricId: string): Promise<void> {
    this.#unwritten.delete(fabricId);
    await this.#dropWhere((held) => held.fabricId === fabricId);
  }

  /** Gives back every lease that is still held: the last thing that a stopping daemon does. */
  async dropAll(): Promise<void> {
    await this.#dropWhere(() => true);
  }

  async #dropWhere(meant: (held: Held) => boolean): Promise<void> {
    const tokens = [...this.#held].filter(([, held]) => meant(held)).map(([token]) => token);
    await Promise.all(tokens.map((token) => this.#giveBack(token)));
  }

  #claimTrustedUntil(askedMs: number): number {
    return askedMs + trustMs(this.#deps.policy.leaseTtlMs);
  }

  async #planOf(row: FabricRow): Promise<Plan> {
    const [planned] = await this.#deps.planner.remember([row]);
    return planned ? planned.plan : this.#deps.planner.of(row);
  }

  async #giveBack(token: string): Promise<void> {
    const held = this.#held.get(token);
    this.#held.delete(token);
    if (held?.lease) await this.#deps.lock.release(held.lease);
  }
}

/** A4: whichever ends first, monotonic milliseconds; infinite where neither does (A5). */
function trustedUntilMs({ lease, commit, claimTrustedUntilMs }: Held): number {
  const claimMs = commit === 'fenced' ? Number.POSITIVE_INFINITY : claimTrustedUntilMs;
  return Math.min(lease?.trustedUntilMs ?? claimMs, claimMs);
}
