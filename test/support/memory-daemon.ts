// Daemons without servers: all of the fleet over rows, timers, lock and fabrics in memory, on a clock that the test turns.

import { setImmediate as turn } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Tracing } from '../../otel/tracing.ts';
import { type Core, composeCore } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { MemoryTimers } from '../../src/fleet/memory-timers.ts';
import type { Log } from '../../src/log.ts';
import type { FabricLock } from '../../src/ports/lock.ts';
import { FakeFabric } from './fake-fabric-api.ts';
import { type HandClock, handClock } from './hand-clock.ts';
import { MemoryDatabase } from './memory-database.ts';
import { MemoryDoor } from './memory-lock.ts';
import { memoryStore } from './memory-store.ts';

/** What several daemons share. */
export interface MemoryPlace {
  readonly clock: HandClock;
  readonly database: MemoryDatabase;
  /** As Redis has them. */
  readonly timers: MemoryTimers;
  readonly door: MemoryDoor;
  readonly gate: Gate;
  /** What every fabric serves. */
  readonly fabric: FakeFabric;
}

/** Redis is away: nobody can be asked for a lease. */
const noDoor: FabricLock = {
  acquire: async () => ({ kind: 'unavailable', cause: null }),
  renew: async () => null,
  release: async () => {},
};

/** A timer store that all daemons see. */
class SharedTimers extends MemoryTimers {
  override readonly shared: boolean = true;
}

/** Where runs stand still, for as long as it is shut. */
export class Gate {
  /** Runs that came by, and those that stand before it now. */
  passed = 0;
  waiting = 0;
  #way: PromiseWithResolvers<void> | null = null;

  shut(): void {
    this.#way ??= Promise.withResolvers<void>();
  }

  open(): void {
    this.#way?.resolve();
    this.#way = null;
  }

  async pass(signal: AbortSignal): Promise<void> {
    this.waiting++;
    try {
      const aborted = new Promise<never>((_, reject) => {
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
      await Promise.race([this.#way?.promise, aborted]);
      this.passed++;
    } finally {
      this.waiting--;
    }
  }
}

export function memoryPlace(): MemoryPlace {
  const clock = handClock();
  const gate = new Gate();
  const fabric = new FakeFabric();
  fabric.put('Switch', 'spine-1');
  fabric.troubleElsewhere = async (request, signal) => {
    if (request === 'clusterUid') await gate.pass(signal);
  };
  const database = new MemoryDatabase(clock);
  return { clock, database, timers: new SharedTimers(), door: new MemoryDoor(clock), gate, fabric };
}

export interface MemoryDaemon extends Core {
  readonly name: string;
  /** `level line`, in order. */
  readonly lines: string[];
  start(): Promise<void>;
  /** At once, as by a second signal. Done at the end of the test anyway. */
  stop(): Promise<void>;
}

/** @param env settings of it, as the environment would say them. `doorless`: the claim alone protects its runs */
export function memoryDaemon(
  place: MemoryPlace,
  name = 'one',
  {
    env = {},
    timers = place.timers,
    doorless = false,
    tracing,
  }: { env?: Record<string, string>; timers?: MemoryTimers; doorless?: boolean; tracing?: Tracing } = {},
): MemoryDaemon {
  const config = readConfig({ DATABASE_URL: 'postgres://nowhere/none', FABRIC_SYNCD_SWEEP_INTERVAL: '5s', ...env });
  const lines: string[] = [];
  const log: Log = {
    debug: () => {},
    info: (_, line) => lines.push(`info ${line}`),
    warn: (_, line) => lines.push(`warn ${line}`),
    error: (_, line) => lines.push(`error ${line}`),
    child: () => log,
  };
  const core = composeCore({
    config,
    log,
    clock: place.clock,
    dice: { roll: () => 0.5 },
    daemon: name,
    store: memoryStore(place.database, name),
    timers,
    lock: doorless ? noDoor : place.door.lock(config.leaseTtlMs),
    apis: { of: () => place.fabric, forget: async () => {} },
    ...(tracing && { tracing }),
  });
  let running = false;
  const daemon: MemoryDaemon = {
    ...core,
    name,
    lines,
    async start() {
      running = true;
      await core.post.start();
      await core.sweep.start();
      await core.pruner.start();
      await core.pump.start();
    },
    async stop() {
      if (!running) return;
      running = false;
      await core.pump.stop();
      const stopped = core.fleet.stop({ graceMs: 0, abortMs: 5_000 }, AbortSignal.abort());
      await pass(place.clock, 5_000, 5_000);
      await stopped;
      await core.attempts.dropAll();
      await core.pruner.stop();
      await core.sweep.stop();
      await core.post.stop();
    },
  };
  onTestFinished(async () => {
    place.gate.open();
    place.database.before = () => {};
    await daemon.stop();
  });
  return daemon;
}

/** Waits until a fact is so, without time: everything that is under way gets its turn, again and again. */
export async function until(fact: () => boolean, what = fact.toString()): Promise<void> {
  for (let turns = 0; turns < 2_000; turns++) {
    if (fact()) return;
    await turn();
  }
  throw new Error(`it never came to be: ${what}`);
}

/** Lets everything that is under way come to rest. */
export async function quiet(): Promise<void> {
  for (let turns = 0; turns < 50; turns++) await turn();
}

/** Moves the clock in small steps, with everything that follows from each. */
export async function pass(clock: HandClock, ms: number, stepMs = 1_000): Promise<void> {
  await quiet();
  for (let left = ms; left > 0; left -= stepMs) {
    clock.advance(Math.min(left, stepMs));
    await quiet();
  }
}
