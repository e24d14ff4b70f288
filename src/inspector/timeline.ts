// What this daemon saw of each fabric's statechart: the last transitions, and how far the lists of its run have come.
//
//   T1. Bounded: `entriesMax` in all, shared evenly, and never more than `perFabricMax` of one fabric.
//   T2. It only remembers what it is told; it asks nobody.

import type { Tiding } from '../admin/tidings.ts';
import type { Clock } from '../clock.ts';
import { eventWords } from './chart.ts';
import type { KindProgress, RunProgress, TransitionDocument } from './documents.ts';

type Moved = Extract<Tiding, { type: 'transition' }>;
type Progressed = Extract<Tiding, { type: 'progress' }>;

interface Seen {
  /** The oldest first. */
  readonly transitions: TransitionDocument[];
  /** When the last one happened, monotonic milliseconds. */
  lastMs: number | null;
  run: string | null;
  readonly kinds: Map<string, KindProgress>;
}

/** Some 250 bytes each: 8 MB at most, for a look back that is seldom taken. */
const entriesMax = 30_000;
const perFabricMax = 200;
const perFabricMin = 10;

export class Timeline {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #fabrics = new Map<string, Seen>();
  /** Paths and labels come again and again; each is kept once. */
  readonly #words = new Map<string, string>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** @returns the transition as it is told from here on */
  moved(tiding: Moved): TransitionDocument {
    const seen = this.#of(tiding.fabric_id);
    const nowMs = this.#clock.monotonicMs();
    const transition: TransitionDocument = {
      at: tiding.at,
      event: this.#word(tiding.event),
      label: this.#word(eventWords(tiding.event).label),
      // Not kept once: with a due time in it, it comes but once.
      why: tiding.why,
      from: this.#word(tiding.from),
      to: this.#word(tiding.to),
      stayed_ms: seen.lastMs === null ? null : Math.round(nowMs - seen.lastMs),
      late_ms: tiding.late_ms,
      trace_id: traceIdOf(tiding),
      run: tiding.run,
    };
    seen.lastMs = nowMs;
    seen.transitions.push(transition);
    const most = this.#perFabric();
    if (seen.transitions.length > most) seen.transitions.splice(0, seen.transitions.length - most);
    return transition;
  }

  progressed({ fabric_id, run, kind, listed, done }: Progressed): KindProgress {
    const seen = this.#of(fabric_id);
    if (seen.run !== run) {
      seen.run = run;
      seen.kinds.clear();
    }
    const progress = { kind: this.#word(kind), listed, done };
    seen.kinds.set(progress.kind, progress);
    return progress;
  }

  /** The newest first. */
  transitions(fabricId: string): readonly TransitionDocument[] {
    return this.#fabrics.get(fabricId)?.transitions.toReversed() ?? [];
  }

  /** Of the run in hand, or of the last one that was. */
  progress(fabricId: string): RunProgress | null {
    const seen = this.#fabrics.get(fabricId);
    return seen?.run ? { run: seen.run, kinds: [...seen.kinds.values()] } : null;
  }

  /** Drops what is kept of fabrics that are not there any more. */
  keepOnly(alive: { has(fabricId: string): boolean }): void {
    for (const fabricId of this.#fabrics.keys()) if (!alive.has(fabricId)) this.#fabrics.delete(fabricId);
  }

  #of(fabricId: string): Seen {
    const seen = this.#fabrics.get(fabricId) ?? { transitions: [], lastMs: null, run: null, kinds: new Map() };
    this.#fabrics.set(fabricId, seen);
    return seen;
  }

  #perFabric(): number {
    return Math.max(perFabricMin, Math.min(perFabricMax, Math.floor(entriesMax / Math.max(1, this.#fabrics.size))));
  }

  #word(text: string): string {
    const known = this.#words.get(text);
    if (known !== undefined) return known;
    // Events, states and kinds are few; a fabric that makes up kinds without end is not remembered here.
    if (this.#words.size < 1_000) this.#words.set(text, text);
    return text;
  }
}

function traceIdOf(tiding: Moved & { readonly trace_id?: string | null }): string | null {
  return tiding.trace_id ?? null;
}
