// Postgres without a server: the rows that all daemons share, the ways to them, and what can happen to both.
//
//   P1. An act happened whole or not at all; whoever sees the connection break cannot know which.
//   P2. Notices are heard while a connection stands; one that broke is made again and then says `everything`.
//   P3. After a restore every connection is another one.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Clock } from '../../src/clock.ts';
import type { CommitRequest, Notice, Store } from '../../src/ports/store.ts';
import { type Backup, MemoryDatabase } from '../support/memory-database.ts';
import { memoryStore } from '../support/memory-store.ts';
import type { Chance } from './chance.ts';
import type { BeforeCommit } from './commit-check.ts';
import type { SimProcess } from './host.ts';
import type { World } from './world.ts';

/** `standby`: reads are answered, writes refused, as after a failover to one that was not promoted yet. */
export type PostgresState = 'up' | 'refusing' | 'standby';
export type NoticeWeather = 'calm' | 'lost' | 'late' | 'doubled';

/** Sees each act of a daemon on the rows: before it is done, and after. */
export interface Witness {
  /** A daemon sends it, whether it gets there or not. */
  asks(op: keyof Store, process: SimProcess, args: readonly unknown[]): void;
  /** @returns what `after` compares with, as others may be served in between */
  before(op: keyof Store, args: readonly unknown[]): BeforeCommit | null;
  after(
    op: keyof Store,
    process: SimProcess,
    args: readonly unknown[],
    answer: unknown,
    was: BeforeCommit | null,
  ): void;
}

interface Ear {
  readonly process: SimProcess;
  /** The server's end of it is gone. */
  deaf: boolean;
  /** The process saw it break. */
  readonly broke: () => void;
}

/** What a server answers that takes no writes. */
const reads: ReadonlySet<keyof Store> = new Set(['fabrics', 'fabric', 'known', 'overdue', 'openRequests', 'ping']);
/** What waits for a row that somebody keeps. */
const waitsForRow: ReadonlySet<keyof Store> = new Set(['claim', 'renew', 'commit', 'settle']);
const statementTimeoutMs = 25_000;
const deadlineMs = 30_000;
const listenWithinMs = 5_000;
const askEveryMs = 10_000;
const retryMs = 500;

export class SimPostgres {
  readonly database: MemoryDatabase;
  state: PostgresState = 'up';
  notices: NoticeWeather = 'calm';
  /** How far its clock is ahead of true time. */
  skewMs = 0;
  /** The longest that an answer takes. */
  lateMs = 0;
  witness: Witness = { asks: () => {}, before: () => null, after: () => {} };
  readonly #world: World;
  readonly #chance: Chance;
  readonly #ears = new Map<string, Ear>();
  readonly #clients = new Set<SimProcess>();
  /** Each looks whether its row is free. */
  readonly #waiting = new Set<() => void>();

  constructor(world: World, chance: Chance) {
    this.#world = world;
    this.#chance = chance;
    const unused = () => {
      throw new Error('a server has no timers here');
    };
    const nowMs = () => Math.floor(world.startMs + world.nowMs + this.skewMs);
    const clock: Clock = { nowMs, monotonicMs: () => world.nowMs, sleep: unused, after: unused };
    this.database = new MemoryDatabase(clock);
    this.database.carry = (daemon, deliver) => this.#carry(daemon, deliver);
  }

  /** Every connection breaks: what is asked on it is not answered, and who listens is deaf. */
  cutConnections(): void {
    for (const ear of this.#ears.values()) {
      ear.deaf = true;
      this.#world.in(this.#chance.between(0.1, 5), () => ear.process.deliver(ear.broke));
    }
    for (const client of this.#clients) {
      if (client.host.ways.postgres !== 'open') continue;
      this.#world.in(this.#chance.between(0.1, 5), () => client.hangUp('postgres'));
    }
  }

  restore(backup: Backup): void {
    this.database.restore(backup);
    this.cutConnections();
  }

  connect(process: SimProcess): Store {
    const inner = memoryStore(this.database, process.name);
    this.#clients.add(process);
    const ask = <Answer>(
      op: keyof Store,
      args: readonly unknown[],
      act: () => Promise<Answer>,
      signal?: AbortSignal,
    ) => {
      this.witness.asks(op, process, args);
      return process.ask({
        service: 'postgres',
        op,
        deadlineMs: op === 'renew' ? (args[0] as { leaseTtlMs: number }).leaseTtlMs / 2 : deadlineMs,
        takesMs: this.lateMs === 0 ? 0 : this.#chance.between(0, this.lateMs),
        broken: unavailable,
        signal,
        serve: async () => {
          this.#refuseWhere(op);
          if (this.database.held.size > 0) await this.#waitForRow(op, args[0], signal);
          const was = this.witness.before(op, args);
          const answer = await act();
          this.witness.after(op, process, args, answer, was);
          return answer;
        },
      });
    };
    return {
      fabrics: () => ask('fabrics', [], () => inner.fabrics()),
      fabric: (id) => ask('fabric', [id], () => inner.fabric(id)),
      claim: (request) => ask('claim', [request], () => inner.claim(request)),
      renew: (request) => ask('renew', [request], () => inner.renew(request)),
      known: (id, signal) => ask('known', [id], () => inner.known(id, signal), signal),
      commit: (request, signal, onFenced) => {
        // Sent once: what is doubled on the way is the same again.
        const sent: CommitRequest = Object.create(request, {
          staged: { value: [...request.staged], enumerable: true },
        });
        const fenced = () => onFenced && process.deliver(onFenced);
        return ask('commit', [sent], () => inner.commit(sent, neverAborted, fenced), signal);
      },
      settle: (request) => ask('settle', [request], () => inner.settle(request)),
      remember: (plans) => ask('remember', [plans], () => inner.remember(plans)),
      interruptExpired: (backoff, roll) =>
        ask('interruptExpired', [backoff, roll], () => inner.interruptExpired(backoff, roll)),
      overdue: (beforeMs, atMost) => ask('overdue', [], () => inner.overdue(beforeMs, atMost)),
      endPauses: () => ask('endPauses', [], () => inner.endPauses()),
      openRequests: (id) => ask('openRequests', [id], () => inner.openRequests(id)),
      refuseRequests: (id, refusal) => ask('refuseRequests', [id, refusal], () => inner.refuseRequests(id, refusal)),
      prune: (keepMs, from, signal) => ask('prune', [keepMs, from], () => inner.prune(keepMs, from, signal), signal),
      ping: () => ask('ping', [], () => inner.ping()),
      listen: (hear) => this.#listen(process, hear),
    };
  }

