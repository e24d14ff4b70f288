// The fleet as it is now, kept in memory while somebody watches, and told as it changes.
//
//   L1. Nothing is read while nobody watches; what is seen is forgotten then, and no message connects before and after.
//   L2. What changed is read again: at once where this daemon saw it happen or was told of it, and everything every
//       `wholeEveryMs`, for what nobody told. Reads are one at a time, and many fabrics are one read.
//   L3. A part that does not answer costs its own share: what was last known stays, and `parts` says what is missing.
//   L4. A timer that disagrees with its row is told only when a later look still sees it: a run that ends moves both.

import { type Clock, formatIso } from '../clock.ts';
import type { FleetMember } from '../fleet/fleet.ts';
import type { InspectorReads } from '../ports/inspector-reads.ts';
import type { StatusRead, StatusRow } from '../ports/operator.ts';
import type { DaemonDocument, FleetDocument, FleetFabric, PartsDocument, RecentRun } from './documents.ts';
import type { Feed } from './feed.ts';
import { asked, Parts, type Trouble } from './parts.ts';
import { aged, timeless } from './passing-time.ts';
import { type TimersRead, timerDisagrees } from './timer-view.ts';
import { type DaemonWord, type FabricView, statusView } from './view.ts';
import { type Here, placed } from './whereabouts.ts';

export interface LiveDeps {
  readonly clock: Clock;
  readonly daemon: DaemonDocument;
  readonly reads: Pick<InspectorReads, 'status' | 'endedRuns'>;
  /** Never throws. */
  readonly readTimers: () => Promise<TimersRead>;
  readonly fleet: {
    members(): Iterable<FleetMember>;
    member(fabricId: string): FleetMember | null;
    waits(fabricId: string): boolean;
  };
  readonly troubles: {
    daemon(): Trouble | null;
    redis(): Trouble | null;
    postgres(): Trouble | null;
  };
  readonly feed: Feed;
  readonly usesRedis: boolean;
}

interface Known {
  readonly view: FleetFabric;
  /** The view without what time alone changes: two that are equal say the same. */
  readonly key: string;
  readonly madeMs: number;
}

/** One time of being watched. */
interface Awake {
  readonly end: AbortController;
  /** Everything was asked for once. */
  readonly first: Promise<void>;
  readonly over: Promise<void>;
}

/** Changes of this long are told together. */
const gatherMs = 250;
const wholeEveryMs = 10_000;
const wholeAgainMs = 2_000;
const timersEveryMs = 2_000;
/** After the last one left: who only reloads the page is told what was missed. */
const lingerMs = 20_000;
/** What is missing is looked at this often, without asking anybody. */
const partsEveryMs = 1_000;
/** More than these are read by reading everything. */
const someMax = 300;
const recentMax = 20;

export class Live {
  readonly #deps: LiveDeps;
  readonly #parts: Parts;
  readonly #known = new Map<string, Known>();
  readonly #rows = new Map<string, StatusRow>();
  readonly #recent = new Map<string, readonly RecentRun[]>();
  #timers: TimersRead = { state: 'none' };
  #timersReadMs = Number.NEGATIVE_INFINITY;
  #timerReads = 0;
  /** Fabric id -> the reading of the timers in which it first disagreed (L4). */
  readonly #suspects = new Map<string, number>();
  #orphans: readonly string[] = [];
  readonly #dirty = new Set<string>();
  #wholeAtMs = 0;
  #watchers = 0;
  #awake: Awake | null = null;
  #cancelSleep: () => void = () => {};
  #hurry: () => void = () => {};

  constructor(deps: LiveDeps) {
    this.#deps = deps;
    this.#parts = new Parts(deps.clock.nowMs(), deps.usesRedis ? 'used' : 'none');
  }

  get awake(): boolean {
    return this.#awake !== null;
  }

