// One attempt to sync one fabric, step by step, as the statechart asks for it: lease, claim, run, renewal, settling.
// The machine decides what comes next; this file decides nothing, it does.
//
//   A1. Whatever a step acquired and did not hand on is given back by that step, also when it throws.
//   A2. A lease is held under a token until `runSync` or `settle` gives it back; `dropAll` gives back the rest.
//   A3. The plan that a step returns is read off the row as it is now, not as it was when the attempt began.

import { randomUUID } from 'node:crypto';
import { type BackoffPolicy, probeDelayMs, retryDelayMs } from '../../machines/fabric/backoff.ts';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { nextTick, type Plan } from '../../machines/fabric/plan.ts';
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
import type { FabricLock, Lease } from '../ports/lock.ts';
import type { FabricRow, FabricSettings, NextDue, Store } from '../ports/store.ts';
import type { TimerStore } from '../ports/timers.ts';
import type { SyncEnding, SyncJob } from '../sync/run.ts';
import type { Planner } from './planner.ts';

export interface AttemptPolicy {
  readonly leaseTtlMs: number;
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
  lease: Lease | null;
  row: FabricRow | null;
  settings: FabricSettings | null;
  /** How the run in hand ended, where it failed: what `settle` writes beside the failure. */
  ending: Extract<SyncEnding, { kind: 'failed' }> | null;
}

export class Attempts {
  readonly #deps: AttemptDeps;
  readonly #held = new Map<string, Held>();

  constructor(deps: AttemptDeps) {
    this.#deps = deps;
  }

  async armTimer({ fabricId, kind, dueAtMs }: ArmInput, traceparent: string | null = null): Promise<void> {
    await this.#deps.timers.arm({ fabricId, kind, dueAtMs, traceparent });
  }

  async acquireLease({ fabricId }: AttemptInput): Promise<LockAnswer> {
    const answer = await this.#deps.lock.acquire(fabricId);
    if (answer.kind === 'contended') return { kind: 'contended', holder: null };
    const token = randomUUID();
    const lease = answer.kind === 'acquired' ? answer.lease : null;
    this.#held.set(token, { lease, row: null, settings: null, ending: null });
    return { kind: 'acquired', token, degraded: lease === null };
  }

