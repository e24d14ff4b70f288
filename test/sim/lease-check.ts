// What the lock promises, looked at after every step: redlock's own promise, and where it cannot keep it.
//
//   l. What a process may trust is held for it by most nodes, as long as no more of them than it allows for have forgotten
//      what they held, or had their clock set, since it was asked for. (A lock that slips is no harm: the epoch fences.
//      But one that slips without need is a defect of the lock.)
//
// The case that redlock is criticised for (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html) is
// counted, not forbidden: a node forgets, another daemon gets most votes, and two trust their lease at once. What must hold
// then are b and x, which speak of rows.

import type { HeldLock, LeaseWatch } from './daemon.ts';
import type { SimRedis } from './redis.ts';
import type { World } from './world.ts';

export class LeaseCheck implements LeaseWatch {
  /** How often two processes trusted a lease on one fabric at once. */
  slips = 0;
  readonly #world: World;
  readonly #redis: SimRedis;
  readonly #held = new Set<HeldLock>();
  /** Takes the last look at each back. */
  readonly #lastLooks = new Map<HeldLock, () => void>();
  /** Those whose slip was told. */
  readonly #slipped = new WeakSet<HeldLock>();
  readonly #brokenMs = new Map<string, number>();

  constructor(world: World, redis: SimRedis) {
    this.#world = world;
    this.#redis = redis;
  }

  holds(held: HeldLock): void {
    this.#held.add(held);
    // A step that does nothing, for a look at the last moment at which it is trusted.
    const { lease, process } = held;
    const leftMs = (lease.trustedUntilMs - process.clock.monotonicMs()) / process.host.rate;
    this.#lastLooks.get(held)?.();
    this.#lastLooks.set(
      held,
      this.#world.in(leftMs - 0.01, () => {}),
    );
  }

  /** A person took the keys of this fabric away, whoever held them. */
  broken(fabricId: string): void {
    this.#brokenMs.set(fabricId, this.#world.nowMs);
  }

  /** @returns what is wrong, or null */
  look(): string | null {
    for (const held of this.#held) {
      const { process, fabricId, askedMs } = held;
      if (!isTrusted(held)) {
        this.#lastLooks.get(held)?.();
        this.#lastLooks.delete(held);
        this.#held.delete(held);
        continue;
      }
      const { nodes } = this.#redis;
      const votes = this.#redis.votes(fabricId, process);
      if (votes > nodes.length / 2) continue;
      this.#countSlip(held);
      if ((this.#brokenMs.get(fabricId) ?? Number.NEGATIVE_INFINITY) >= askedMs) continue;
      const lost = nodes.filter(({ lostAtMs }) => lostAtMs >= askedMs).length;
      if (votes + lost > nodes.length / 2) continue;
      return `l. ${process.name} trusts its lease on fabric ${fabricId}, which ${votes} of ${nodes.length} nodes hold for it`;
    }
    return null;
  }

  #countSlip(held: HeldLock): void {
    if (this.#slipped.has(held)) return;
    for (const other of this.#held) {
      if (other === held || other.fabricId !== held.fabricId || !isTrusted(other)) continue;
      this.#slipped.add(held);
      this.slips++;
      this.#world.tell(`the lock slipped: ${held.process.name} and ${other.process.name} hold fabric ${held.fabricId}`);
      return;
    }
  }
}

/** By whoever holds it: it knows no better. */
function isTrusted({ process, lease, over }: HeldLock): boolean {
  return !over && process.alive && process.clock.monotonicMs() < lease.trustedUntilMs;
}