  /**
   * Somebody watches until `release`.
   * @returns `ready` resolves when everything was asked for once, however that went
   */
  watch(): { readonly ready: Promise<void>; readonly release: () => void } {
    this.#watchers += 1;
    this.#cancelSleep();
    this.#awake ??= this.#wake();
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      this.#watchers -= 1;
      if (this.#watchers > 0) return;
      this.#cancelSleep = this.#deps.clock.after(lingerMs, () => void this.sleep());
    };
    return { ready: this.#awake.first, release };
  }

  /** Forgets and reads nothing any more until somebody watches. Safe to repeat. */
  async sleep(): Promise<void> {
    const awake = this.#awake;
    this.#awake = null;
    this.#cancelSleep();
    if (!awake) return;
    awake.end.abort();
    for (const kept of [this.#known, this.#rows, this.#recent, this.#suspects, this.#dirty]) kept.clear();
    this.#orphans = [];
    this.#timers = { state: 'none' };
    this.#timersReadMs = Number.NEGATIVE_INFINITY;
    this.#deps.feed.forget();
    await awake.over;
  }

  /** Something happened to this fabric. */
  mark(fabricId: string): void {
    if (!this.#awake) return;
    this.#dirty.add(fabricId);
    this.#hurry();
  }

  /** Anything may have happened. */
  markAll(): void {
    this.#wholeAtMs = 0;
    this.#hurry();
  }

  parts(): PartsDocument {
    return this.#parts.document();
  }

  /** By number or by name; as it was read last. */
  find(nameOrNumber: string): { readonly view: FleetFabric; readonly row: StatusRow | null } | null {
    const known =
      this.#known.get(nameOrNumber) ?? [...this.#known.values()].find(({ view }) => view.name === nameOrNumber);
    return known ? { view: this.#aged(known), row: this.#rows.get(known.view.id) ?? null } : null;
  }

  row(fabricId: string): StatusRow | null {
    return this.#rows.get(fabricId) ?? null;
  }

  fleet(): FleetDocument {
    const fabrics = [...this.#known.values()].map((known) => this.#aged(known));
    return {
      id: this.#deps.feed.id,
      at: formatIso(this.#deps.clock.nowMs()),
      daemon: this.#deps.daemon,
      parts: this.parts(),
      fabrics,
      orphan_timers: this.#orphans,
      disagreements: this.#orphans.length + fabrics.filter(({ timer }) => timerDisagrees[timer.state]).length,
    };
  }

  #wake(): Awake {
    const end = new AbortController();
    const first = Promise.withResolvers<void>();
    this.#wholeAtMs = 0;
    return { end, first: first.promise, over: this.#keepLooking(end.signal, first.resolve) };
  }

  async #keepLooking(signal: AbortSignal, ready: () => void): Promise<void> {
    while (!signal.aborted) {
      await this.#look(signal);
      ready();
      await this.#pause(signal);
    }
    ready();
  }

  /** Until there is something to do, and long enough that much of it is done at once. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    await clock.sleep(gatherMs, signal).catch(() => {});
    while (!signal.aborted && this.#dirty.size === 0) {
      const leftMs = this.#wholeAtMs - clock.monotonicMs();
      if (leftMs <= 0) return;
      await this.#rest(Math.min(leftMs, partsEveryMs), signal);
      this.#noteOthers();
    }
  }

  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hurry = () => resolve();
    const stop = this.#deps.clock.after(ms, hurry);
    this.#hurry = hurry;
    signal.addEventListener('abort', hurry, { once: true });
    await promise;
    stop();
    signal.removeEventListener('abort', hurry);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { clock, reads, readTimers } = this.#deps;
    const nowMs = clock.monotonicMs();
    const whole = nowMs >= this.#wholeAtMs || this.#dirty.size > someMax;
    const ids = [...this.#dirty];
    this.#dirty.clear();
    if (whole) this.#wholeAtMs = nowMs + wholeEveryMs;
    const wantsTimers = whole || nowMs - this.#timersReadMs >= timersEveryMs;
    const [rows, recent, timers] = await Promise.all([
      asked(reads.status(whole ? null : ids)),
      this.#recent.size === 0 ? asked(reads.endedRuns(recentMax)) : null,
      wantsTimers ? readTimers() : null,
    ]);
    if (signal.aborted) return;
    if (timers) {
      this.#timers = timers;
      this.#timersReadMs = nowMs;
      this.#timerReads += 1;
    }
    if (recent && 'answer' in recent) this.#takeRecent(recent.answer);
    this.#noteParts('problem' in rows ? rows : null);
    if ('problem' in rows) {
      this.#wholeAtMs = Math.min(this.#wholeAtMs, nowMs + wholeAgainMs);
      this.#withoutRows(whole ? null : ids);
      return;
    }
    this.#take(rows.answer, whole ? null : ids);
  }

  /** @param rowsProblem why Postgres did not answer just now; null where it did */
  #noteParts(rowsProblem: Trouble | null): void {
    const { clock, troubles } = this.#deps;
    // Who asks now knows; since when it has been so, the sweep may know better.
    const postgres = rowsProblem && { ...rowsProblem, ...troubles.postgres() };
    const changed = this.#parts.note('postgres', postgres, clock.nowMs());
    this.#noteOthers(changed);
  }

  /** What can be told without asking anybody. */
  #noteOthers(changed = false): void {
    const { clock, troubles, feed } = this.#deps;
    const nowMs = clock.nowMs();
    const others = [
      this.#parts.note('daemon', troubles.daemon(), nowMs),
      this.#parts.note('redis', troubles.redis(), nowMs),
    ];
    const told = this.parts();
    // The sweep says otherwise than the last look: look again.
    if ((troubles.postgres() !== null) !== (told.postgres.state === 'missing')) this.#wholeWithin(wholeAgainMs);
    if (others[1]) this.#wholeWithin(gatherMs);
    if (changed || others.includes(true)) feed.tell('parts', JSON.stringify(told), null);
  }

  #wholeWithin(ms: number): void {
    this.#wholeAtMs = Math.min(this.#wholeAtMs, this.#deps.clock.monotonicMs() + ms);
  }

  #take(read: StatusRead, ids: readonly string[] | null): void {
    const whole = ids === null;
    const present = new Set(read.fabrics.map((row) => row.fabricId));
    for (const fabricId of whole ? [...this.#known.keys()] : ids) if (!present.has(fabricId)) this.#remove(fabricId);
    for (const row of read.fabrics) this.#rows.set(row.fabricId, row);
    const stored = this.#timers.state === 'answers' ? this.#timers.timers : [];
    const timers: TimersRead = whole
      ? this.#timers
      : this.#timers.state === 'answers'
        ? { state: 'answers', timers: stored.filter(({ fabricId }) => present.has(fabricId)) }
        : this.#timers;
    const { fabrics, orphan_timers } = statusView({
      rows: read,
      timers,
      daemon: this.#word(present),
      nowMs: read.nowMs,
      partial: !whole,
    });
    if (whole) this.#orphans = orphan_timers.filter((fabricId) => this.#isSure(fabricId, true));
    for (const view of fabrics) this.#tell(this.#sure(view), this.#recentOf(view));
  }

  /** Postgres is away: what its rows said last stays, and the actors are told beside it. */
  #withoutRows(ids: readonly string[] | null): void {
    if (this.#known.size > 0) {
      for (const fabricId of ids ?? this.#known.keys()) {
        const known = this.#known.get(fabricId);
        if (known) this.#tell(this.#aged(known), known.view.recent);
      }
      return;
    }
    const { fabrics } = statusView({
      rows: { problem: '' },
      timers: this.#timers,
      daemon: this.#word(null),
      nowMs: this.#deps.clock.nowMs(),
    });
    for (const view of fabrics) this.#tell(view, []);
  }

  #tell(fabric: FabricView, recent: readonly RecentRun[]): void {
    const view: FleetFabric = { ...placed(fabric, this.#here(fabric.id)), recent };
    const key = timeless(view);
    const was = this.#known.get(fabric.id);
    this.#known.set(fabric.id, { view, key, madeMs: this.#deps.clock.monotonicMs() });
    if (was?.key !== key) this.#deps.feed.tell('fabric', JSON.stringify(view), fabric.id);
  }

  #remove(fabricId: string): void {
    const known = this.#known.get(fabricId);
    this.#rows.delete(fabricId);
    this.#recent.delete(fabricId);
    this.#suspects.delete(fabricId);
    if (!this.#known.delete(fabricId) || !known) return;
    this.#deps.feed.tell('gone', JSON.stringify({ id: fabricId, name: known.view.name }), fabricId);
  }

  #sure(view: FabricView): FabricView {
    const disagrees = timerDisagrees[view.timer.state];
    if (this.#isSure(view.id, disagrees) || !disagrees) return view;
    // Looked at again soon, with the timers read anew.
    this.#wholeWithin(timersEveryMs);
    return { ...view, timer: { ...view.timer, state: 'moving' } };
  }

  #isSure(fabricId: string, disagrees: boolean): boolean {
    if (!disagrees) {
      this.#suspects.delete(fabricId);
      return true;
    }
    const since = this.#suspects.get(fabricId);
    if (since === undefined) this.#suspects.set(fabricId, this.#timerReads);
    return since !== undefined && since < this.#timerReads;
  }

  #takeRecent(runs: Awaited<ReturnType<InspectorReads['endedRuns']>>): void {
    for (const [fabricId, ended] of runs) {
      this.#recent.set(
        fabricId,
        ended.map(({ runId, outcome, durationMs }) => ({ id: runId, outcome, duration_ms: durationMs })),
      );
    }
  }

  #recentOf({ id, last_run }: FabricView): readonly RecentRun[] {
    const recent = this.#recent.get(id) ?? [];
    if (!last_run || last_run.outcome === null || recent.some((run) => run.id === last_run.id)) return recent;
    const newest = { id: last_run.id, outcome: last_run.outcome, duration_ms: last_run.duration_ms ?? 0 };
    const now = [...recent, newest].slice(-recentMax);
    this.#recent.set(id, now);
    return now;
  }

  #aged({ view, madeMs }: Known): FleetFabric {
    return placed(aged(view, this.#deps.clock.monotonicMs() - madeMs), this.#here(view.id));
  }

  #here(fabricId: string): Here {
    const { daemon, fleet } = this.#deps;
    return { daemon: daemon.name, member: fleet.member(fabricId), waits: fleet.waits(fabricId) };
  }

  /** @param ids of the fabrics that are to be told; null: all that have an actor here */
  #word(ids: ReadonlySet<string> | null): DaemonWord {
    const { daemon, fleet, troubles } = this.#deps;
    const members = ids ? [...ids].flatMap((fabricId) => fleet.member(fabricId) ?? []) : [...fleet.members()];
    return {
      daemon: daemon.name,
      version: daemon.version,
      pid: daemon.pid,
      uptimeMs: 0,
      ok: troubles.daemon() === null,
      why: troubles.daemon()?.problem ?? '',
      redis: '',
      postgres: '',
      fabrics: members.map(({ fabricId, name, state, context }) => ({
        id: fabricId,
        name,
        state,
        attempts: context.attempts,
      })),
    };
  }
}
