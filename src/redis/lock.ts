// The lock on a fabric: redlock (https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/) over one or
// more independent nodes, with what the library leaves to its callers.
//
//   K1. Trust is counted on the monotonic clock from before the question was asked, less what clocks may drift apart.
//   K2. Contention is an answer, an outage is not: redlock throws the same error for both, and only its votes tell.
//   K3. One question, one answer: `retryCount` is 0, and `using()` is never used, which spins when a lock is lost.
//   K4. No wait is longer than `deadlineMs`, whatever a node does; what is granted after it is given back.
//   K5. redlock's value is random, so it fences nothing: the epoch in Postgres does.
//   K6. Of an even number of nodes half may grant and half refuse. redlock counts majorities alone and would never answer;
//       one voice more, which always refuses, changes no majority and brings every vote to its end.

import { ExecutionError, type Lock, default as Redlock, ResourceLockedError } from 'redlock';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Clock } from '../clock.ts';
import { type Acquired, driftShare, type FabricLock, type Lease, trustMs } from '../ports/lock.ts';
import { script } from './client.ts';
import type { RedisConnection } from './connection.ts';
import type { RedisKeys } from './keys.ts';
import { named } from './script-names.ts';

/** What the lock asks of the connection to one node. */
export type LockNode = Pick<RedisConnection, 'address' | 'client' | 'timeouts' | 'up' | 'trouble' | 'suspect' | 'call'>;

export interface RedisLockOptions {
  /** Independent nodes; one is enough, as the epoch fences. */
  readonly nodes: readonly LockNode[];
  readonly keys: RedisKeys;
  readonly clock: Clock;
  /** How long a lease lives that is not renewed, milliseconds. */
  readonly ttlMs: number;
}

const refuse = () => Promise.reject(new ResourceLockedError('one voice more, so that every vote comes to an end'));
/** K6: all that redlock asks of a client. */
const refuser = { evalsha: refuse, eval: refuse } as unknown as LockNode['client'];

type Outcome = { readonly kind: 'contended' } | { readonly kind: 'unavailable'; readonly cause: unknown };

export class RedisLock implements FabricLock {
  readonly #nodes: readonly LockNode[];
  readonly #quorum: number;
  readonly #keys: RedisKeys;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #deadlineMs: number;
  readonly #redlock: Redlock;
  readonly #locks = new WeakMap<Lease, Lock>();

