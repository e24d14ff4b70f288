// The fleet: one root actor a fabric, and the way that news reach them.
//
//   E1. Every fabric in the database has an actor here; every daemon has them all, and the lock decides who runs one.
//   E2. An actor that works is not disturbed: what it missed is asked again when it rests (`stale`).
//   E3. TIMER_DUE and SYNC_REQUESTED reach an actor only with a slot reserved; it is released when the actor rests.
//   E4. After `stop` no event reaches an actor and no run is in hand. What is asked while it stops is left to the next
//       daemon: timers and requests outlive this one.

import { type ActorRefFrom, createActor } from 'xstate';
import type { FabricContext, FabricPolicy } from '../../machines/fabric/context.ts';
import type { FabricEvent } from '../../machines/fabric/events.ts';
import type { fabricMachine } from '../../machines/fabric/machine.ts';
import { type FabricState, manualAllowed, type Plan } from '../../machines/fabric/plan.ts';
import { reasonOf } from '../../machines/fabric/reason.ts';
import { path, type Transition, top, watchTransitions } from '../../otel/transitions.ts';
import type { Clock } from '../clock.ts';
import type { Timer } from '../ports/timers.ts';
import type { Planned } from './planner.ts';
import { type SlotClass, Slots } from './slots.ts';

type FabricActor = ActorRefFrom<typeof fabricMachine>;

export interface FleetMember {
  readonly fabricId: string;
  readonly name: string;
  readonly state: FabricState;
  /** The whole path, such as `syncing.running`. */
  readonly path: string;
  readonly context: FabricContext;
  readonly since: number;
}

export interface FabricTransition extends Transition<FabricContext> {
  readonly fabricId: string;
  readonly name: string;
}

export interface FleetDeps {
  /** The statechart with its ports bound. */
  readonly machine: typeof fabricMachine;
  readonly policy: FabricPolicy;
  readonly concurrency: number;
  readonly clock: Clock;
  /** Every transition of every fabric, after it happened. */
  readonly onTransition: (told: FabricTransition) => void;
  /** A fabric came to rest while news were waiting for it: read its row again. */
  readonly onStale: (fabricId: string) => void;
  /** A fabric is gone: whatever is kept for it can go. */
  readonly onRemoved: (fabricId: string, was: { readonly name: string; readonly path: string }) => void;
}

interface Member {
  readonly actor: FabricActor;
  name: string;
  since: number;
  stale: boolean;
}

export class Fleet {
  readonly slots: Slots;
  readonly #deps: FleetDeps;
  /** The statechart's deadlines are on our clock too. */
  readonly #actorClock;
  readonly #members = new Map<string, Member>();
  readonly #onRest = new Set<() => void>();
  #stopping = false;

