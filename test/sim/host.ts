// A host: the place where one daemon after the other runs, with its wall clock, its ways to the servers, and the traps that
// wait on them. A process of it can be killed, or stand still, between any two steps of its code.
//
//   H1. Nothing of a dead process reaches anybody any more: its questions are not sent, its timers do not fire, and what
//       was on its way to it is lost. What it had sent before may still arrive, as at real servers.
//   H2. A process that stands still gets everything later; its monotonic clock went on meanwhile.
//   H3. Every question to a server is one that may be lost, answered late, answered twice or never, on its way there and
//       on its way back.

import type { Clock } from '../../src/clock.ts';
import { Chance } from './chance.ts';
import type { World } from './world.ts';

export type Service = 'postgres' | 'redis' | 'fabric';
export type Way = 'open' | 'refused' | 'silent';

export type TrapEffect =
  /** It never gets there; its asker sees the connection break. */
  | 'unsent'
  /** It is done, and the answer is lost: its asker sees the connection break. */
  | 'lost'
  /** It is done, and the answer comes very late. */
  | 'late'
  /** It arrives very late, when its asker may have given up, and is done then. */
  | 'delayed'
  /** It is done twice: the way there repeated it. The second answer is heard. */
  | 'doubled'
  /** The process dies when it has asked, when it was done, or when the answer comes. */
  | 'dies asking'
  | 'dies when done'
  | 'dies answered';

export interface Trap {
  /** Null: any. */
  readonly service: Service | null;
  readonly op: string | null;
  /** How many such questions pass first. */
  after: number;
  readonly effect: TrapEffect;
}

export interface Question<Answer> {
  readonly service: Service;
  readonly op: string;
  /** What the server does. What it throws is its answer too. */
  readonly serve: () => Answer | Promise<Answer>;
  /** What the asker sees where nothing comes back. */
  readonly broken: (why: string) => unknown;
  /** The asker waits no longer. */
  readonly deadlineMs: number;
  /** How long the server takes. */
  readonly takesMs?: number;
  /** The longest that the way takes in either direction besides. */
  readonly wayMs?: number;
  /** To this very server, where it is another than to all of the service. */
  readonly way?: () => Way | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The longest that a question is late, or a daemon stays down. */
const troubleMs = 90_000;

const never = new Promise<never>(() => {});

export class Host {
  readonly name: string;
  readonly world: World;
  readonly ways: Record<Service, Way> = { postgres: 'open', redis: 'open', fabric: 'open' };
  /** The way to one Redis, by its name, where it is not that to every one. */
  readonly nodeWays = new Map<string, Way>();
  readonly traps: Trap[] = [];
  /** How far its wall clock is ahead of true time. */
  skewMs = 0;
  process: SimProcess | null = null;
  /** A trap was sprung or a process died: what follows from it may take that long. */
  onTrouble: (ms: number) => void = () => {};
  onDeath: (process: SimProcess) => void = () => {};
  readonly chance: Chance;
  /** How fast its monotonic clock runs; its wall clock is set right by others. */
  readonly rate: number;

  constructor(world: World, name: string, seed: number, driftMax = 0) {
    this.world = world;
    this.name = name;
    this.rate = 1 + new Chance(seed, `clock of ${name}`).between(-driftMax, driftMax);
    this.chance = new Chance(seed, `host ${name}`);
  }

  /** The first trap that this question springs. */
  spring(service: Service, op: string): TrapEffect | null {
    for (const trap of this.traps) {
      if ((trap.service !== null && trap.service !== service) || (trap.op !== null && trap.op !== op)) continue;
      if (trap.after-- > 0) continue;
      this.traps.splice(this.traps.indexOf(trap), 1);
      this.onTrouble(troubleMs);
      this.world.tell(`${this.name}: ${trap.effect} at ${service} ${op}`);
      return trap.effect;
    }
    return null;
  }
}

export class SimProcess {
  readonly host: Host;
  readonly name: string;
  readonly clock: Clock;
  alive = true;
  /** When it last went on after it had stood still. */
  wentOnMs = Number.NEGATIVE_INFINITY;
  #stillUntilMs: number | null = null;
  #kept: (() => void)[] = [];
  /** Questions without an answer, by how each of them fails. */
  readonly #open = new Map<(why: string) => void, Service>();

  constructor(host: Host, name: string) {
    this.host = host;
    this.name = name;
    const { world } = host;
    const bornMs = world.nowMs;
    const after = (ms: number, act: () => void) => {
      if (!this.alive) return () => {};
      let cancelled = false;
      // As Node's: whole milliseconds, at least one, and a little late.
      const waitMs = Math.max(1, Math.trunc(ms)) / host.rate + host.chance.roll() / 4;
      const cancel = world.in(waitMs, () => this.deliver(() => !cancelled && act()));
      return () => {
        cancelled = true;
        cancel();
      };
    };
    this.clock = {
      nowMs: () => Math.floor(world.startMs + world.nowMs + host.skewMs),
      monotonicMs: () => (world.nowMs - bornMs) * host.rate,
      after,
      sleep(ms, signal) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        if (signal?.aborted) return Promise.reject(signal.reason);
        const cancel = after(ms, resolve);
        const stop = () => {
          cancel();
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', stop, { once: true });
        return promise;
      },
    };
  }

