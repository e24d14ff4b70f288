// The post: what other processes and people did reaches the actors.
//
//   N1. A notice is a hint to read the row again, never the news itself: a lost, late or doubled notice does no harm.
//   N2. News of one fabric are handled one after the other, of different fabrics side by side. A row that is still to be read
//       for the same reason is read once.

import type { Plan } from '../../machines/fabric/plan.ts';
import type { Log } from '../log.ts';
import type { FabricRow, Notice, Store } from '../ports/store.ts';
import type { TimerStore } from '../ports/timers.ts';
import type { Service } from '../service.ts';
import type { Fleet } from './fleet.ts';
import { differs, type Planner } from './planner.ts';
import { afterOutage, type Sweep, settledLate } from './sweep.ts';

export interface PostDeps {
  readonly store: Store;
  readonly timers: TimerStore;
  readonly fleet: Fleet;
  readonly planner: Planner;
  readonly sweep: Sweep;
  readonly log: Log;
}

const byPeople: readonly string[] = ['settings', 'unlock'];

/** One fabric's news. */
interface Reading {
  /** The last of them is handled. */
  turn: Promise<void>;
  /** Why the row is to be read, as far as that has not begun. */
  readonly waiting: Set<string>;
}

export class Post implements Service {
  readonly name = 'post';
  readonly #deps: PostDeps;
  readonly #inHand = new Map<string, Reading>();
  readonly #onNotice = new Set<(notice: Notice) => void>();
  #hangUp: (() => Promise<void>) | null = null;

  constructor(deps: PostDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#hangUp = await this.#deps.store.listen((notice) => this.hear(notice));
  }

  async stop(): Promise<void> {
    const hangUp = this.#hangUp;
    this.#hangUp = null;
    await hangUp?.();
    await Promise.all([...this.#inHand.values()].map(({ turn }) => turn));
  }

  /** Hears every notice too, before it is acted on. `hear` must not throw or block. @returns "stop listening" */
  onNotice(hear: (notice: Notice) => void): () => void {
    this.#onNotice.add(hear);
    return () => this.#onNotice.delete(hear);
  }

  /** Acts on a notice: tells it on, and has the rows that it is about read again. Waits for nothing, and throws nothing. */
  hear(notice: Notice): void {
    const { fleet, sweep, log } = this.#deps;
    for (const hear of this.#onNotice) hear(notice);
    switch (notice.what) {
      case 'everything':
        sweep
          .now(afterOutage)
          .catch((cause: unknown) => log.debug({ err: cause }, 'the sweep failed; it is tried again'));
        return;
      case 'cancel':
        if (fleet.cancel(notice.fabricId, notice.by))
          log.info({ fabric_id: notice.fabricId, by: notice.by }, 'a run is being cancelled');
        return;
      case 'unlock':
        fleet.unlocked(notice.fabricId, notice.by);
        this.reread(notice.fabricId, 'unlock', notice.by);
        return;
      case 'changed':
        this.reread(notice.fabricId, notice.what, notice.by);
        return;
      case 'settings':
      case 'request':
        this.reread(notice.fabricId, notice.what);
    }
  }

  /**
   * Reads one fabric's row again and tells its actor.
   * @param by who made it necessary, for people; where that is not known they are told why
   */
  reread(fabricId: string, why: string, by = ''): void {
    const reading = this.#inHand.get(fabricId) ?? { turn: Promise.resolve(), waiting: new Set() };
    const asked = JSON.stringify([why, by]);
    if (reading.waiting.has(asked)) return;
    reading.waiting.add(asked);
    const turn = reading.turn
      .then(() => {
        reading.waiting.delete(asked);
        return this.#reread(fabricId, why, by);
      })
      .catch((cause: unknown) => {
        // The sweep looks at every row anyway.
        this.#deps.log.debug({ err: cause, fabric_id: fabricId }, 'a row could not be read again; the sweep will');
      })
      .finally(() => {
        if (reading.turn === turn) this.#inHand.delete(fabricId);
      });
    reading.turn = turn;
    this.#inHand.set(fabricId, reading);
  }

  async #reread(fabricId: string, why: string, by: string): Promise<void> {
    const { store, timers, fleet, planner, log } = this.#deps;
    const row = await store.fabric(fabricId);
    if (!row) {
      const gone = fleet.member(fabricId);
      fleet.remove(fabricId);
      await timers.cancel(fabricId);
      if (gone) log.info({ fabric: gone.name, fabric_id: fabricId }, 'the fabric was removed');
      return;
    }
    const [planned] = await planner.remember([row]);
    if (!planned) return;
    if (planned.plan.state === 'idle') await timers.cancel(fabricId);
    fleet.plan(planned, by || why, this.#isArmed(row, planned.plan, why));
    if (row.requestsOpen === 0) return;
    for (const asked of await store.openRequests(fabricId)) {
      const answer = fleet.request(fabricId, asked.by, asked.traceparents);
      if (typeof answer === 'string') continue;
      await store.refuseRequests(fabricId, answer.refused);
      log.warn(
        { fabric: row.name, fabric_id: fabricId, by: asked.by, reason: answer.refused },
        'a manual sync was refused',
      );
    }
  }

  /** Whether somebody else has armed the timer of this plan, or will; else it is ours to arm. */
  #isArmed(row: FabricRow, plan: Plan, why: string): boolean {
    if (plan.state === 'idle') return false;
    // Whoever runs it arms what comes next.
    if (plan.why === 'running_elsewhere') return true;
    // Where the row already said so, the daemon that wrote it armed the timer; but a person who writes arms nothing, and
    // a timer that nobody here expected, or whose run could not be told, was hidden by being claimed.
    const byDaemon = ![...byPeople, 'unexpected timer', settledLate].includes(why);
    return byDaemon && this.#deps.timers.shared && !differs(row, plan);
  }
}
