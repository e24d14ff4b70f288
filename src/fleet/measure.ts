// From what the fleet does to what is measured (`otel/metrics.ts`). It watches and never acts: transitions as they are
// told, and the ports by wrapping them.
//
//   Z1. What wraps a port answers as the port does, also when it throws.
//   Z2. The rows that pass by are remembered for the metrics of single fabrics; those of fabrics that are gone are not.

import type { FabricState } from '../../machines/fabric/plan.ts';
import type { DaemonFacts, FabricFacts, Metrics, RunOutcome } from '../../otel/metrics.ts';
import { top } from '../../otel/transitions.ts';
import type { Clock } from '../clock.ts';
import type { FabricLock } from '../ports/lock.ts';
import type { FabricRow, Store } from '../ports/store.ts';
import { sumsOf } from '../ports/sums.ts';
import type { TimerStore } from '../ports/timers.ts';
import type { SyncEnding } from '../sync/run.ts';
import type { FabricTransition, Fleet, FleetMember } from './fleet.ts';
import { atStart, type SweepFindings } from './sweep.ts';

/** What a row said of a fabric, as far as metrics need it. */
interface Seen {
  /** Of the last run that was committed; null before the first. Undefined: a run was in hand each time it was read. */
  lastSyncMs: number | null | undefined;
  intervalMs: number;
  waitsFor: FabricFacts['waitsFor'];
}

export class Measure {
  readonly #metrics: Metrics;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #seen = new Map<string, Seen>();
  /** How the run in hand ended, until it is known how long it took. */
  readonly #ended = new Map<string, RunOutcome>();

  constructor(metrics: Metrics, clock: Pick<Clock, 'nowMs'>) {
    this.#metrics = metrics;
    this.#clock = clock;
  }

  transition({ fabricId, event, from, to, stayedMs, context }: FabricTransition): void {
    const metrics = this.#metrics;
    const [left, entered] = [top(from) as FabricState, top(to) as FabricState];
    if (left === 'locked' && entered === 'syncing') {
      const { trigger, servedDueMs } = context;
      metrics.runStarted(trigger, servedDueMs === null ? null : this.#clock.nowMs() - servedDueMs);
    }
    const failed = to.endsWith('.recording');
    const stopped = to === 'syncing.stopping';
    if ((failed || stopped) && context.failure) metrics.runFailed(context.failure.code);
    if (event === 'LEASE_LOST') metrics.leaseLost();
    if (stopped) this.#ended.set(fabricId, context.failure?.code === 'FENCE_STALE' ? 'fenced' : 'cancelled');
    if (left !== 'syncing' || entered === 'syncing') return;
    const ended = this.#ended.get(fabricId) ?? 'complete';
    this.#ended.delete(fabricId);
    // It could not be written down how it was stopped: the sweep will find its lease expired.
    const unsettled = from === 'syncing.stopping' && entered === 'locked';
    metrics.runEnded(failed ? 'failed' : unsettled ? 'interrupted' : ended, stayedMs ?? 0);
  }

  /** A run came to its end, before the fleet knows. */
  ended(fabricId: string, ending: SyncEnding): void {
    const { requests, bytesRead } = ending.figures;
    const { listed, unchanged: _, ...changed } = sumsOf(ending.figures);
    this.#metrics.read({ objects: listed, bytes: bytesRead, requests });
    if (ending.kind === 'failed') return;
    this.#ended.set(fabricId, ending.outcome);
    this.#metrics.changed(changed);
  }

  swept({ rearmed, cancelled, interrupted }: SweepFindings, why: string): void {
    // At a start every timer is compared and new ones are armed: that is no repair.
    this.#metrics.swept(
      why === atStart ? { rearmed: 0, cancelled: 0, interrupted } : { rearmed, cancelled, interrupted },
    );
  }

  /** The fabric is gone. */
  forget(fabricId: string): void {
    this.#seen.delete(fabricId);
    this.#ended.delete(fabricId);
  }

  /** What is told of each fabric of the fleet. */
  *facts(members: Iterable<FleetMember>): Iterable<FabricFacts> {
    const nowMs = this.#clock.nowMs();
    for (const { fabricId, name, state, context } of members) {
      const seen = this.#seen.get(fabricId);
      const { failure, attempts } = context;
      const inTrouble = (state === 'backoff' || state === 'errored') && failure !== null;
      const last = seen?.lastSyncMs ?? null;
      yield {
        name,
        ageS: last === null ? null : Math.max(0, nowMs - last) / 1_000,
        intervalS: seen && context.plan.state !== 'idle' ? seen.intervalMs / 1_000 : null,
        trouble: inTrouble ? { state, code: failure.code, attempts } : null,
        waitsFor: seen?.waitsFor ?? null,
      };
    }
  }

