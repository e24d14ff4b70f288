// What must hold of a simulated place, looked at after every step. The letters are those of the design.
//
//   a. A fabric that may sync by itself has exactly one due time, and one timer that says it; any other has none.
//   b. Epochs of a fabric strictly grow, from claim to claim and from commit to commit; no two commits share one.
//   c, d. See `commit-check.ts`.
//   e. `last_sync` differs from the start of the last committed run only while a lease is held.
//   f. `syncing` implies a live lease.
//   g. No secret of the place leaves a daemon: in a line of its log, a tiding, the context of an actor, a span, what it
//      writes into rows and timers, or a failure of the way to a fabric with its causes.
//   h. See `budget-check.ts`. Over all: a fabric is tried at most `retries_max` times more, and then no faster than its probe.
//   i. See `promise-check.ts`.
//   l. See `lease-check.ts`.
//   n. No daemon says of itself that it has a defect.
//   r. A request is answered, by a run that ended after it was made or by a refusal.
//   s. Exactly those actors of a daemon that are at work hold a slot.
//   w. A timer stays hidden while its run lasts.
//   x. A fabric is asked, and its row committed, only by the daemon that holds its lease.
//
// `a` speaks of two servers that are written one after the other, and an expired lease waits for a sweep: these must come
// true soon after the last disturbance. All others hold always. A database that is restored from a backup has forgotten:
// what it says then is the new beginning of b and e.

import type { Claimed, ClaimRequest, CommitRequest, Settled, SettleRequest, Store } from '../../src/ports/store.ts';
import type { Timer } from '../../src/ports/timers.ts';
import type { Row } from '../support/memory-database.ts';
import { BudgetCheck } from './budget-check.ts';
import { secretIn } from './canary.ts';
import { type BeforeCommit, beforeCommit, judgeCommit } from './commit-check.ts';
import { Contents } from './contents.ts';
import type { SimDaemon } from './daemon.ts';
import type { SimFabric } from './fabric.ts';
import type { SimProcess } from './host.ts';
import { LeaseCheck } from './lease-check.ts';
import type { Place } from './place.ts';
import type { Witness } from './postgres.ts';
import { PromiseCheck } from './promise-check.ts';
import { beginning, maySync, sameRow, type Watched } from './watched.ts';

interface Asked {
  readonly requestId: string;
  readonly fabricId: string;
  readonly atMs: number;
}

export class Checker implements Witness {
  /** The first violation; null while all holds. */
  violation: string | null = null;
  /** Letters of invariants that are not asked for. */
  except: readonly string[] = [];
  readonly #place: Place;
  readonly #watched = new Map<string, Watched>();
  readonly #asked: Asked[] = [];
  readonly #contents = new Contents();
  #disturbedMs = 0;
  #serversDisturbedMs = 0;
  #clockJumpedMs = Number.NEGATIVE_INFINITY;
  #calmMs: number | null = null;
  readonly leases: LeaseCheck;
  readonly budget: BudgetCheck;
  readonly promises: PromiseCheck;

  constructor(place: Place) {
    this.#place = place;
    this.leases = new LeaseCheck(place.world, place.redis);
    this.budget = new BudgetCheck(place.world, place.config);
    this.promises = new PromiseCheck(place);
  }