  constructor(deps: FleetDeps) {
    this.#deps = deps;
    const { clock } = deps;
    this.#actorClock = {
      setTimeout: (act: () => void, ms: number) => clock.after(ms, act),
      clearTimeout: (stop?: () => void) => stop?.(),
    };
    this.slots = new Slots(deps.concurrency);
  }

  get size(): number {
    return this.#members.size;
  }

  /** Every fabric as it is now, in the order in which they were added. Each is read when its turn comes. */
  *members(): Iterable<FleetMember> {
    for (const [fabricId, member] of this.#members) yield view(fabricId, member);
  }

  /** @returns null where it has no actor here: it is gone, or this daemon has stopped */
  member(fabricId: string): FleetMember | null {
    const member = this.#members.get(fabricId);
    return member ? view(fabricId, member) : null;
  }

  /** How many fabrics are in each state. */
  census(): Record<FabricState, number> {
    const census = { idle: 0, scheduled: 0, locked: 0, syncing: 0, backoff: 0, errored: 0 };
    for (const { state } of this.members()) census[state]++;
    return census;
  }

  /** Tells a fabric what its row says; adds it where it is new. `armed`: its timer is in the store already. */
  plan({ row, plan }: Planned, by: string, armed = false): void {
    if (this.#stopping) return;
    const member = this.#members.get(row.fabricId) ?? this.#add(row.fabricId, row.name);
    member.name = row.name;
    if (isWorking(member)) {
      member.stale = true;
      return;
    }
    // An idle one has nothing to arm: the same word again is no news to it.
    const isSettled = armed || (plan.state === 'idle' && topOf(member) === 'idle');
    if (isSettled && samePlan(member.actor.getSnapshot().context.plan, plan)) return;
    this.#send(member, { type: 'PLAN', plan, armed, by });
  }

  /** A claimed timer. @returns false where nobody here wants it: as far as is known here */
  timerDue(timer: Timer): boolean {
    if (this.#stopping) return true;
    const member = this.#members.get(timer.fabricId);
    if (!member || topOf(member) === 'idle') return false;
    if (isWorking(member)) return true;
    this.#whenSlot(timer.fabricId, timer.kind === 'sync' ? 'periodic' : 'trouble', {
      type: 'TIMER_DUE',
      kind: timer.kind,
      dueAtMs: timer.dueAtMs,
      traceparent: timer.traceparent,
    });
    return true;
  }

  /**
   * A person asked for a sync now.
   * @returns `asked`; `joined` where a run is in hand; `left` to the next daemon, as this one stops; or why it cannot be
   */
  request(
    fabricId: string,
    by: string,
    traceparents: readonly string[],
  ): 'asked' | 'joined' | 'left' | { refused: string } {
    if (this.#stopping) return 'left';
    const member = this.#members.get(fabricId);
    if (!member) return { refused: 'no such fabric' };
    if (isWorking(member)) {
      member.stale = true;
      return 'joined';
    }
    const { plan } = member.actor.getSnapshot().context;
    if (plan.state === 'idle' && !manualAllowed[plan.reason]) return { refused: plan.reason };
    this.#whenSlot(fabricId, 'manual', { type: 'SYNC_REQUESTED', by, traceparents });
    return 'asked';
  }

  /** @returns false where no run is in hand here */
  cancel(fabricId: string, by: string): boolean {
    const member = this.#members.get(fabricId);
    if (!member || !isAttempting(member)) return false;
    this.#send(member, { type: 'CANCEL_REQUESTED', by, code: 'CANCELLED' });
    return true;
  }

  /** A person force-unlocked the fabric: a run here has been fenced off. */
  unlocked(fabricId: string, by: string): void {
    const member = this.#members.get(fabricId);
    if (member && isWorking(member)) this.#send(member, { type: 'LEASE_LOST', reason: `${by} unlocked the fabric` });
  }

  /** The fabric is gone from the database. */
  remove(fabricId: string): void {
    const member = this.#members.get(fabricId);
    if (!member) return;
    this.#members.delete(fabricId);
    const was = { name: member.name, path: pathOf(member) };
    member.actor.stop();
    this.#free(fabricId);
    this.#deps.onRemoved(fabricId, was);
  }

  /** One who only waits for a slot does not want it any more. @returns false where nobody waited */
  giveUp(fabricId: string): boolean {
    const waited = this.slots.waits(fabricId);
    if (waited) this.#free(fabricId);
    return waited;
  }

  /** A copy: fabrics may be removed while it is gone through. */
  ids(): ReadonlySet<string> {
    return new Set(this.#members.keys());
  }

  /**
   * Lets runs in hand finish for `graceMs`, then aborts them, waits `abortMs` for them to settle, and stops the actors.
   * `hurry` cuts the grace short (a second signal), and leaves `hurriedMs` to settle.
   */
  async stop(
    { graceMs, abortMs, hurriedMs = abortMs }: { graceMs: number; abortMs: number; hurriedMs?: number },
    hurry: AbortSignal,
  ): Promise<{ aborted: number }> {
    this.#stopping = true;
    await this.#untilIdle(graceMs, hurry, 0);
    let aborted = 0;
    for (const member of this.#members.values()) {
      if (!isAttempting(member)) continue;
      aborted++;
      this.#send(member, { type: 'CANCEL_REQUESTED', by: 'a shutdown', code: 'SHUTDOWN' });
    }
    await this.#untilIdle(abortMs, hurry, hurriedMs);
    for (const member of this.#members.values()) member.actor.stop();
    this.#members.clear();
    return { aborted };
  }

  /** Resolves when nothing runs and nobody waits for a slot. Each run has its own deadline. */
  async idle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (this.slots.running === 0 && this.slots.waiting === 0) resolve();
    };
    this.#onRest.add(look);
    look();
    await promise;
    this.#onRest.delete(look);
  }

  /** Waits no longer than `ms`, and from `hurry` on no longer than `hurriedMs`. */
  async #untilIdle(ms: number, hurry: AbortSignal, hurriedMs: number): Promise<void> {
    const { clock } = this.#deps;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (![...this.#members.values()].some(isWorking)) resolve();
    };
    const stopTimers = [clock.after(ms, resolve)];
    const onHurry = () => {
      if (hurriedMs === 0) resolve();
      else stopTimers.push(clock.after(hurriedMs, resolve));
    };
    this.#onRest.add(look);
    if (hurry.aborted) onHurry();
    else hurry.addEventListener('abort', onHurry, { once: true });
    look();
    await promise;
    for (const stopTimer of stopTimers) stopTimer();
    this.#onRest.delete(look);
    hurry.removeEventListener('abort', onHurry);
  }

  #add(fabricId: string, name: string): Member {
    const { clock } = this.#deps;
    const actor = createActor(this.#deps.machine, {
      id: `fabric-${fabricId}`,
      input: { fabricId, policy: this.#deps.policy },
      clock: this.#actorClock,
      inspect: watchTransitions<FabricContext>(
        clock.monotonicMs,
        (transition) => this.#moved(fabricId, transition),
        reasonOf,
      ),
    });
    const member: Member = { actor, name, since: clock.nowMs(), stale: false };
    this.#members.set(fabricId, member);
    actor.start();
    return member;
  }

  #send(member: Member, event: FabricEvent): void {
    member.actor.send(event);
  }

  #whenSlot(fabricId: string, slotClass: SlotClass, event: FabricEvent): void {
    this.slots.ask(fabricId, slotClass, () => {
      const member = this.#members.get(fabricId);
      if (member && !this.#stopping && !isWorking(member)) this.#send(member, event);
      // A machine that does not take the event (it went idle meanwhile) does not keep the slot.
      if (!member || !isWorking(member)) queueMicrotask(() => this.#free(fabricId));
    });
  }

  #free(fabricId: string): void {
    this.slots.release(fabricId);
    for (const look of this.#onRest) look();
  }

  #moved(fabricId: string, transition: Transition<FabricContext>): void {
    const member = this.#members.get(fabricId);
    if (!member) return;
    const { name } = member;
    if (transition.stayedMs !== null) member.since = this.#deps.clock.nowMs();
    this.#deps.onTransition({ fabricId, name, ...transition });
    if (!settled(transition.to) || settled(transition.from)) return;
    // Not inside XState's own step: what follows may send events to this very actor.
    queueMicrotask(() => {
      this.#free(fabricId);
      if (member.stale && !this.#stopping) {
        member.stale = false;
        this.#deps.onStale(fabricId);
      }
    });
  }
}