  store(store: Store): Store {
    const metrics = this.#metrics;
    return {
      ...store,
      fabrics: async () => {
        const rows = await store.fabrics();
        for (const row of rows) this.#saw(row);
        return rows;
      },
      fabric: async (fabricId) => {
        const row = await store.fabric(fabricId);
        if (row) this.#saw(row);
        return row;
      },
      claim: async (request) => {
        const answer = await store.claim(request);
        if (answer.kind === 'contended') metrics.contended('claim');
        return answer;
      },
      renew: async (request) => {
        try {
          const mine = await store.renew(request);
          metrics.leaseRenewed('claim', mine ? 'renewed' : 'refused');
          return mine;
        } catch (cause) {
          metrics.leaseRenewed('claim', 'unanswered');
          throw cause;
        }
      },
      commit: async (request, signal, onFenced) => {
        const answer = await store.commit(request, signal, onFenced);
        if (answer.kind === 'stale') metrics.fenced('commit');
        else this.#saw(answer.row);
        return answer;
      },
      settle: async (request) => {
        const answer = await store.settle(request);
        if (answer.kind === 'stale') metrics.fenced('settle');
        if (answer.kind === 'settled') this.#saw(answer.row);
        return answer;
      },
    };
  }

  lock(lock: FabricLock): FabricLock {
    const metrics = this.#metrics;
    return {
      acquire: async (fabricId) => {
        const answer = await lock.acquire(fabricId);
        if (answer.kind === 'contended') metrics.contended('lock');
        return answer;
      },
      renew: async (lease) => {
        const renewed = await lock.renew(lease);
        metrics.leaseRenewed('lock', renewed ? 'renewed' : 'refused');
        return renewed;
      },
      release: (lease) => lock.release(lease),
    };
  }

  timers(timers: TimerStore): TimerStore {
    const metrics = this.#metrics;
    return {
      get shared() {
        return timers.shared;
      },
      arm: async (timer) => {
        await timers.arm(timer);
        metrics.timersArmed(timer.kind);
      },
      armMany: async (many, options) => {
        let armed = 0;
        // Kind by kind: how many of each were missing only the store knows.
        for (const [kind, of] of Object.entries(Object.groupBy(many, (timer) => timer.kind))) {
          const answer = await timers.armMany(of, options);
          metrics.timersArmed(kind, answer.armed);
          armed += answer.armed;
        }
        return { armed };
      },
      cancel: (fabricId) => timers.cancel(fabricId),
      claimDue: (request) => timers.claimDue(request),
      hold: (fabricId, untilMs) => timers.hold(fabricId, untilMs),
      nextMs: () => timers.nextMs(),
      all: () => timers.all(),
      onWake: (wake) => timers.onWake(wake),
    };
  }

  #saw({ fabricId, lastSyncMs, intervalMs, leaseUntilMs, waitsFor }: FabricRow): void {
    // While somebody has the claim, the row says when that run began, which is no success yet.
    const last = leaseUntilMs === null ? lastSyncMs : this.#seen.get(fabricId)?.lastSyncMs;
    this.#seen.set(fabricId, { lastSyncMs: last, intervalMs, waitsFor });
  }
}

/** What a look at the metrics asks. `redis`: null where it is not used by choice. */
export function daemonFacts(parts: {
  readonly measure: Measure;
  readonly fleet: Fleet;
  readonly vitals: { overdueMs(): number; progress(): { readonly ok: boolean } };
  readonly redis: (() => boolean) | null;
  readonly postgres: () => boolean;
}): DaemonFacts {
  const { measure, fleet, vitals, redis, postgres } = parts;
  return {
    census: () => fleet.census(),
    fabrics: () => measure.facts(fleet.members()),
    overdueS: () => vitals.overdueMs() / 1_000,
    slots: () => ({ running: fleet.slots.running, capacity: fleet.slots.capacity, waiting: fleet.slots.queue }),
    available: () => ({ postgresql: postgres(), ...(redis && { redis: redis() }) }),
    progress: () => vitals.progress().ok,
  };
}
