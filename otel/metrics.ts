// What is measured: events are told as they happen, states are asked for when somebody looks.
//
//   Q1. Names, units and attributes come from `names.ts`; nothing is measured that does not stand there.
//   Q2. A fabric that is gone is gone from the metrics: what is named is observed anew at each look.
//   Q3. At most `namedMax` fabrics are named at a look, the most outdated first: a mistake that adds a hundred thousand
//       fabrics must not take the monitoring down with it.

import type { Meter } from '@opentelemetry/api';
import { all, beginAtZero, type Instruments, instrumentsOf } from './instruments.ts';
import { counted, distributed, observed } from './names.ts';

/** A fabric as a look at the metrics tells it. Seconds. */
export interface FabricFacts {
  readonly name: string;
  /** Since the last run that was committed began; null: never, or not known yet. */
  readonly ageS: number | null;
  /** Null while nothing is planned for it. */
  readonly intervalS: number | null;
  readonly trouble: { readonly state: 'backoff' | 'errored'; readonly code: string; readonly attempts: number } | null;
  /** What it waits for a person to approve. */
  readonly waitsFor: 'deletions' | 'cluster' | null;
}

/** What a look asks the daemon for. None of it may block. */
export interface DaemonFacts {
  census(): Readonly<Record<string, number>>;
  fabrics(): Iterable<FabricFacts>;
  overdueS(): number;
  slots(): {
    readonly running: number;
    readonly capacity: number;
    readonly waiting: Readonly<Record<string, number>>;
  };
  /** Whether each server answers, by its `db.system.name`; one that is not used is left out. */
  available(): Readonly<Record<string, boolean>>;
  progress(): boolean;
}

/** How a run ended, as the histogram tells it. */
export type RunOutcome =
  | 'complete'
  | 'partial'
  | 'awaiting_approval'
  | 'failed'
  | 'cancelled'
  | 'fenced'
  | 'interrupted';
export type LeaseKind = 'lock' | 'claim';

/** Fabrics that are named at one look. */
const namedMax = 10_000;

export class Metrics {
  readonly #meter: Meter;
  readonly #counted: Instruments<typeof counted>;
  readonly #distributed: Instruments<typeof distributed>;
  readonly #observed: Instruments<typeof observed>;

  constructor(meter: Meter) {
    this.#meter = meter;
    this.#counted = instrumentsOf(meter, counted);
    this.#distributed = instrumentsOf(meter, distributed);
    this.#observed = instrumentsOf(meter, observed);
    beginAtZero(counted, this.#counted);
  }

  /** @param lateMs since the due time; null for a manual run */
  runStarted(trigger: string, lateMs: number | null): void {
    this.#counted.runStarts.add(1, { 'fabric.run.trigger': trigger });
    // Another machine's clock may have made the due time.
    if (lateMs !== null)
      this.#distributed.runLateness.record(Math.max(0, lateMs) / 1_000, { 'fabric.run.trigger': trigger });
  }

  runEnded(outcome: RunOutcome, durationMs: number): void {
    this.#distributed.runDuration.record(durationMs / 1_000, { 'fabric.run.outcome': outcome });
  }

  runFailed(code: string): void {
    this.#counted.runFailures.add(1, { 'error.type': code });
  }

  contended(lease: LeaseKind): void {
    this.#counted.contentions.add(1, { 'fabric.lease.kind': lease });
  }

  fenced(act: 'commit' | 'settle'): void {
    this.#counted.fenced.add(1, { 'fabric.store.act': act });
  }

  leaseRenewed(lease: LeaseKind, answer: 'renewed' | 'refused' | 'unanswered'): void {
    this.#counted.leaseRenewals.add(1, { 'fabric.lease.kind': lease, 'fabric.lease.answer': answer });
  }

  leaseLost(): void {
    this.#counted.leaseLosses.add(1);
  }

  timersArmed(kind: string, count = 1): void {
    this.#counted.timersArmed.add(count, { 'fabric.timer.kind': kind });
  }

  swept(repairs: Readonly<Record<'rearmed' | 'cancelled' | 'interrupted', number>>): void {
    for (const [repair, count] of Object.entries(repairs)) {
      if (count > 0) this.#counted.sweepRepairs.add(count, { 'fabric.sweep.repair': repair });
    }
  }

  /** What a run read, however it ended. */
  read(spent: { readonly objects: number; readonly bytes: number; readonly requests: number }): void {
    this.#counted.objectsRead.add(spent.objects);
    this.#counted.bytesRead.add(spent.bytes);
    this.#counted.requests.add(spent.requests);
  }

  /** What a committed run did. */
  changed(
    counts: Readonly<Record<'created' | 'updated' | 'deleted' | 'unsynced' | 'touched' | 'quarantined', number>>,
  ): void {
    for (const [change, count] of Object.entries(counts)) {
      if (count > 0) this.#counted.objectChanges.add(count, { 'fabric.object.change': change });
    }
  }

  /** From now on each look asks `facts`. @returns stops it */
  observe(facts: DaemonFacts): () => void {
    const the = this.#observed;
    const instruments = all(the);
    const look: Parameters<Meter['addBatchObservableCallback']>[0] = (seen) => {
      for (const [state, count] of Object.entries(facts.census()))
        seen.observe(the.fabrics, count, { 'fabric.state': state });
      const { running, capacity, waiting } = facts.slots();
      seen.observe(the.running, running);
      seen.observe(the.capacity, capacity);
      for (const [slotClass, count] of Object.entries(waiting)) {
        seen.observe(the.waiting, count, { 'fabric.slot.class': slotClass });
      }
      for (const [server, up] of Object.entries(facts.available())) {
        seen.observe(the.available, up ? 1 : 0, { 'db.system.name': server });
      }
      seen.observe(the.progress, facts.progress() ? 1 : 0);
      seen.observe(the.overdue, facts.overdueS());
      for (const { name, ageS, intervalS, trouble, waitsFor } of named([...facts.fabrics()])) {
        const fabric = { 'fabric.name': name };
        if (ageS !== null) seen.observe(the.lastSuccessAge, ageS, fabric);
        if (intervalS !== null) seen.observe(the.interval, intervalS, fabric);
        if (waitsFor) seen.observe(the.awaitingApproval, 1, { ...fabric, 'fabric.approval.kind': waitsFor });
        if (trouble) {
          const why = { 'fabric.state': trouble.state, 'error.type': trouble.code };
          seen.observe(the.failedAttempts, trouble.attempts, { ...fabric, ...why });
        }
      }
    };
    this.#meter.addBatchObservableCallback(look, instruments);
    return () => this.#meter.removeBatchObservableCallback(look, instruments);
  }
}

/** Q3. */
function named(fabrics: readonly FabricFacts[]): readonly FabricFacts[] {
  if (fabrics.length <= namedMax) return fabrics;
  return fabrics.toSorted((one, other) => (other.ageS ?? Infinity) - (one.ageS ?? Infinity)).slice(0, namedMax);
}
