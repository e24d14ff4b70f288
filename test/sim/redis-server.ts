// One Redis as it runs: whether it works, how late it is, what its clock says, and the keys of the lock that it holds. What
// happens to it happens to everybody who asks it.

import { MemoryLockNode } from '../support/memory-lock-node.ts';
import type { World } from './world.ts';

export type ServerState = 'up' | 'full' | 'away' | 'stopped';

export class SimRedisServer {
  readonly name: string;
  /** How many votes it has in which lock is its index among the nodes. */
  readonly locks: MemoryLockNode;
  /** How fast its clock runs; keys of the lock end by it. */
  readonly rate: number;
  /** How far its clock was set ahead. */
  skewMs = 0;
  /** The longest that the way to it takes in either direction. */
  lateMs = 0;
  /** Since then it may hold other keys than it was asked to: it forgot some, or its clock jumped. Virtual milliseconds. */
  lostAtMs = Number.NEGATIVE_INFINITY;
  readonly #world: World;
  #state: ServerState = 'up';
  #resumed = Promise.withResolvers<void>();

  constructor(world: World, name: string, rate: number) {
    this.#world = world;
    this.name = name;
    this.rate = rate;
    this.locks = new MemoryLockNode(() => this.nowMs);
  }

  get nowMs(): number {
    return this.#world.nowMs * this.rate + this.skewMs;
  }

  get state(): ServerState {
    return this.#state;
  }

  set state(state: ServerState) {
    this.#state = state;
    this.locks.full = state === 'full';
    if (state === 'stopped') return;
    this.#resumed.resolve();
    this.#resumed = Promise.withResolvers<void>();
  }

  /** While it is stopped (SIGSTOP) questions wait in its buffers, and are answered when it goes on. */
  async resumed(): Promise<void> {
    while (this.#state === 'stopped') await this.#resumed.promise;
  }

  /** Every key is gone; with a backup: as it was then. */
  forget(backup?: Parameters<MemoryLockNode['forget']>[0]): void {
    this.lostAtMs = this.#world.nowMs;
    this.locks.forget(backup);
  }

  setClock(skewMs: number): void {
    this.lostAtMs = this.#world.nowMs;
    this.skewMs = skewMs;
  }
}