/** At work, or still writing down how an attempt ended. */
function isWorking(member: Member): boolean {
  return !settled(pathOf(member));
}

/** An attempt is in hand, which can be stopped. */
function isAttempting(member: Member): boolean {
  const state = topOf(member);
  return state === 'locked' || state === 'syncing';
}

function settled(statePath: string): boolean {
  const state = top(statePath);
  return state !== 'locked' && state !== 'syncing' && !statePath.endsWith('.recording');
}

function pathOf(member: Member): string {
  return path(member.actor.getSnapshot().value);
}

function topOf(member: Member): FabricState {
  return top(pathOf(member)) as FabricState;
}

function view(fabricId: string, member: Member): FleetMember {
  const statePath = pathOf(member);
  return {
    fabricId,
    name: member.name,
    state: top(statePath) as FabricState,
    path: statePath,
    context: member.actor.getSnapshot().context,
    since: member.since,
  };
}

/** Who runs it is part of it: a fabric that somebody else syncs is not overdue here. */
function samePlan(now: Plan, plan: Plan): boolean {
  if (now.state === 'idle') return plan.state === 'idle' && now.reason === plan.reason;
  const elsewhere = (one: typeof now) => one.why === 'running_elsewhere';
  if (plan.state === 'idle' || elsewhere(now) !== elsewhere(plan)) return false;
  return now.state === plan.state && now.dueAtMs === plan.dueAtMs && now.kind === plan.kind;
}