  async #listen(process: SimProcess, hear: (notice: Notice) => void): Promise<() => Promise<void>> {
    const { clock } = process;
    let stopped = false;
    let interrupted = false;
    let cancel = () => {};
    const ear: Ear = {
      process,
      deaf: true,
      broke: () => {
        interrupted = true;
        cancel();
        keepAsking(0);
      },
    };
    const ask = () =>
      process.ask({
        service: 'postgres',
        op: 'listen',
        deadlineMs: listenWithinMs,
        broken: unavailable,
        serve: () => {
          this.#refuseWhere('listen');
          const wasDeaf = ear.deaf;
          ear.deaf = false;
          return wasDeaf;
        },
      });
    const keepAsking = (waitMs: number) => {
      if (stopped) return;
      cancel = clock.after(waitMs, () => {
        ask().then(
          (wasDeaf) => {
            const again = interrupted || wasDeaf;
            interrupted = false;
            if (again && !stopped) hear({ what: 'everything' });
            keepAsking(askEveryMs);
          },
          () => {
            interrupted = true;
            keepAsking(retryMs);
          },
        );
      });
    };
    await ask();
    this.#ears.set(process.name, ear);
    const stop = this.database.listen(process.name, (notice) => {
      if (!stopped) hear(notice);
    });
    keepAsking(askEveryMs);
    return async () => {
      stopped = true;
      cancel();
      stop();
      this.#ears.delete(process.name);
    };
  }

  /** The server forgets who is gone. */
  forget(process: SimProcess): void {
    this.#ears.delete(process.name);
    this.#clients.delete(process);
  }

  #carry(daemon: string, deliver: () => void): void {
    const ear = this.#ears.get(daemon);
    if (!ear || ear.deaf || ear.process.host.ways.postgres !== 'open') {
      if (ear) ear.deaf = true;
      return;
    }
    const chance = this.#chance;
    if (this.notices === 'lost' && chance.is(0.7)) return;
    const times = this.notices === 'doubled' ? 2 : 1;
    for (let i = 0; i < times; i++) {
      const waitMs = this.notices === 'late' ? chance.spread(10, 30_000) : 0.1 + chance.roll();
      this.#world.in(waitMs, () => ear.process.deliver(deliver));
    }
  }

  /** Until whoever keeps the row lets go of it, the asker goes away, or the server has enough of it. */
  async #waitForRow(op: keyof Store, request: unknown, signal?: AbortSignal): Promise<void> {
    if (!waitsForRow.has(op)) return;
    const { fabricId, noWait } = request as { fabricId: string; noWait?: true };
    if (noWait || !this.database.held.has(fabricId)) return;
    const freed = Promise.withResolvers<void>();
    const tooLong = unavailable('canceling statement due to statement timeout');
    const cancel = this.#world.in(statementTimeoutMs, () => freed.reject(tooLong));
    const abort = () => freed.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    const look = () => {
      if (this.database.held.has(fabricId)) return;
      this.#waiting.delete(look);
      freed.resolve();
    };
    this.#waiting.add(look);
    try {
      await freed.promise;
    } finally {
      cancel();
      this.#waiting.delete(look);
      signal?.removeEventListener('abort', abort);
    }
    this.#refuseWhere(op);
  }

  /** Somebody's open transaction keeps the rows of this fabric, and lets go of them. */
  holdRow(fabricId: string): void {
    this.database.held.add(fabricId);
  }

  freeRows(fabricIds: Iterable<string>): void {
    for (const fabricId of fabricIds) this.database.held.delete(fabricId);
    for (const look of [...this.#waiting]) look();
  }

  #refuseWhere(op: keyof Store): void {
    if (this.state === 'refusing') throw unavailable('the database system is shutting down');
    if (this.state === 'standby' && !reads.has(op)) throw unavailable('cannot execute this in a read-only transaction');
  }
}

const neverAborted = new AbortController().signal;

function unavailable(why: string): FabricFailure {
  return new FabricFailure('DATABASE_UNAVAILABLE', `Postgres does not answer: ${why}`);
}
