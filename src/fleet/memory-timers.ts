// Timers kept in memory: the mode without Redis. What is durable are the rows; the sweep fills this from them.
//
//   M1. A heap orders the timers by when they show. Moving one leaves its old place in the heap behind, which is skipped
//       when it comes up; when more places are old than live, the heap is built anew.
//   M2. Every act is done when its call returns, before its promise settles: nothing can come in between.

import type { StoredTimer, Timer, TimerStore } from '../ports/timers.ts';

/** Old places are not worth clearing away below this. */
const sizeMin = 64;

export class MemoryTimers implements TimerStore {
  readonly shared: boolean = false;
  /** The object itself is the place: a timer that moved is another object (M1). */
  readonly #timers = new Map<string, StoredTimer>();
  readonly #heap: StoredTimer[] = [];
  readonly #wakes = new Set<() => void>();

  get size(): number {
    return this.#timers.size;
  }

  async arm(timer: Timer): Promise<void> {
    this.#arm([timer]);
  }

  async armMany(timers: readonly Timer[], { onlyMissing }: { onlyMissing: boolean }): Promise<{ armed: number }> {
    const wanted = onlyMissing ? timers.filter(({ fabricId }) => !this.#timers.has(fabricId)) : timers;
    this.#arm(wanted);
    return { armed: wanted.length };
  }

  async cancel(fabricId: string): Promise<void> {
    this.#timers.delete(fabricId);
  }

  async claimDue(request: { nowMs: number; holdMs: number; atMost: number }): Promise<readonly Timer[]> {
    const { nowMs, holdMs, atMost } = request;
    const claimed: StoredTimer[] = [];
    for (let first = this.#first(); first && claimed.length < atMost; first = this.#first()) {
      if (first.showsAtMs > nowMs) break;
      this.#pop();
      claimed.push(first);
    }
    for (const timer of claimed) this.#put({ ...timer, showsAtMs: nowMs + holdMs });
    return claimed.map(({ showsAtMs: _, ...timer }) => timer);
  }

  async hold(fabricId: string, untilMs: number): Promise<void> {
    const timer = this.#timers.get(fabricId);
    if (timer && timer.showsAtMs < untilMs) this.#put({ ...timer, showsAtMs: untilMs });
  }

  async nextMs(): Promise<number | null> {
    return this.#first()?.showsAtMs ?? null;
  }

  async all(): Promise<readonly StoredTimer[]> {
    return [...this.#timers.values()];
  }

  onWake(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => this.#wakes.delete(wake);
  }

  /** Forgets everything: another store has the word again. */
  clear(): void {
    this.#timers.clear();
    this.#heap.length = 0;
  }

  #arm(timers: readonly Timer[]): void {
    const earliestMs = this.#first()?.showsAtMs ?? Number.POSITIVE_INFINITY;
    let wakes = false;
    for (const timer of timers) {
      this.#put({ ...timer, showsAtMs: timer.dueAtMs });
      wakes ||= timer.dueAtMs < earliestMs;
    }
    if (wakes) for (const wake of [...this.#wakes]) wake();
  }

  #put(timer: StoredTimer): void {
    this.#timers.set(timer.fabricId, timer);
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1);
    if (this.#heap.length > sizeMin && this.#heap.length > 2 * this.#timers.size) this.#rebuild();
  }

  /** The live timer that shows first; old places above it are cleared away. */
  #first(): StoredTimer | undefined {
    for (let first = this.#heap[0]; first; first = this.#heap[0]) {
      if (this.#timers.get(first.fabricId) === first) return first;
      this.#pop();
    }
    return undefined;
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rebuild(): void {
    this.#heap.splice(0, this.#heap.length, ...this.#timers.values());
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  #showsAt(place: number): number {
    return this.#heap[place]?.showsAtMs ?? Number.POSITIVE_INFINITY;
  }

  #rise(from: number): void {
    for (let place = from; place > 0; ) {
      const parent = (place - 1) >> 1;
      if (this.#showsAt(parent) <= this.#showsAt(place)) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  #sink(from: number): void {
    for (let place = from; ; ) {
      const left = 2 * place + 1;
      const least = this.#showsAt(left + 1) < this.#showsAt(left) ? left + 1 : left;
      if (this.#showsAt(place) <= this.#showsAt(least)) return;
      this.#swap(place, least);
      place = least;
    }
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (!one || !other) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}
