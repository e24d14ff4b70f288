// Redis without a server: the timers and the lock that all daemons share, and what can happen to them. Each daemon has a
// connection that knows whether it can be used, as the real one does (one failed call takes it down until a write was
// answered).

import { FabricFailure } from '../../machines/fabric/failure.ts';
import { MemoryTimers } from '../../src/fleet/memory-timers.ts';
import type { Presence } from '../../src/fleet/switching-timers.ts';
import type { FabricLock } from '../../src/ports/lock.ts';
import type { StoredTimer, Timer, TimerStore } from '../../src/ports/timers.ts';
import { MemoryDoor } from '../support/memory-lock.ts';
import type { SimProcess } from './host.ts';
import type { World } from './world.ts';

export type RedisState = 'up' | 'full' | 'away';

export interface RedisConnection {
  readonly timers: TimerStore;
  readonly presence: Presence;
  readonly lock: FabricLock;
  /** Resolves when it is known whether it can be used. */
  settled(): Promise<void>;
}

interface Backup {
  readonly timers: readonly StoredTimer[];
  readonly door: MemoryDoor;
}

const commandMs = 2_000;
const probeMs = { first: 100, most: 5_000 };
const calmMs = 30_000;

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

export class SimRedis {
  readonly timers = new ServerTimers();
  state: RedisState = 'up';
  /** How long what it had lost may still be missing, from here on (virtual milliseconds). */
  lostAtMs = Number.NEGATIVE_INFINITY;
  onHandedOut: (timers: readonly Timer[], process: SimProcess) => void = () => {};
  readonly #world: World;
  readonly #door: MemoryDoor;

  constructor(world: World) {
    this.#world = world;
    const monotonicMs = () => world.nowMs;
    const unused = () => {
      throw new Error('the door only reads the time');
    };
    this.#door = new MemoryDoor({ monotonicMs, nowMs: unused, sleep: unused, after: unused });
  }

  flush(): void {
    this.lostAtMs = this.#world.nowMs;
    this.timers.clear();
    this.#door.forget(null);
  }

  async backup(): Promise<Backup> {
    return { timers: await this.timers.all(), door: this.#door.copy() };
  }

  /** The replica that took over had not heard of the last of it. */
  async failOver({ timers, door }: Backup): Promise<void> {
    this.lostAtMs = this.#world.nowMs;
    this.timers.clear();
    await this.timers.armMany(timers, { onlyMissing: false });
    for (const { fabricId, showsAtMs } of timers) await this.timers.hold(fabricId, showsAtMs);
    this.#door.forget(door);
  }

  connect(process: SimProcess, leaseTtlMs: number): RedisConnection {
    const { clock } = process;
    const hearers = new Set<(up: boolean) => void>();
    let trouble: FabricFailure | null = unavailable('it is not connected yet');
    let waitMs = probeMs.first;
    let upSinceMs = 0;
    const known = Promise.withResolvers<void>();
    const down = () => {
      const was = trouble;
      trouble = unavailable('it does not answer');
      if (was === null) {
        if (clock.monotonicMs() - upSinceMs >= calmMs) waitMs = probeMs.first;
        for (const hear of [...hearers]) hear(false);
      }
    };
    const ask = <Answer>(op: string, act: () => Answer | Promise<Answer>, writes = true): Promise<Answer> =>
      process.ask({
        service: 'redis',
        op,
        deadlineMs: commandMs,
        broken: unavailable,
        serve: () => {
          if (this.state === 'away') throw unavailable('it is away');
          if (this.state === 'full' && writes) throw unavailable('OOM command not allowed');
          return act();
        },
      });
    const probe = () => {
      ask('probe', () => {}).then(
        () => {
          upSinceMs = clock.monotonicMs();
          trouble = null;
          known.resolve();
          for (const hear of [...hearers]) hear(true);
        },
        () => {
          known.resolve();
          probeLater();
        },
      );
    };
    const probeLater = () => {
      clock.after(waitMs, probe);
      waitMs = Math.min(probeMs.most, waitMs * 2);
    };
    /** A call as the connection makes it. */
    const call = async <Answer>(op: string, act: () => Answer | Promise<Answer>, writes = true): Promise<Answer> => {
      if (trouble) throw trouble;
      try {
        return await ask(op, act, writes);
      } catch (thrown) {
        const wasUp = trouble === null;
        down();
        if (wasUp) probeLater();
        throw thrown;
      }
    };
    probe();
    const shared = this.timers;
    const timers: TimerStore = {
      shared: true,
      arm: (timer) => call('arm', () => shared.arm(timer)),
      armMany: async (many, options) =>
        many.length === 0 ? { armed: 0 } : call('armMany', () => shared.armMany(many, options)),
      cancel: (fabricId) => call('cancel', () => shared.cancel(fabricId), false),
      claimDue: (request) =>
        call('claimDue', async () => {
          const claimed = await shared.claimDue(request);
          this.onHandedOut(claimed, process);
          return claimed;
        }),
      hold: (fabricId, untilMs) => call('hold', () => shared.hold(fabricId, untilMs)),
      nextMs: () => call('nextMs', () => shared.nextMs(), false),
      all: () => call('all', () => shared.all(), false),
      onWake: (wake) => {
        const { host } = process;
        // What is published while the way is cut is lost; the ear wakes its listener when it opens again.
        const deaf = shared.onWake(() => {
          if (host.ways.redis !== 'open' || this.state === 'away') return;
          host.world.in(0.1 + host.chance.roll(), () => process.deliver(wake));
        });
        const onUp = (up: boolean) => up && wake();
        hearers.add(onUp);
        return () => {
          deaf();
          hearers.delete(onUp);
        };
      },
    };
    return {
      timers,
      presence: {
        get up() {
          return trouble === null;
        },
        onChange(hear) {
          hearers.add(hear);
          return () => hearers.delete(hear);
        },
      },
      lock: this.#door.lock(leaseTtlMs, { clock, ask: (op, act) => call(op, act) }),
      settled: () => known.promise,
    };
  }
}

function unavailable(why: string): FabricFailure {
  return new FabricFailure('REDIS_UNAVAILABLE', `Redis does not answer: ${why}`);
}