  get #soonMs(): number {
    return this.promises.soonMs;
  }

  /** g. */
  leaves(what: unknown, where: string, process: SimProcess): void {
    const found = secretIn(what);
    if (found) this.#violated(`g. a secret leaves ${process.name} in ${where}: ${found}`);
  }

  /** n. */
  defect(line: string, process: SimProcess): void {
    this.#violated(`n. ${process.name} has a defect: ${line}`);
  }

  asks(op: keyof Store, process: SimProcess, args: readonly unknown[]): void {
    this.leaves(args, `what it writes (${op})`, process);
    if (op === 'settle') this.#settles(process, args[0] as SettleRequest);
    if (op === 'commit') this.#tell(this.promises.commits(process, args[0] as CommitRequest), args[0]);
    if (op === 'claim') this.#tell(this.budget.tries(process, args[0] as ClaimRequest, this.#clockJumpedMs), args[0]);
  }

  before(op: keyof Store, args: readonly unknown[]): BeforeCommit | null {
    if (op !== 'commit') return null;
    const { database } = this.#place.postgres;
    const { fabricId } = args[0] as { fabricId: string };
    const row = database.rows.get(fabricId);
    return row ? beforeCommit(row, database.inventory(fabricId)) : null;
  }

  after(
    op: keyof Store,
    process: SimProcess,
    args: readonly unknown[],
    answer: unknown,
    was: BeforeCommit | null,
  ): void {
    if (op === 'claim') this.#claimed(process, args[0] as ClaimRequest, answer as Claimed);
    if (op === 'commit') this.#committed(process, args[0] as CommitRequest, answer as { kind: string }, was);
    const settled = op === 'settle' && (answer as Settled);
    if (settled && settled.kind === 'settled') this.budget.settled(args[0] as SettleRequest, settled.row);
  }

  /** x. */
  requested(fabric: SimFabric, process: SimProcess, what: string, path: string): void {
    const { world, postgres, config } = this.#place;
    const { fabricId } = fabric;
    this.#tell(this.budget.requested(fabricId, process, path, fabric), fabric);
    const row = postgres.database.rows.get(fabricId);
    const watched = this.#of(fabricId);
    if (!row || row.leaseHolder === process.name) return;
    const lately = world.nowMs - config.leaseTtlMs - 1_000;
    if (Math.max(watched.unlockedMs, this.#clockJumpedMs, process.wentOnMs + config.leaseTtlMs) > lately) return;
    this.#violated(
      `x. ${process.name} asks fabric ${fabricId} for ${what}; the lease is ${row.leaseHolder ?? 'nobody'}'s`,
    );
  }

  /** w. */
  handedOut(timers: readonly Timer[], process: SimProcess): void {
    const { database } = this.#place.postgres;
    for (const { fabricId } of timers) {
      const row = database.rows.get(fabricId);
      if (!row?.leaseHolder || row.leaseHolder === process.name || !database.isLeased(row)) continue;
      if (!this.#undisturbedFor(this.#of(fabricId), this.#soonMs)) continue;
      this.#violated(`w. ${process.name} is handed the timer of fabric ${fabricId}, which ${row.leaseHolder} runs`);
    }
  }

  asked(requestId: string, fabricId: string): void {
    this.#asked.push({ requestId, fabricId, atMs: this.#place.world.nowMs });
  }

  /** @param servers whether more than a fabric is in trouble. @param ms how long it lasts */
  disturbed(servers: boolean, ms: number): void {
    const untilMs = this.#place.world.nowMs + ms;
    this.#disturbedMs = Math.max(this.#disturbedMs, untilMs);
    if (servers) this.#serversDisturbedMs = Math.max(this.#serversDisturbedMs, untilMs);
  }

  meddled(fabricId: string): void {
    const watched = this.#of(fabricId);
    watched.disturbedMs = this.#place.world.nowMs;
    watched.tries = 0;
    this.budget.meddled(fabricId);
    this.promises.meddled(fabricId);
  }

  unlocked(fabricId: string): void {
    this.#of(fabricId).unlockedMs = this.#place.world.nowMs;
  }

  clockJumped(byMs: number): void {
    this.#clockJumpedMs = this.#place.world.nowMs;
    this.promises.clockJumped(byMs);
    for (const watched of this.#watched.values()) watched.tries = 0;
  }

  /** What the backup says is the new beginning. Runs go on that it knows nothing of: they are fenced when they look. */
  restored(): void {
    this.#clockJumpedMs = this.#place.world.nowMs;
    this.promises.clockJumped(0);
    this.#asked.length = 0;
    for (const [fabricId, watched] of this.#watched) {
      const row = this.#place.postgres.database.rows.get(fabricId);
      this.budget.meddled(fabricId);
      this.promises.meddled(fabricId);
      // It was added after the backup was made. Its number is given out again: to another one.
      if (!row) this.#watched.delete(fabricId);
      else Object.assign(watched, { tries: 0, disturbedMs: this.#place.world.nowMs }, beginning(row));
    }
  }

  calmed(): void {
    this.#calmMs = this.#place.world.nowMs;
    this.#disturbedMs = this.#serversDisturbedMs = this.#calmMs;
    this.promises.calmed();
  }

  /** After each step. */
  look(): void {
    const { postgres, world } = this.#place;
    for (const row of postgres.database.rows.values()) {
      const watched = this.#of(row.fabricId);
      const broken =
        this.#always(row, watched) ?? this.#soon(row, watched) ?? this.promises.look(row, this.#quietSince(watched));
      if (broken) this.#violated(`${broken} (fabric ${row.fabricId})`);
    }
    for (const daemon of this.#place.daemons) if (daemon.moved) this.#slots(daemon);
    const slipped = this.leases.look();
    if (slipped) this.#violated(slipped);
    this.#answered();
    if (this.#calmMs !== null) this.#inTime(world.nowMs - this.#calmMs);
  }

  /** s. */
  #slots(daemon: SimDaemon): void {
    daemon.moved = false;
    if (!daemon.core) return;
    const { fleet } = daemon.core;
    const atWork = [...fleet.members()].filter(({ path }) => /^(?:locked|syncing)\b|\.recording$/.test(path));
    const without = atWork.find(({ fabricId }) => !fleet.slots.has(fabricId));
    const { name } = daemon.host.process ?? daemon.host;
    if (without) this.#violated(`s. ${name} works on fabric ${without.fabricId} without a slot (${without.path})`);
    if (fleet.slots.running > atWork.length) {
      this.#violated(`s. ${name} works on ${atWork.length} fabrics and holds ${fleet.slots.running} slots`);
    }
  }

  /** r. Who waits for a slot waits for the runs before; each has its deadline. */
  #answered(): void {
    const { postgres, world, config, scenario } = this.#place;
    const before = Math.ceil(scenario.fabrics.length / config.concurrency);
    const withinMs = this.#soonMs + (before + 1) * config.runDeadlineMs;
    for (const [at, { requestId, fabricId, atMs }] of this.#asked.entries()) {
      const request = postgres.database.requests.find((one) => one.requestId === requestId);
      if (!request || request.settled) {
        this.#asked.splice(at, 1);
        if (request && request.runId === null && request.refusal === null) {
          this.#violated(`r. request ${requestId} of fabric ${fabricId} was answered by nothing`);
        }
        return;
      }
      if (world.nowMs - atMs > withinMs && this.#undisturbedFor(this.#of(fabricId), withinMs)) {
        this.#violated(`r. request ${requestId} of fabric ${fabricId} was not answered`);
      }
    }
  }

  #always(row: Row, { syncedMs }: Watched): string | null {
    const stamp = row.leaseHolder === null ? row.lastSyncMs : row.previousSyncMs;
    if (stamp !== syncedMs) return `e. last_sync is ${stamp}, the last committed run began at ${syncedMs}`;
    const says = row.state === 'syncing' || row.status === 'syncing';
    if (says !== (row.leaseHolder !== null)) return `f. it says ${row.state}, ${row.status}; lease: ${row.leaseHolder}`;
    if ((row.dueAtMs === null) !== (row.dueKind === null)) return 'a. half a due time';
    return null;
  }

  #soon(row: Row, watched: Watched): string | null {
    const { world, postgres, redis, config, scenario } = this.#place;
    const may = maySync(row);
    if (may !== watched.may) Object.assign(watched, { may, disturbedMs: world.nowMs });
    const since = Math.max(this.#disturbedMs, watched.disturbedMs, this.#clockJumpedMs, redis.main.lostAtMs);
    const timer = redis.timers.peek(row.fabricId);
    const had = watched.hadTimer;
    watched.hadTimer = timer !== undefined;
    if (world.nowMs - since < this.#soonMs) return null;
    const leasedMs = row.leaseUntilMs ?? Number.POSITIVE_INFINITY;
    if (postgres.database.now() - leasedMs > config.sweepIntervalMs + 15_000) return 'f. its lease ran out long ago';
    if (row.leaseHolder !== null) return null;
    if (may !== (row.dueAtMs !== null)) return `a. may sync: ${may}, due: ${row.dueAtMs}`;
    if (scenario.redis && may && had && !timer) return 'a. its timer was taken away';
    return null;
  }

  /** What must have come together by then. */
  #inTime(calmForMs: number): void {
    const { postgres, redis, scenario, daemons } = this.#place;
    if (calmForMs > this.#soonMs + 120_000) {
      for (const { ready, degraded, host } of daemons) {
        if (ready && degraded()) this.#violated(`i. ${host.process?.name} still goes on without Redis`);
      }
    }
    for (const row of postgres.database.rows.values()) {
      const watched = this.#of(row.fabricId);
      if (!scenario.redis) continue;
      const timer = redis.timers.peek(row.fabricId);
      if (calmForMs < this.#soonMs + 120_000 || row.leaseHolder !== null) continue;
      if (this.#place.world.nowMs - watched.committedAtMs < 1_000) continue;
      if (maySync(row) && timer?.dueAtMs !== row.dueAtMs && this.#unlikeFor(watched)) {
        this.#violated(
          `a. fabric ${row.fabricId} is due at ${row.dueAtMs}, its timer says ${timer?.dueAtMs ?? 'nothing'}`,
        );
      }
    }
  }

  #unlikeFor(watched: Watched): boolean {
    return this.#place.world.nowMs - Math.max(watched.triedAtMs, watched.disturbedMs) > this.#soonMs;
  }

  #claimed(process: SimProcess, request: ClaimRequest, answer: Claimed): void {
    if (answer.kind !== 'claimed') return;
    const { fabricId, trigger } = request;
    const fabric = this.#place.fabrics.get(fabricId);
    this.#tell(this.budget.granted(request, answer.claim.epoch), request);
    this.promises.claimed(answer.claim.runId, answer.row);
    if (fabric) this.budget.claimed(process, answer.claim.runId, answer.row, fabric);
    const { world, config } = this.#place;
    const watched = this.#of(fabricId);
    const { epoch } = answer.claim;
    if (epoch <= Math.max(watched.claimedEpoch, watched.committedEpoch)) {
      this.#violated(`b. ${process.name} claims fabric ${fabricId} with epoch ${epoch} after ${watched.claimedEpoch}`);
    }
    watched.claimedEpoch = epoch;
    watched.claimedAtMs = world.nowMs;
    watched.kindsRemoved = this.#place.postgres.database.rows.get(fabricId)?.kindsRemoved ?? [];
    if (trigger === 'manual') return;
    watched.tries += 1;
    const gapMs = world.nowMs - watched.triedAtMs;
    watched.triedAtMs = world.nowMs;
    const { retriesMax, probeMsMin } = config.backoff;
    // Contention and outages of our own servers are no failures of the fabric: they have room here.
    if (watched.tries > retriesMax + 2 && gapMs < probeMsMin - 1_000 && this.#undisturbedFor(watched, probeMsMin)) {
      this.#violated(
        `h. fabric ${fabricId} is tried the ${watched.tries}th time, ${Math.round(gapMs)} ms after the last`,
      );
    }
  }

  #undisturbedFor(watched: Watched, ms: number): boolean {
    return this.#place.world.nowMs - this.#quietSince(watched) > ms;
  }

  #quietSince({ disturbedMs }: Watched): number {
    return Math.max(this.#serversDisturbedMs, disturbedMs, this.#clockJumpedMs);
  }

  #settles(process: SimProcess, request: SettleRequest): void {
    const quietSinceMs = this.#quietSince(this.#of(request.fabricId));
    this.#tell(this.budget.settles(process, request) ?? this.promises.settles(request, quietSinceMs), request);
  }

  #committed(process: SimProcess, request: CommitRequest, answer: { kind: string }, before: BeforeCommit | null): void {
    const { fabricId, claim } = request;
    const { world, postgres, fabrics } = this.#place;
    const row = postgres.database.rows.get(fabricId);
    // Said once more after a lost answer: nothing was done.
    if (answer.kind !== 'committed' || !before || !row || sameRow(before.row, row)) return;
    const watched = this.#of(fabricId);
    if (claim.epoch <= watched.committedEpoch) {
      this.#violated(`b. fabric ${fabricId} commits epoch ${claim.epoch} after ${watched.committedEpoch}`);
    }
    if (before.row.leaseHolder !== process.name) {
      this.#violated(`x. ${process.name} commits fabric ${fabricId} under the lease of ${before.row.leaseHolder}`);
    }
    Object.assign(watched, { committedEpoch: claim.epoch, syncedMs: row.lastSyncMs, tries: 0 });
    watched.committedAtMs = world.nowMs;
    this.promises.committed(fabricId, request);
    const fabric = fabrics.get(fabricId);
    const inventory = postgres.database.inventory(fabricId);
    const run = { fromMs: watched.claimedAtMs, toMs: world.nowMs, kindsRemoved: watched.kindsRemoved };
    const wrong = fabric && judgeCommit(before, inventory, request, fabric, this.#contents, run);
    if (wrong) this.#violated(`${wrong} (fabric ${fabricId}, run ${claim.runId})`);
  }

  #of(fabricId: string): Watched {
    const known = this.#watched.get(fabricId);
    if (known) return known;
    const row = this.#place.postgres.database.rows.get(fabricId);
    const watched: Watched = {
      claimedEpoch: 0,
      committedEpoch: 0,
      syncedMs: null,
      claimedAtMs: 0,
      kindsRemoved: [],
      tries: 0,
      triedAtMs: 0,
      disturbedMs: this.#place.world.nowMs,
      unlockedMs: Number.NEGATIVE_INFINITY,
      hadTimer: false,
      may: row ? maySync(row) : false,
      committedAtMs: this.#place.world.nowMs,
      ...(row && beginning(row)),
    };
    this.#watched.set(fabricId, watched);
    return watched;
  }

  /** @param of what names the fabric */
  #tell(broken: string | null, of: unknown): void {
    if (broken) this.#violated(`${broken} (fabric ${(of as { fabricId: string }).fabricId})`);
  }

  #violated(what: string): void {
    if (this.violation !== null || this.except.includes(what.slice(0, 1))) return;
    this.violation = what;
    this.#place.world.tell(`VIOLATED: ${what}`);
  }
}
