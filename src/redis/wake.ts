// The ear: a connection that only hears that the earliest timer is earlier now.
//
//   E1. Whoever listens is also woken when the ear (re)opens: what was said while it was shut is lost.
//   E2. An ear that has gone deaf without a word is found out within `checkMs`, and opened anew.

import type { Clock } from '../clock.ts';
import { createClient, type RedisClient } from './client.ts';
import type { RedisConnection } from './connection.ts';

const checkMs = 10_000;
const retryMs = 1_000;

export class WakeChannel {
  readonly #client: RedisClient;
  readonly #channel: string;
  readonly #clock: Clock;
  readonly #wakes = new Set<() => void>();
  #cancelLater = () => {};
  #closed = false;

  /** A second connection to the same server: one that has subscribed can do nothing else. */
  constructor(connection: RedisConnection, channel: string, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
    this.#client = createClient(
      connection.address,
      `${connection.client.options.connectionName}:wake`,
      connection.timeouts,
    );
    // Why it is away is the first connection's to tell.
    this.#client.on('error', () => {});
    this.#client.on('ready', () => this.#open());
    this.#client.on('close', () => this.#cancelLater());
    this.#client.on('message', () => this.#wakeAll());
  }

  onWake(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => this.#wakes.delete(wake);
  }

  close(): void {
    this.#closed = true;
    this.#cancelLater();
    this.#wakes.clear();
    this.#client.disconnect();
  }

  #open(): void {
    this.#client.subscribe(this.#channel).then(
      () => {
        if (this.#closed) return;
        this.#wakeAll();
        this.#checkLater();
      },
      // It may not subscribe, perhaps: there is no use in asking again at once.
      () => this.#later(retryMs, () => this.#open()),
    );
  }

  #checkLater(): void {
    this.#later(checkMs, () => {
      // Where nothing comes back the socket's own deadline gives the connection up.
      const again = () => this.#checkLater();
      this.#client.ping().then(again, again);
    });
  }

  /** Takes the place of what was to happen later until now. */
  #later(ms: number, act: () => void): void {
    this.#cancelLater();
    if (!this.#closed) this.#cancelLater = this.#clock.after(ms, act);
  }

  #wakeAll(): void {
    for (const wake of [...this.#wakes]) wake();
  }
}
