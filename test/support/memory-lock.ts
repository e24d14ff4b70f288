// The lock without a server: what a fake of `FabricLock` must do, and no more. It passes the suite of the real one.

import type { Clock } from '../../src/clock.ts';
import type { Acquired, FabricLock, Lease } from '../../src/ports/lock.ts';

interface Held {
  readonly holder: symbol;
  readonly untilMs: number;
}

/** One door for all who share it. */
export class MemoryDoor {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  lock(ttlMs: number): FabricLock {
    const holders = new WeakMap<Lease, symbol>();
    const take = (fabricId: string, holder: symbol): Lease => {
      const untilMs = this.#clock.monotonicMs() + ttlMs;
      this.#held.set(fabricId, { holder, untilMs });
      const lease = { fabricId, trustedUntilMs: untilMs - 1 };
      holders.set(lease, holder);
      return lease;
    };
    return {
      acquire: async (fabricId): Promise<Acquired> => {
        if (this.#live(fabricId)) return { kind: 'contended' };
        return { kind: 'acquired', lease: take(fabricId, Symbol(fabricId)) };
      },
      renew: async (lease) => {
        const holder = holders.get(lease);
        if (!holder || this.#live(lease.fabricId)?.holder !== holder) return null;
        return take(lease.fabricId, holder);
      },
      release: async (lease) => {
        const holder = holders.get(lease);
        holders.delete(lease);
        if (holder && this.#held.get(lease.fabricId)?.holder === holder) this.#held.delete(lease.fabricId);
      },
    };
  }

  #live(fabricId: string): Held | null {
    const held = this.#held.get(fabricId);
    return held && this.#clock.monotonicMs() < held.untilMs ? held : null;
  }
}
