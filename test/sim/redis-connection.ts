// A daemon's connection to one Redis, as the real one is (`src/redis/connection.ts`): it knows whether it can be used, one
// failed call takes it down, and it asks again by itself until a write is answered.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Presence } from '../../src/fleet/switching-timers.ts';
import { type RedisAddress, readRedisUrl } from '../../src/redis/address.ts';
import { clientTimeouts, type RedisClient } from '../../src/redis/client.ts';
import type { LockNode } from '../../src/redis/lock.ts';
import { clientOf } from '../support/memory-lock-node.ts';
import type { SimProcess } from './host.ts';
import type { SimRedisServer } from './redis-server.ts';

const probeMs = { first: 100, most: 5_000 };
const calmMs = 30_000;

export class SimRedisConnection implements LockNode, Presence {
  readonly address: RedisAddress;
  readonly client: RedisClient;
  readonly timeouts = clientTimeouts;
  readonly #process: SimProcess;
  readonly #server: SimRedisServer;
  readonly #hearers = new Set<(up: boolean) => void>();
  readonly #settled = Promise.withResolvers<void>();
  #trouble: FabricFailure | null = unavailable('it is not connected yet');
  #waitMs = probeMs.first;
  #upSinceMs = 0;

  constructor(process: SimProcess, server: SimRedisServer) {
    this.#process = process;
    this.#server = server;
    this.address = readRedisUrl(`redis://${server.name}`);
    this.client = clientOf(server.locks, process.name, (act, what) => this.#ask(what, act));
    this.#probe();
  }

  get up(): boolean {
    return this.#trouble === null;
  }

  get trouble(): FabricFailure | null {
    return this.#trouble;
  }

  onChange(hear: (up: boolean) => void): () => void {
    this.#hearers.add(hear);
    return () => this.#hearers.delete(hear);
  }

  /** Resolves when it is known whether it can be used. */
  settled(): Promise<void> {
    return this.#settled.promise;
  }

  call<Answer>(ask: (client: RedisClient) => Promise<Answer>): Promise<Answer> {
    return this.#unlessDown(() => ask(this.client));
  }

  /** A command that is none of the lock's. @param writes whether it takes memory there */
  send<Answer>(op: string, act: () => Answer | Promise<Answer>, writes: boolean): Promise<Answer> {
    return this.#unlessDown(() => this.#ask(op, act, writes));
  }

  suspect(thrown: unknown): FabricFailure {
    const failure = thrown instanceof FabricFailure ? thrown : unavailable((thrown as Error).message);
    const was = this.#trouble;
    this.#trouble = failure;
    if (was !== null) return failure;
    if (this.#process.clock.monotonicMs() - this.#upSinceMs >= calmMs) this.#waitMs = probeMs.first;
    for (const hear of [...this.#hearers]) hear(false);
    this.#probeLater();
    return failure;
  }

  async #unlessDown<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    if (this.#trouble) throw this.#trouble;
    try {
      return await ask();
    } catch (thrown) {
      throw this.suspect(thrown);
    }
  }

  #ask<Answer>(op: string, act: () => Answer | Promise<Answer>, writes = false): Promise<Answer> {
    const server = this.#server;
    const { host } = this.#process;
    return this.#process.ask({
      service: 'redis',
      op,
      deadlineMs: this.timeouts.commandMs,
      wayMs: server.lateMs,
      way: () => host.nodeWays.get(server.name),
      broken: unavailable,
      serve: async () => {
        if (server.state === 'stopped') await server.resumed();
        if (server.state === 'away') throw unavailable('it is away');
        if (server.state === 'full' && writes) throw unavailable('OOM command not allowed');
        return await act();
      },
    });
  }

  #probe(): void {
    this.#ask('probe', () => {}, true).then(
      () => {
        this.#upSinceMs = this.#process.clock.monotonicMs();
        this.#trouble = null;
        this.#settled.resolve();
        for (const hear of [...this.#hearers]) hear(true);
      },
      () => {
        this.#settled.resolve();
        this.#probeLater();
      },
    );
  }

  #probeLater(): void {
    this.#process.clock.after(this.#waitMs, () => this.#probe());
    this.#waitMs = Math.min(probeMs.most, this.#waitMs * 2);
  }
}

function unavailable(why: string): FabricFailure {
  return new FabricFailure('REDIS_UNAVAILABLE', `Redis does not answer: ${why}`);
}