  constructor({ nodes, keys, clock, ttlMs }: RedisLockOptions) {
    this.#nodes = nodes;
    this.#quorum = Math.floor(nodes.length / 2) + 1;
    this.#keys = keys;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    // A node that hangs is cut off by its own command's deadline, and its vote is counted; this is for what that misses.
    this.#deadlineMs = Math.max(...nodes.map(({ timeouts }) => timeouts.commandMs)) + 500;
    this.#redlock = new Redlock(
      [...nodes.map(({ client }) => client), ...(nodes.length % 2 === 0 ? [refuser] : [])],
      { retryCount: 0, driftFactor: driftShare },
      // As functions: redlock takes no notice of a text here. The other two are its own, and get names.
      {
        acquireScript: () => script('acquire-lock').lua,
        extendScript: (lua: string) => named('extend-lock', lua),
        releaseScript: (lua: string) => named('release-lock', lua),
      },
    );
  }

  async acquire(fabricId: string): Promise<Acquired> {
    const away = this.#nodes.filter(({ up }) => !up);
    if (this.#nodes.length - away.length < this.#quorum) return { kind: 'unavailable', cause: away[0]?.trouble };
    const askedMs = this.#clock.monotonicMs();
    const question = this.#redlock.acquire([this.#keys.lock(fabricId)], this.#ttlMs);
    try {
      const lock = await this.#within(question);
      if (lock === late) {
        question.then((granted) => this.#giveBack(granted)).catch(() => {});
        return { kind: 'unavailable', cause: this.#tooLate() };
      }
      const lease = this.#hold(fabricId, lock, askedMs);
      if (this.#clock.monotonicMs() < lease.trustedUntilMs) return { kind: 'acquired', lease };
      // This process stood still, or the wait was longer than the lease: nothing of it is left.
      await this.#giveBack(lock);
      return { kind: 'unavailable', cause: this.#tooLate() };
    } catch (thrown) {
      return await this.#readVotes(thrown);
    }
  }

  async renew(lease: Lease): Promise<Lease | null> {
    const lock = this.#locks.get(lease);
    const askedMs = this.#clock.monotonicMs();
    if (!lock || askedMs >= lease.trustedUntilMs) return null;
    // redlock would refuse by the wall clock, which may have jumped; ours was asked a line above.
    lock.expiration = Number.POSITIVE_INFINITY;
    try {
      const extended = await this.#within(this.#redlock.extend(lock, this.#ttlMs));
      if (extended === late) return null;
      const renewed = this.#hold(lease.fabricId, extended, askedMs);
      return this.#clock.monotonicMs() < renewed.trustedUntilMs ? renewed : null;
    } catch (thrown) {
      await this.#readVotes(thrown);
      return null;
    }
  }

  async release(lease: Lease): Promise<void> {
    const lock = this.#locks.get(lease);
    this.#locks.delete(lease);
    if (lock) await this.#giveBack(lock);
  }

  /**
   * Takes the fabric's keys away, whoever holds them. Safe only after the epoch has moved.
   *
   * @returns whether it was locked
   * @throws FabricFailure `REDIS_UNAVAILABLE` where too few nodes answer for it to be free afterwards
   */
  async breakLock(fabricId: string): Promise<boolean> {
    const key = this.#keys.lock(fabricId);
    const answers = await Promise.allSettled(this.#nodes.map((node) => node.call((client) => client.del(key))));
    const given = answers.filter((answer) => answer.status === 'fulfilled');
    const refused = answers.find((answer) => answer.status === 'rejected');
    if (refused && given.length < this.#quorum) throw refused.reason;
    return given.some(({ value }) => value > 0);
  }

  #hold(fabricId: string, lock: Lock, askedMs: number): Lease {
    const lease: Lease = { fabricId, trustedUntilMs: askedMs + trustMs(this.#ttlMs) };
    this.#locks.set(lease, lock);
    return lease;
  }

  /** Failing is fine: what is not given back expires. */
  async #giveBack(lock: Lock): Promise<void> {
    await this.#within(this.#redlock.release(lock)).catch(() => {});
  }

  async #within<Answer>(answer: Promise<Answer>): Promise<Answer | typeof late> {
    const { promise, resolve } = Promise.withResolvers<typeof late>();
    const stopTimer = this.#clock.after(this.#deadlineMs, () => resolve(late));
    // Whichever comes second may still reject, when nobody listens any more.
    answer.catch(() => {});
    try {
      return await Promise.race([answer, promise]);
    } finally {
      stopTimer();
    }
  }

  /** K2: `contended` where a quorum answered and gave too few leases; a node that did not answer has no say. */
  async #readVotes(thrown: unknown): Promise<Outcome> {
    if (!(thrown instanceof ExecutionError)) throw thrown;
    const stats = await this.#within(Promise.all(thrown.attempts));
    const last = stats === late ? undefined : stats.at(-1);
    if (!last) return { kind: 'unavailable', cause: this.#tooLate() };
    let cause: unknown = null;
    let busy = 0;
    for (const [client, error] of last.votesAgainst) {
      if (client === refuser) continue;
      if (error instanceof ResourceLockedError) busy++;
      else cause = this.#nodes.find((node) => node.client === client)?.suspect(error) ?? error;
    }
    return last.votesFor.size + busy >= this.#quorum ? { kind: 'contended' } : { kind: 'unavailable', cause };
  }

  /** So many nodes hang that no quorum is left; which, is not known. Those that work say so at their next write. */
  #tooLate(): FabricFailure {
    for (const node of this.#nodes) if (node.up) node.suspect(new Error('it did not answer in time'));
    const where = this.#nodes.map(({ address }) => address.shown).join(', ');
    return new FabricFailure('REDIS_UNAVAILABLE', `the lock's answer from ${where} came too late to be trusted`);
  }
}

const late = Symbol('no answer within the deadline');