  /** Something from outside reaches it, now or when it goes on. */
  deliver(act: () => void): void {
    if (!this.alive) return;
    if (this.#stillUntilMs === null) act();
    else this.#kept.push(act);
  }

  die(how: string): void {
    if (!this.alive) return;
    this.alive = false;
    this.#kept = [];
    this.#open.clear();
    this.host.world.tell(`${this.name}: ${how}`);
    this.host.onTrouble(troubleMs);
    this.host.onDeath(this);
  }

  /** H2. Stopping what stands still makes it stand still for longer. */
  standStill(ms: number): void {
    const { world } = this.host;
    if (!this.alive) return;
    const untilMs = world.nowMs + ms;
    if (this.#stillUntilMs !== null && this.#stillUntilMs >= untilMs) return;
    this.#stillUntilMs = untilMs;
    world.tell(`${this.name}: stands still for ${Math.round(ms)} ms`);
    world.in(ms, () => {
      if (this.#stillUntilMs !== untilMs || !this.alive) return;
      this.#stillUntilMs = null;
      this.wentOnMs = world.nowMs;
      world.tell(`${this.name}: goes on`);
      // One after the other, each with all that follows from it.
      const kept = this.#kept;
      this.#kept = [];
      for (const act of kept) world.in(0, () => this.deliver(act));
    });
  }

  /** The server's end of every connection is gone: what was asked may have been done, and nobody will say so. */
  hangUp(service: Service): void {
    for (const [fail, of] of [...this.#open]) if (of === service) fail('the connection broke');
  }

  get standsStill(): boolean {
    return this.#stillUntilMs !== null;
  }

  /** H3. */
  ask<Answer>(question: Question<Answer>): Promise<Answer> {
    const { service, op, serve, broken, deadlineMs, takesMs = 0, wayMs = 0, signal } = question;
    const way = () => (host.ways[service] === 'open' ? (question.way?.() ?? 'open') : host.ways[service]);
    const { host } = this;
    const { world, chance } = host;
    if (!this.alive) return never;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const effect = host.spring(service, op);
    const delayedMs = effect === 'delayed' ? chance.spread(1_000, 90_000) : 0;
    const long = () => latency(chance) + (wayMs === 0 ? 0 : chance.between(0, wayMs));
    const [thereMs, backMs] = [long() + takesMs + delayedMs, long()];
    const flushed = chance.is(0.5);
    let over = false;
    let served = false;
    const finish = (act: () => void, how: string) => {
      this.deliver(() => {
        if (over) return;
        over = true;
        this.#open.delete(fail);
        stopDeadline();
        signal?.removeEventListener('abort', abort);
        world.note(`${this.name} ${op} ${how}`);
        act();
      });
    };
    const fail = (why: string) => finish(() => reject(broken(why)), why);
    this.#open.set(fail, service);
    const stopDeadline = world.in(deadlineMs, () => fail('no answer in time'));
    const abort = () => {
      // What is being done is waited for: nothing of it is in flight afterwards.
      if (!served || service === 'fabric') finish(() => reject(signal?.reason), 'aborted');
    };
    signal?.addEventListener('abort', abort, { once: true });
    if (effect === 'dies asking') this.die('is killed');
    const arrive = async () => {
      if (effect !== 'delayed' && (over || (!this.alive && !flushed))) return;
      served = true;
      let answer: { readonly value: Answer } | { readonly thrown: unknown };
      try {
        if (effect === 'doubled') await serve();
        answer = { value: await serve() };
      } catch (thrown) {
        answer = { thrown };
      }
      world.note(`${service} ${op} for ${this.name}`);
      if (effect === 'dies when done') this.die('is killed');
      world.in(backMs + (effect === 'late' ? chance.spread(1_000, 60_000) : 0), () => {
        if (effect === 'dies answered') this.die('is killed');
        const back = way();
        if (back === 'silent') return;
        if (effect === 'lost' || back === 'refused') return fail('the connection broke');
        if ('thrown' in answer) finish(() => reject(answer.thrown), 'refused');
        else finish(() => resolve(answer.value), 'answered');
      });
    };
    switch (effect === 'unsent' ? 'refused' : way()) {
      case 'refused':
        world.in(backMs, () => fail('the connection broke'));
        break;
      case 'open':
        world.in(thereMs, arrive);
    }
    return promise;
  }
}

/** A fraction of a millisecond to a few; now and then many. */
function latency(chance: Chance): number {
  const roll = chance.roll();
  if (roll < 0.9) return 0.1 + roll;
  return roll < 0.99 ? 1 + (roll - 0.9) * 100 : 10 + (roll - 0.99) * 20_000;
}
