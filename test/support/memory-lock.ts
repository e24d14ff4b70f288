// The lock without a server: what a fake of `FabricLock` must do, and no more. It passes the suite of the real one.

import type { Clock } from '../../src/clock.ts';
import type { Acquired, FabricLock, Lease } from '../../src/ports/lock.ts';

interface Held {
  readonly holder: symbol;
  readonly untilMs: number;
}

/** How the hand of a daemon asks the door: at once, or over a way on which questions and answers are lost. */
export interface WayToDoor {
  /** The daemon's own; the door has another. */
  readonly clock: Clock;
  /** @throws what means that nothing was answered */
  ask<Answer>(op: string, act: () => Answer): Promise<Answer>;
}

/** One door for all who share it. */
export class MemoryDoor {
  readonly #clock: Clock;
  #held = new Map<string, Held>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  lock(ttlMs: number, way: WayToDoor = { clock: this.#clock, ask: async (_, act) => act() }): FabricLock {
    const holders = new WeakMap<Lease, symbol>();
    /** K1: trusted from before the question. */
    const trusted = (fabricId: string, holder: symbol, askedMs: number): Lease | null => {
      const lease = { fabricId, trustedUntilMs: askedMs + ttlMs - Math.max(1, Math.round(ttlMs / 100)) };
      if (way.clock.monotonicMs() >= lease.trustedUntilMs) return null;
      holders.set(lease, holder);
      return lease;
    };
    const giveBack = (fabricId: string, holder: symbol) =>
      way.ask('release', () => this.#give(fabricId, holder)).catch(() => {});
    return {
      acquire: async (fabricId): Promise<Acquired> => {
        const askedMs = way.clock.monotonicMs();
        const holder = Symbol(fabricId);
        try {
          if (!(await way.ask('acquire', () => this.#take(fabricId, holder, ttlMs)))) return { kind: 'contended' };
        } catch (cause) {
          return { kind: 'unavailable', cause };
        }
        const lease = trusted(fabricId, holder, askedMs);
        if (lease) return { kind: 'acquired', lease };
        await giveBack(fabricId, holder);
        return { kind: 'unavailable', cause: new Error('the answer came too late') };
      },
      renew: async (lease) => {
        const holder = holders.get(lease);
        const askedMs = way.clock.monotonicMs();
        if (!holder || askedMs >= lease.trustedUntilMs) return null;
        try {
          const kept = await way.ask('renew', () => this.#extend(lease.fabricId, holder, ttlMs));
          return kept ? trusted(lease.fabricId, holder, askedMs) : null;
        } catch {
          return null;
        }
      },
      release: async (lease) => {
        const holder = holders.get(lease);
        holders.delete(lease);
        if (holder) await giveBack(lease.fabricId, holder);
      },
    };
  }

  /** Every key is gone, or as it was then. */
  forget(backup: MemoryDoor | null): void {
    this.#held = new Map(backup === null ? [] : backup.#held);
  }

  copy(): MemoryDoor {
    const copy = new MemoryDoor(this.#clock);
    copy.#held = new Map(this.#held);
    return copy;
  }

  #take(fabricId: string, holder: symbol, ttlMs: number): boolean {
    if (this.#live(fabricId)) return false;
    this.#held.set(fabricId, { holder, untilMs: this.#clock.monotonicMs() + ttlMs });
    return true;
  }

  #extend(fabricId: string, holder: symbol, ttlMs: number): boolean {
    if (this.#live(fabricId)?.holder !== holder) return false;
    this.#held.set(fabricId, { holder, untilMs: this.#clock.monotonicMs() + ttlMs });
    return true;
  }

  #give(fabricId: string, holder: symbol): void {
    if (this.#held.get(fabricId)?.holder === holder) this.#held.delete(fabricId);
  }

  #live(fabricId: string): Held | null {
    const held = this.#held.get(fabricId);
    return held && this.#clock.monotonicMs() < held.untilMs ? held : null;
  }
}
