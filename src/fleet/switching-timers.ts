// The timers of a daemon that goes on without Redis: Redis's while it answers, memory's while it does not.
//
//   H1. A call that Redis does not answer is answered from memory, and from then on every call is, until Redis is back.
//   H2. On the way out memory begins empty: whoever hears `onModeChange` sweeps, and the rows fill it.
//   H3. On the way back memory is written over what Redis remembers from before the outage, and only then is Redis asked
//       again: an old due time there is not claimed, and one that was armed meanwhile is not lost. The sweep that
//       follows mends the rest.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { StoredTimer, Timer, TimerStore } from '../ports/timers.ts';
import { MemoryTimers } from './memory-timers.ts';

/** Watches the server behind the remote store. A call that it did not answer has taken it down before it rejects. */
export interface Presence {
  readonly up: boolean;
  /** Hears each change. @returns stops listening */
  onChange(hear: (up: boolean) => void): () => void;
}

export class SwitchingTimers implements TimerStore {
  readonly #remote: TimerStore;
  readonly #presence: Presence;
  readonly #memory = new MemoryTimers();
  readonly #onModeChange = new Set<() => void>();
  readonly #stopWatching: () => void;
  #mode: 'remote' | 'memory' | 'returning';
  /** Fabrics whose timers moved in memory while it was being written over (H3). */
  readonly #moved = new Set<string>();
  /** Counts returns: one that was overtaken by another outage has no say any more. */
  #returns = 0;

  constructor(remote: TimerStore, presence: Presence) {
    this.#remote = remote;
    this.#presence = presence;
    this.#mode = presence.up ? 'remote' : 'memory';
    this.#stopWatching = presence.onChange((up) => (up ? this.#comeBack() : this.#goWithout()));
  }

  get shared(): boolean {
    return this.#mode === 'remote';
  }

  /** True while memory is used in place of Redis. */
  get degraded(): boolean {
    return this.#mode !== 'remote';
  }

  /** Calls back after the store in use has changed: it must be compared with the rows. */
  onModeChange(act: () => void): () => void {
    this.#onModeChange.add(act);
    return () => this.#onModeChange.delete(act);
  }

  close(): void {
    this.#stopWatching();
    this.#onModeChange.clear();
    // Nothing comes back to a store that is closed.
    if (this.#mode === 'returning') this.#mode = 'memory';
  }

  arm(timer: Timer): Promise<void> {
    return this.#ask((store) => store.arm(timer), [timer]);
  }

  armMany(timers: readonly Timer[], options: { onlyMissing: boolean }): Promise<{ armed: number }> {
    return this.#ask((store) => store.armMany(timers, options), timers);
  }

  cancel(fabricId: string): Promise<void> {
    return this.#ask((store) => store.cancel(fabricId), [{ fabricId }]);
  }

  async claimDue(request: { nowMs: number; holdMs: number; atMost: number }): Promise<readonly Timer[]> {
    const claimed = await this.#ask((store) => store.claimDue(request), []);
    if (this.#mode === 'returning') for (const { fabricId } of claimed) this.#moved.add(fabricId);
    return claimed;
  }

  hold(fabricId: string, untilMs: number): Promise<void> {
    return this.#ask((store) => store.hold(fabricId, untilMs), [{ fabricId }]);
  }

  nextMs(): Promise<number | null> {
    return this.#ask((store) => store.nextMs(), []);
  }

  all(): Promise<readonly StoredTimer[]> {
    return this.#ask((store) => store.all(), []);
  }

  onWake(wake: () => void): () => void {
    const deaf = [this.#remote.onWake(wake), this.#memory.onWake(wake), this.onModeChange(wake)];
    return () => {
      for (const stopListening of deaf) stopListening();
    };
  }

  async #ask<Answer>(
    act: (store: TimerStore) => Promise<Answer>,
    moves: readonly { readonly fabricId: string }[],
  ): Promise<Answer> {
    if (this.#mode === 'remote') {
      try {
        return await act(this.#remote);
      } catch (thrown) {
        if (!isOutage(thrown)) throw thrown;
        this.#goWithout();
      }
    }
    if (this.#mode === 'returning') for (const { fabricId } of moves) this.#moved.add(fabricId);
    return act(this.#memory);
  }

  #goWithout(): void {
    const was = this.#mode;
    this.#mode = 'memory';
    if (was === 'remote') this.#tell();
  }

  #comeBack(): void {
    if (this.#mode !== 'memory') return;
    this.#mode = 'returning';
    this.#moved.clear();
    // At a start there is nothing to write, and nobody has to wait for it.
    if (this.#memory.size === 0) this.#arrive();
    else {
      const turn = ++this.#returns;
      this.#writeOver(turn).catch(() => this.#giveUpReturn(turn));
    }
  }

  async #writeOver(turn: number): Promise<void> {
    for (let timers = await this.#memory.all(), gone: string[] = []; ; ) {
      await this.#remote.armMany(timers, { onlyMissing: false });
      for (const { fabricId, dueAtMs, showsAtMs } of timers) {
        if (showsAtMs > dueAtMs) await this.#remote.hold(fabricId, showsAtMs);
      }
      for (const fabricId of gone) await this.#remote.cancel(fabricId);
      if (this.#mode !== 'returning' || turn !== this.#returns) return;
      if (this.#moved.size === 0) return this.#arrive();
      const live = new Map((await this.#memory.all()).map((timer) => [timer.fabricId, timer]));
      timers = [...this.#moved].flatMap((fabricId) => live.get(fabricId) ?? []);
      gone = [...this.#moved].filter((fabricId) => !live.has(fabricId));
      this.#moved.clear();
    }
  }

  #arrive(): void {
    this.#mode = 'remote';
    this.#memory.clear();
    this.#tell();
  }

  #giveUpReturn(turn: number): void {
    if (this.#mode !== 'returning' || turn !== this.#returns) return;
    this.#mode = 'memory';
    // It went away and came back while it was written to, and that change has been heard already.
    if (this.#presence.up) this.#comeBack();
  }

  #tell(): void {
    for (const act of [...this.#onModeChange]) act();
  }
}

function isOutage(thrown: unknown): boolean {
  return thrown instanceof FabricFailure && thrown.code === 'REDIS_UNAVAILABLE';
}