  async makeClaim(input: AttemptInput & { token: string }): Promise<ClaimAnswer> {
    const { store, daemon, policy } = this.#deps;
    const { token, fabricId, trigger, servedDueMs, traceparent } = input;
    let claimed = false;
    try {
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
          claimed = true;
          return { kind: 'claimed', claim: answer.claim };
        }
        case 'contended':
          return { kind: 'contended', holder: answer.holder };
        case 'superseded':
          return { kind: 'superseded', plan: await this.#planOf(answer.row) };
        default:
          return { kind: 'superseded', plan: { state: 'idle', reason: 'not_configured' } };
      }
    } finally {
      if (!claimed) await this.#giveBack(token);
    }
  }

  async runSync(input: RunInput, signal: AbortSignal): Promise<RunEnding> {
    const held = this.#held.get(input.token);
    if (!held?.row || !held.settings) throw new FabricFailure('LEASE_LOST', 'the lease was given up before the run');
    const { row, settings } = held;
    const job: SyncJob = { fabricId: input.fabricId, claim: input.claim, settings, next: () => this.#next(row) };
    const ending = await this.#deps.sync(job, signal);
    if (ending.kind === 'failed') {
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
    const everyMs = policy.leaseTtlMs / 3;
    let claimTrustedUntilMs = clock.monotonicMs() + policy.leaseTtlMs;
    let over = false;
    let stopTimer = () => {};
    const end = (reason?: string) => {
      if (over) return;
      over = true;
      stopTimer();
      if (reason) lost(reason);
    };
    const renew = async () => {
      const held = this.#held.get(token);
      if (!held) return end();
      if (held.lease && clock.monotonicMs() >= held.lease.trustedUntilMs) return end('it was not renewed in time');
      const askedMs = clock.monotonicMs();
      const [lease, mine] = await Promise.all([
        held.lease ? lock.renew(held.lease) : null,
        store.renew({ fabricId, claim, leaseTtlMs: policy.leaseTtlMs }).catch(() => null),
        // The hold keeps the timer from showing to others; the lease is what protects the run.
        timers.hold(fabricId, clock.nowMs() + policy.leaseTtlMs).catch(() => undefined),
      ]);
      if (over) return;
      if (held.lease && !lease) return end('its renewal was refused or in doubt');
      if (mine === false) return end('another run took over');
      if (mine) claimTrustedUntilMs = askedMs + policy.leaseTtlMs;
      if (clock.monotonicMs() >= claimTrustedUntilMs) return end('Postgres did not renew the claim in time');
      held.lease = lease;
      schedule();
    };
    const schedule = () => {
      stopTimer = clock.after(everyMs, () => {
        renew().catch((error: unknown) => end(`its renewal failed: ${FabricFailure.from(error).code}`));
      });
    };
    schedule();
    return () => end();
  }

  async settle({ fabricId, rest, attempts, failure, claim, token }: SettleInput): Promise<{ plan: Plan }> {
    const { store } = this.#deps;
    const held = token === null ? undefined : this.#held.get(token);
    try {
      if (claim) {
        const answer = await store.settle({
          fabricId,
          claim,
          rest,
          outcome: rest === 'scheduled' ? 'cancelled' : 'failed',
          attempts,
          failure,
          connection: connectionAfter(failure.code),
          due: this.#dueAfter({ rest, attempts, failure, row: held?.row ?? null }),
          approval: held?.ending?.approval ?? null,
          figures: held?.ending?.figures ?? null,
        });
        if (answer.kind === 'settled') return { plan: await this.#planOf(answer.row) };
      }
      // Overtaken, or it failed before it had a claim: the row says where to rest.
      const row = await store.fabric(fabricId);
      return { plan: row ? await this.#planOf(row) : { state: 'idle', reason: 'not_configured' } };
    } finally {
      if (token !== null) await this.#giveBack(token);
    }
  }

  /** Gives back every lease that is still held: the last thing that a stopping daemon does. */
  async dropAll(): Promise<void> {
    await Promise.all([...this.#held.keys()].map((token) => this.#giveBack(token)));
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

  #next(row: FabricRow): NextDue | null {
    if (!row.syncEnabled || !row.schedulerEnabled || row.intervalMs <= 0) return null;
    const { clock, dice } = this.#deps;
    // A tick of another interval has no phase to keep.
    const tickMs = row.tickIntervalMs === row.intervalMs ? row.tickMs : null;
    return { ...nextTick(tickMs, row.intervalMs, clock.nowMs(), dice.roll()), intervalMs: row.intervalMs };
  }

  #dueAfter(ended: {
    rest: SettleInput['rest'];
    attempts: number;
    failure: SettleInput['failure'];
    row: FabricRow | null;
  }) {
    const { clock, dice, policy } = this.#deps;
    const { rest, attempts, failure, row } = ended;
    const nowMs = clock.nowMs();
    switch (rest) {
      case 'backoff': {
        const delayMs = retryDelayMs(policy.backoff, attempts, dice.roll(), failure.retryAfterMs);
        return { kind: 'retry', dueAtMs: nowMs + delayMs } as const;
      }
      case 'errored': {
        const delayMs = probeDelayMs(policy.backoff, row?.intervalMs ?? 0, dice.roll(), failure.retryAfterMs);
        return { kind: 'probe', dueAtMs: nowMs + delayMs } as const;
      }
      case 'scheduled': {
        // A daemon that is stopped in the middle leaves the fabric due, so that the next start resumes it.
        if (failure.code === 'SHUTDOWN') return { kind: 'sync', dueAtMs: nowMs } as const;
        const next = row && this.#next(row);
        return next ? ({ kind: 'sync', dueAtMs: next.dueAtMs } as const) : null;
      }
    }
  }
}

/** What a failure says about the connection: null where it says nothing. */
function connectionAfter(code: FabricFailure['code']): 'disconnected' | 'error' | null {
  switch (code) {
    case 'ADDRESS_UNKNOWN':
    case 'UNREACHABLE':
    case 'TIMED_OUT':
      return 'disconnected';
    case 'TLS_UNTRUSTED':
    case 'TLS_NAME_MISMATCH':
    case 'TLS_EXPIRED':
    case 'TLS_FAILED':
    case 'UNAUTHORIZED':
    case 'FORBIDDEN':
    case 'REDIRECTED':
    case 'THROTTLED':
    case 'SERVER_ERROR':
    case 'NOT_KUBERNETES':
    case 'BODY_BROKEN':
    case 'BODY_TOO_LARGE':
    case 'CLUSTER_CHANGED':
    // Nothing can be reached with these.
    case 'SETTINGS_INVALID':
    case 'CREDENTIAL_UNREADABLE':
      return 'error';
    default:
      return null;
  }
}
