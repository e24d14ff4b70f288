// Timers kept in memory: the mode without Redis. What is durable are the rows; the sweep fills this from them.

import type { StoredTimer, Timer, TimerStore } from '../ports/timers.ts';

export class MemoryTimers implements TimerStore {
  readonly #timers = new Map<string, StoredTimer>();
  readonly #listeners = new Set<() => void>();

  async arm(timer: Timer): Promise<void> {
    this.#timers.set(timer.fabricId, { ...timer, showsAtMs: timer.dueAtMs });
    if ((await this.nextMs()) === timer.dueAtMs) this.#wake();
  }

  async armMany(timers: readonly Timer[], { onlyMissing }: { onlyMissing: boolean }): Promise<{ armed: number }> {
    let armed = 0;
    for (const timer of timers) {
      if (onlyMissing && this.#timers.has(timer.fabricId)) continue;
      this.#timers.set(timer.fabricId, { ...timer, showsAtMs: timer.dueAtMs });
      armed++;
    }
    if (armed > 0) this.#wake();
    return { armed };
  }

  async cancel(fabricId: string): Promise<void> {
    this.#timers.delete(fabricId);
  }

  async claimDue({
    nowMs,
    holdMs,
    atMost,
  }: {
    nowMs: number;
    holdMs: number;
    atMost: number;
  }): Promise<readonly Timer[]> {
    const due = [...this.#timers.values()]
      .filter(({ showsAtMs }) => showsAtMs <= nowMs)
      .sort((a, b) => a.showsAtMs - b.showsAtMs)
      .slice(0, atMost);
    for (const timer of due) this.#timers.set(timer.fabricId, { ...timer, showsAtMs: nowMs + holdMs });
    return due.map(({ showsAtMs: _, ...timer }) => timer);
  }

  async hold(fabricId: string, untilMs: number): Promise<void> {
    const timer = this.#timers.get(fabricId);
    if (timer && timer.showsAtMs < untilMs) this.#timers.set(fabricId, { ...timer, showsAtMs: untilMs });
  }

  async nextMs(): Promise<number | null> {
    let next: number | null = null;
    for (const { showsAtMs } of this.#timers.values()) if (next === null || showsAtMs < next) next = showsAtMs;
    return next;
  }

  async all(): Promise<readonly StoredTimer[]> {
    return [...this.#timers.values()].sort((a, b) => a.showsAtMs - b.showsAtMs);
  }

  onWake(wake: () => void): () => void {
    this.#listeners.add(wake);
    return () => this.#listeners.delete(wake);
  }

  /** Forgets everything: another store has the word again. */
  clear(): void {
    this.#timers.clear();
  }

  #wake(): void {
    for (const wake of this.#listeners) wake();
  }
}
