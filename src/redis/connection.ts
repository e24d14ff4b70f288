// A connection to one Redis that knows whether it can be used.
//
//   N1. "Up" means that a write was answered: a Redis that is full, read-only or behind a wrong password answers too.
//   N2. One failed call takes it down for everybody, so that an outage costs its deadline once and not once a call.
//   N3. While it is down it asks again by itself, and says so when it is up. It never gives up. Only such a question that
//       failed makes the next one wait longer: however many calls an outage takes with it, it is one outage.
//   N4. Whatever it throws is `REDIS_UNAVAILABLE`, with nothing of the client's own error in it.

import type { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Clock } from '../clock.ts';
import { type RedisAddress, readRedisUrl } from './address.ts';
import { type ClientTimeouts, clientTimeouts, createClient, type RedisClient } from './client.ts';
import { redisFailure } from './errors.ts';
import type { RedisKeys } from './keys.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly keys: RedisKeys;
  readonly clock: Clock;
  /** What `CLIENT LIST` shows. */
  readonly name: string;
  readonly timeouts?: ClientTimeouts;
}

/** Between two questions whether Redis works again. It grows until Redis has stayed up for `calmMs`. */
const probeMs = { first: 100, most: 5_000 };
const calmMs = 30_000;

export class RedisConnection {
  readonly address: RedisAddress;
  readonly client: RedisClient;
  readonly timeouts: ClientTimeouts;
  readonly #keys: RedisKeys;
  readonly #clock: Clock;
  readonly #hearers = new Set<(up: boolean) => void>();
  readonly #settled = Promise.withResolvers<void>();
  #trouble: FabricFailure | null;
  #lastError: unknown = null;
  #upSinceMs = 0;
  #probeWaitMs = probeMs.first;
  #cancelProbe = () => {};
  #closed = false;

  /** Connects in the background; `trouble` is set until it worked once. */
  constructor({ url, keys, clock, name, timeouts = clientTimeouts }: ConnectionOptions) {
    this.address = readRedisUrl(url);
    this.timeouts = timeouts;
    this.#keys = keys;
    this.#clock = clock;
    this.#trouble = redisFailure(new Error('it is not connected yet'), this.address);
    this.client = createClient(this.address, name, timeouts);
    this.client.on('error', (error: unknown) => {
      this.#lastError = error;
      if (this.#trouble) this.#trouble = redisFailure(error, this.address);
    });
    this.client.on('ready', () => this.#probe());
    this.client.on('close', () => {
      this.#down(this.#whyClosed());
      this.#settled.resolve();
    });
  }

  /** Why it cannot be used now; null where it can. */
  get trouble(): FabricFailure | null {
    return this.#trouble;
  }

  get up(): boolean {
    return this.#trouble === null;
  }

  /** Hears each change between up and down. @returns stops listening */
  onChange(hear: (up: boolean) => void): () => void {
    this.#hearers.add(hear);
    return () => this.#hearers.delete(hear);
  }

  /** Resolves when it is known whether it can be used: within the timeouts, if nothing answers. */
  settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** @throws FabricFailure `REDIS_UNAVAILABLE`: at once while it is down, else within the command's deadline */
  async call<Answer>(ask: (client: RedisClient) => Promise<Answer>): Promise<Answer> {
    if (this.#trouble) throw this.#trouble;
    try {
      return await ask(this.client);
    } catch (thrown) {
      throw this.suspect(thrown);
    }
  }

  /** Somebody who used `client` directly saw it fail: down until a write was answered again (N2). */
  suspect(thrown: unknown): FabricFailure {
    const isNews = this.up;
    const failure = this.#fail(thrown);
    if (isNews) this.#probeLater();
    return failure;
  }

  /** At once: what is under way is given up. Safe to repeat. */
  close(): void {
    this.#closed = true;
    this.#cancelProbe();
    this.#hearers.clear();
    this.client.disconnect();
    this.#settled.resolve();
    this.#trouble ??= redisFailure(new Error('it was closed'), this.address);
  }

  #fail(thrown: unknown): FabricFailure {
    // What a broken connection does to a command is told in the client's terms; why it broke is the better word.
    const failure = redisFailure(this.#isConnected ? thrown : this.#whyClosed(), this.address);
    this.#down(failure);
    return failure;
  }

  get #isConnected(): boolean {
    return this.client.status === 'ready';
  }

  #whyClosed(): unknown {
    return this.#lastError ?? new Error('the connection was closed');
  }

  #probe(): void {
    this.#cancelProbe();
    if (this.#closed) return;
    this.client.set(this.#keys.probe, '1', 'PX', 1_000).then(
      () => this.#nowUp(),
      (error: unknown) => {
        this.#fail(error);
        this.#probeLater();
        this.#settled.resolve();
      },
    );
  }

  #probeLater(): void {
    this.#cancelProbe();
    // A new connection is asked as soon as it is made.
    if (this.#closed || !this.#isConnected) return;
    this.#cancelProbe = this.#clock.after(this.#probeWaitMs, () => this.#probe());
    this.#probeWaitMs = Math.min(probeMs.most, this.#probeWaitMs * 2);
  }

  #nowUp(): void {
    if (this.#closed || !this.#isConnected) return;
    this.#lastError = null;
    this.#upSinceMs = this.#clock.monotonicMs();
    if (this.#trouble === null) return;
    this.#trouble = null;
    this.#settled.resolve();
    for (const hear of [...this.#hearers]) hear(true);
  }

  #down(cause: unknown): void {
    const was = this.#trouble;
    this.#trouble = redisFailure(cause, this.address);
    if (was !== null || this.#closed) return;
    if (this.#clock.monotonicMs() - this.#upSinceMs >= calmMs) this.#probeWaitMs = probeMs.first;
    for (const hear of [...this.#hearers]) hear(false);
  }
}
