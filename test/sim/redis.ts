// Redis without servers: the one that keeps the timers of all daemons, and the nodes that keep their lock. The lock itself is
// the real one, redlock and all, over those nodes; what can happen to them is in `redis-server.ts`.

import { MemoryTimers } from '../../src/fleet/memory-timers.ts';
import type { FabricLock } from '../../src/ports/lock.ts';
import type { StoredTimer, Timer, TimerStore } from '../../src/ports/timers.ts';
import { redisKeys } from '../../src/redis/keys.ts';
import { RedisLock } from '../../src/redis/lock.ts';
import type { HeldKey } from '../support/memory-lock-node.ts';
import { Chance } from './chance.ts';
import type { SimProcess } from './host.ts';
import { SimRedisConnection } from './redis-connection.ts';
import { SimRedisServer } from './redis-server.ts';
import type { World } from './world.ts';

/** How far the clock of a node runs apart from true time at most: with that of a host, less than the lock allows for. */
export const driftMax = 0.004;

export interface RedisParts {
  readonly timers: TimerStore;
  /** Of the Redis of the timers. */
  readonly presence: SimRedisConnection;
  readonly nodes: readonly SimRedisConnection[];
  readonly lock: FabricLock;
  /** Resolves when it is known of each whether it can be used. */
  settled(): Promise<void>;
}

interface Backup {
  readonly timers: readonly StoredTimer[];
  readonly locks: ReadonlyMap<string, HeldKey>;
}

export const lockKeys = redisKeys('sim');

/** The server's own timers, which a checker may look at between two steps. */
class ServerTimers extends MemoryTimers {
  readonly #armed = new Map<string, Timer>();

  peek(fabricId: string): Timer | undefined {
    return this.#armed.get(fabricId);
  }

  override arm(timer: Timer): Promise<void> {
    this.#armed.set(timer.fabricId, timer);
    return super.arm(timer);
  }

  override armMany(timers: readonly Timer[], options: { onlyMissing: boolean }): Promise<{ armed: number }> {
    for (const timer of timers) {
      if (!options.onlyMissing || !this.#armed.has(timer.fabricId)) this.#armed.set(timer.fabricId, timer);
    }
    return super.armMany(timers, options);
  }

  override cancel(fabricId: string): Promise<void> {
    this.#armed.delete(fabricId);
    return super.cancel(fabricId);
  }

  override clear(): void {
    this.#armed.clear();
    super.clear();
  }
}

export interface LockPlan {
  /** How many nodes keep the lock. */
  readonly nodes: number;
  /** The Redis of the timers is none of them. */
  readonly apart: boolean;
}

export class SimRedis {
  readonly timers = new ServerTimers();
  readonly main: SimRedisServer;
  /** In which most must agree. */
  readonly nodes: readonly SimRedisServer[];
  onHandedOut: (timers: readonly Timer[], process: SimProcess) => void = () => {};
  onArmed: (timers: readonly Timer[], process: SimProcess) => void = () => {};

  constructor(world: World, seed: number, { nodes, apart }: LockPlan) {
    const chance = new Chance(seed, 'clocks of Redis');
    const server = (name: string) => new SimRedisServer(world, name, 1 + chance.between(-driftMax, driftMax));
    this.main = server('redis');
    this.nodes = Array.from({ length: nodes }, (_, at) => (at === 0 && !apart ? this.main : server(`lock-${at + 1}`)));
  }

  /** Everything that this server held is gone. */
  forget(server: SimRedisServer): void {
    server.forget();
    if (server === this.main) this.timers.clear();
  }

  async backup(): Promise<Backup> {
    return { timers: await this.timers.all(), locks: this.main.locks.copy() };
  }

  /** The replica that took over had not heard of the last of it. */
  async failOver({ timers, locks }: Backup): Promise<void> {
    this.main.forget(locks);
    this.main.locks.forgetScripts();
    this.timers.clear();
    await this.timers.armMany(timers, { onlyMissing: false });
    for (const { fabricId, showsAtMs } of timers) await this.timers.hold(fabricId, showsAtMs);
  }

  /** As `unlock` does when the epoch has moved. */
  breakLock(fabricId: string): void {
    for (const { locks, state } of this.nodes) if (state === 'up') locks.remove(lockKeys.lock(fabricId));
  }

  /** How many nodes hold this lock for that process. */
  votes(fabricId: string, process: SimProcess): number {
    const key = lockKeys.lock(fabricId);
    let votes = 0;
    for (const { locks } of this.nodes) if (locks.held(key)?.by === process.name) votes++;
    return votes;
  }

  connect(process: SimProcess, leaseTtlMs: number): RedisParts {
    const main = new SimRedisConnection(process, this.main);
    const nodes = this.nodes.map((server) => (server === this.main ? main : new SimRedisConnection(process, server)));
    return {
      timers: this.#timersOf(process, main),
      presence: main,
      nodes,
      lock: new RedisLock({ nodes, keys: lockKeys, clock: process.clock, ttlMs: leaseTtlMs }),
      settled: async () => {
        await Promise.all([main, ...nodes].map((one) => one.settled()));
      },
    };
  }

  #timersOf(process: SimProcess, connection: SimRedisConnection): TimerStore {
    const shared = this.timers;
    return {
      shared: true,
      arm: (timer) => {
        this.onArmed([timer], process);
        return connection.send('arm', () => shared.arm(timer), true);
      },
      armMany: async (many, options) => {
        if (many.length === 0) return { armed: 0 };
        this.onArmed(many, process);
        return connection.send('armMany', () => shared.armMany(many, options), true);
      },
      cancel: (fabricId) => connection.send('cancel', () => shared.cancel(fabricId), false),
      claimDue: (request) =>
        connection.send(
          'claimDue',
          async () => {
            const claimed = await shared.claimDue(request);
            this.onHandedOut(claimed, process);
            return claimed;
          },
          true,
        ),
      hold: (fabricId, untilMs) => connection.send('hold', () => shared.hold(fabricId, untilMs), true),
      nextMs: () => connection.send('nextMs', () => shared.nextMs(), false),
      all: () => connection.send('all', () => shared.all(), false),
      onWake: (wake) => {
        const { host } = process;
        // What is published while the way is cut is lost; the ear wakes its listener when it opens again.
        const deaf = shared.onWake(() => {
          const way = host.nodeWays.get(this.main.name) ?? host.ways.redis;
          if (way !== 'open' || this.main.state === 'away' || this.main.state === 'stopped') return;
          host.world.in(0.1 + host.chance.roll(), () => process.deliver(wake));
        });
        const stopHearing = connection.onChange((up) => up && wake());
        return () => {
          deaf();
          stopHearing();
        };
      },
    };
  }
}
