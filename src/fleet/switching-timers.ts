// The timers of a daemon that goes on without Redis: Redis's while it answers, memory's while it does not.
//
//   H1. A call that Redis does not answer is answered from memory, and from then on every call is, until Redis is back.
//   H2. Neither store is copied into the other: whoever hears `onModeChange` sweeps, and the rows fill the store in use.
//   H3. Memory is emptied when Redis is back, so that an old due time can not show again later.

import type { StoredTimer, Timer, TimerStore } from '../ports/timers.ts';
import { MemoryTimers } from './memory-timers.ts';

/** Watches the server behind the remote store. A call that failed there must have taken it down before it threw. */
export interface Presence {
  readonly up: boolean;
  /** Calls back when it came or went. */
  onChange(act: (up: boolean) => void): () => void;
}

export class SwitchingTimers implements TimerStore {
  readonly #remote: TimerStore;
  readonly #memory = new MemoryTimers();
  readonly #onModeChange = new Set<() => void>();
  readonly #stopWatching: () => void;
  #usesMemory: boolean;

  constructor(remote: TimerStore, presence: Presence) {
    this.#remote = remote;
    this.#usesMemory = !presence.up;
    this.#stopWatching = presence.onChange((up) => this.#choose(!up));
  }

  get degraded(): boolean {
    return this.#usesMemory;
  }

  /** Calls back after the store in use has changed: it must be filled from the rows. */
  onModeChange(act: () => void): () => void {
    this.#onModeChange.add(act);
    return () => this.#onModeChange.delete(act);
  }

  close(): void {
    this.#stopWatching();
    this.#onModeChange.clear();
  }

  arm(timer: Timer): Promise<void> {
    return this.#try((store) => store.arm(timer));
  }

  armMany(timers: readonly Timer[], options: { onlyMissing: boolean }): Promise<{ armed: number }> {
    return this.#try((store) => store.armMany(timers, options));
  }

  cancel(fabricId: string): Promise<void> {
    return this.#try((store) => store.cancel(fabricId));
  }

  claimDue(request: { nowMs: number; holdMs: number; atMost: number }): Promise<readonly Timer[]> {
    return this.#try((store) => store.claimDue(request));
  }

  hold(fabricId: string, untilMs: number): Promise<void> {
    return this.#try((store) => store.hold(fabricId, untilMs));
  }

  nextMs(): Promise<number | null> {
    return this.#try((store) => store.nextMs());
  }

  all(): Promise<readonly StoredTimer[]> {
    return this.#try((store) => store.all());
  }

  onWake(wake: () => void): () => void {
    const deaf = [this.#remote.onWake(wake), this.#memory.onWake(wake)];
    return () => {
      for (const stopListening of deaf) stopListening();
    };
  }

  async #try<Answer>(act: (store: TimerStore) => Promise<Answer>): Promise<Answer> {
    if (!this.#usesMemory) {
      try {
        return await act(this.#remote);
      } catch {
        // Also one that hangs, or refuses to write (out of memory, a replica): it is no clock while it does.
        this.#choose(true);
      }
    }
    return act(this.#memory);
  }

  #choose(memory: boolean): void {
    if (memory === this.#usesMemory) return;
    this.#usesMemory = memory;
    if (!memory) this.#memory.clear();
    for (const act of this.#onModeChange) act();
  }
}
