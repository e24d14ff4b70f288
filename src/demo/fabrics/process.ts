// Simulated fabrics in a process of their own, so that they do not share the event loop of whoever reads them.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../clock.ts';
import type { Fault } from './faults.ts';
import type {
  Act,
  AnswerMessage,
  AnswerTo,
  Ask,
  FabricFacts,
  FabricOrder,
  FarmFacts,
  Figures,
  QuestionName,
  Usage,
} from './protocol.ts';
import type { ShapeName } from './shapes/shape.ts';
import type { Access } from './site.ts';

export interface FabricProcess {
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
  start(order: FabricOrder): Promise<FabricFacts>;
  /** The fabrics are named `farm/0`, `farm/1` and so on. */
  startFarm(order: { readonly count: number; readonly shape?: ShapeName }): Promise<FarmFacts>;
  /** @returns its id. Resolves once it is in force. */
  setFault(fabric: string, fault: Fault): Promise<number>;
  /** One fault, or all of the fabric. */
  clearFault(fabric: string, id?: number): Promise<void>;
  /** @returns how many objects or repetitions it came to */
  act(fabric: string, act: Act, howMany?: number): Promise<number>;
  figures(fabric: string): Promise<Figures>;
  accesses(fabric: string, options?: { readonly forget?: boolean }): Promise<readonly Access[]>;
  usage(): Promise<Usage>;
  stopFabric(fabric: string): Promise<void>;
  /** Ends the process; by force where it does not end within the deadline. Safe to repeat. */
  stop(): Promise<void>;
}

export interface FabricProcessOptions {
  readonly clock: Clock;
  /** The child's environment; empty where absent. */
  readonly env?: Readonly<Record<string, string>>;
  readonly answerMsMax?: number;
  readonly stopMsMax?: number;
}

export async function startFabricProcess(options: FabricProcessOptions): Promise<FabricProcess> {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const entry = fileURLToPath(new URL(`./child.${ending}`, import.meta.url));
  const child = fork(entry, [], {
    env: { ...options.env },
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const channel = new Channel(child, options.clock, options.answerMsMax ?? 60_000);
  await channel.ready;
  return {
    pid: child.pid ?? 0,
    ended: channel.ended,
    start: (order) => channel.ask('start', order),
    startFarm: (order) => channel.ask('startFarm', order),
    setFault: (fabric, fault) => channel.ask('setFault', { fabric, fault }),
    async clearFault(fabric, id) {
      await channel.ask('clearFault', { fabric, ...(id !== undefined && { id }) });
    },
    act: (fabric, act, howMany) => channel.ask('act', { fabric, act, ...(howMany !== undefined && { howMany }) }),
    figures: (fabric) => channel.ask('figures', { fabric }),
    accesses: (fabric, { forget = false } = {}) => channel.ask('accesses', { fabric, forget }),
    usage: () => channel.ask('usage', null),
    async stopFabric(fabric) {
      await channel.ask('stopFabric', { fabric });
    },
    async stop() {
      if (child.connected) child.disconnect();
      const cancel = options.clock.after(options.stopMsMax ?? 5_000, () => child.kill('SIGKILL'));
      await channel.ended;
      cancel();
    },
  };
}

/** Questions on their way, each with whoever waits for its answer. */
class Channel {
  readonly ended: Promise<void>;
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #answerMsMax: number;
  readonly #waiting = new Map<number, { resolve(answer: unknown): void; reject(cause: Error): void }>();
  #over = false;
  #nextId = 1;

  constructor(child: ChildProcess, clock: Clock, answerMsMax: number) {
    this.#child = child;
    this.#clock = clock;
    this.#answerMsMax = answerMsMax;
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    child.on('message', (message: AnswerMessage) => {
      if ('ready' in message) return ready.resolve();
      const waiter = this.#waiting.get(message.id);
      if ('failure' in message) waiter?.reject(new Error(message.failure));
      else waiter?.resolve(message.answer);
    });
    const ended = () => {
      this.#over = true;
      const cause = new Error('the process of the simulated fabrics has ended');
      ready.reject(cause);
      for (const waiter of this.#waiting.values()) waiter.reject(cause);
    };
    this.ended = once(child, 'exit').then(ended, ended);
  }

  async ask<Name extends QuestionName>(name: Name, ask: Ask<Name>): Promise<AnswerTo<Name>> {
    if (this.#over || !this.#child.connected) throw new Error('the process of the simulated fabrics has ended');
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    const cancel = this.#clock.after(this.#answerMsMax, () => reject(new Error(`no answer to ${name} in time`)));
    try {
      this.#child.send({ id, name, ask });
      return (await promise) as AnswerTo<Name>;
    } finally {
      cancel();
      this.#waiting.delete(id);
    }
  }
}
