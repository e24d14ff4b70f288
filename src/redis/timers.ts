// The timers in Redis: a sorted set says when each shows, a hash what it is. Every act is one script or one command, so
// that it happened whole or not at all; an act that throws may have happened, and repeating it is safe.
//
//   R1. A timer that cannot be read never stops the others: it is dropped, told, and armed anew by the sweep.
//   R2. A claim also learns when the next timer shows. That answer serves a `nextMs` asked in the same turn of the
//       event loop, before anything else can have been heard, and is forgotten then.

import type { StoredTimer, Timer, TimerStore } from '../ports/timers.ts';
import type { RedisConnection } from './connection.ts';
import type { RedisKeys } from './keys.ts';
import { readPayload, writePayload } from './payload.ts';
import type { WakeChannel } from './wake.ts';

export interface RedisTimersDeps {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  /** Null for one who never sleeps on the store (a verb of the command line): it opens no second connection. */
  readonly wake: WakeChannel | null;
  /** A timer was found that cannot be read. */
  readonly onBroken: (fabricId: string) => void;
}

/** Timers in one command: bounds how long Redis is busy with one, and what fits on Lua's stack. */
const batchMax = 1_000;

export class RedisTimers implements TimerStore {
  readonly shared = true;
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #wake: WakeChannel | null;
  readonly #onBroken: (fabricId: string) => void;
  #learnt: { readonly nextMs: number | null } | null = null;

  constructor({ connection, keys, wake, onBroken }: RedisTimersDeps) {
    this.#connection = connection;
    this.#keys = keys;
    this.#wake = wake;
    this.#onBroken = onBroken;
  }

  async arm(timer: Timer): Promise<void> {
    await this.#arm([timer], false);
  }

  async armMany(timers: readonly Timer[], { onlyMissing }: { onlyMissing: boolean }): Promise<{ armed: number }> {
    let armed = 0;
    for (let from = 0; from < timers.length; from += batchMax) {
      armed += await this.#arm(timers.slice(from, from + batchMax), onlyMissing);
    }
    return { armed };
  }

  async cancel(fabricId: string): Promise<void> {
    this.#learnt = null;
    await this.#connection.call((client) => client.cancelTimer(this.#keys.timers, this.#keys.payloads, fabricId));
  }

  async claimDue(request: { nowMs: number; holdMs: number; atMost: number }): Promise<readonly Timer[]> {
    const { nowMs, holdMs } = request;
    const atMost = Math.min(batchMax, Math.floor(request.atMost));
    if (atMost < 1) return [];
    const { timers, payloads } = this.#keys;
    const [nextMs, ...pairs] = await this.#connection.call((client) =>
      client.claimTimers(timers, payloads, nowMs, nowMs + holdMs, atMost),
    );
    const claimed: Timer[] = [];
    for (let i = 0; i < pairs.length; i += 2) {
      const fabricId = pairs[i] ?? '';
      const timer = this.#read(fabricId, pairs[i + 1] ?? null);
      if (timer) claimed.push(timer);
      else await this.#drop(fabricId, pairs[i + 1] ?? '');
    }
    this.#learn(nextMs === '' ? null : momentOf(nextMs));
    return claimed;
  }

  async hold(fabricId: string, untilMs: number): Promise<void> {
    this.#learnt = null;
    await this.#connection.call((client) => client.zadd(this.#keys.timers, 'XX', 'GT', untilMs, fabricId));
  }

  async nextMs(): Promise<number | null> {
    const learnt = this.#learnt;
    if (learnt) return learnt.nextMs;
    const [, score] = await this.#connection.call((client) => client.zrange(this.#keys.timers, '0', '0', 'WITHSCORES'));
    return score === undefined ? null : momentOf(score);
  }

  async all(): Promise<readonly StoredTimer[]> {
    // A scan sees everything that is there from its beginning to its end, and may see it twice.
    const found = new Map<string, StoredTimer>();
    let cursor = '0';
    do {
      const [next, flat] = await this.#connection.call((client) =>
        client.zscan(this.#keys.timers, cursor, 'COUNT', batchMax),
      );
      cursor = next;
      const scores = pairsOf(flat);
      if (scores.length === 0) continue;
      const payloads = await this.#connection.call((client) =>
        client.hmget(this.#keys.payloads, ...scores.map(([fabricId]) => fabricId)),
      );
      for (const [i, [fabricId, score]] of scores.entries()) {
        const payload = payloads[i] ?? null;
        // Cancelled between the two commands, broken, or never to show: missing either way, and the sweep mends what should be there.
        const timer = payload === null ? null : this.#read(fabricId, payload);
        const showsAtMs = momentOf(score);
        if (timer && showsAtMs !== null) found.set(fabricId, { ...timer, showsAtMs });
      }
    } while (cursor !== '0');
    return [...found.values()];
  }

  onWake(wake: () => void): () => void {
    const deafToRedis = this.#wake?.onWake(wake);
    const deafToReturn = this.#connection.onChange((up) => up && wake());
    return () => {
      deafToRedis?.();
      deafToReturn();
    };
  }

  async #arm(timers: readonly Timer[], onlyMissing: boolean): Promise<number> {
    if (timers.length === 0) return 0;
    this.#learnt = null;
    const { timers: key, payloads, wake } = this.#keys;
    const flat = timers.flatMap((timer) => [timer.fabricId, timer.dueAtMs, writePayload(timer)]);
    if (onlyMissing) {
      return await this.#connection.call((client) => client.armMissingTimers(key, payloads, wake, ...flat));
    }
    await this.#connection.call((client) => client.armTimers(key, payloads, wake, ...flat));
    return timers.length;
  }

  #read(fabricId: string, payload: string | null): Timer | null {
    const timer = payload === null ? null : readPayload(fabricId, payload);
    if (!timer) this.#onBroken(fabricId);
    return timer;
  }

  async #drop(fabricId: string, payload: string): Promise<void> {
    const { timers, payloads } = this.#keys;
    await this.#connection.call((client) => client.dropBrokenTimer(timers, payloads, fabricId, payload));
  }

  #learn(nextMs: number | null): void {
    const learnt = { nextMs };
    this.#learnt = learnt;
    setImmediate(() => {
      if (this.#learnt === learnt) this.#learnt = null;
    });
  }
}

/** @returns null for a score that is no moment, such as `inf`: only somebody else writes one */
function momentOf(score: string): number | null {
  const ms = Number(score);
  return Number.isFinite(ms) ? ms : null;
}

function pairsOf(flat: readonly string[]): (readonly [string, string])[] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.push([flat[i] ?? '', flat[i + 1] ?? '']);
  return pairs;
}
