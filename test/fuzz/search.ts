// The search: inputs that reach something new are kept, and new inputs are made from those. It runs in a thread of its own
// (`worker.ts`), and judges there what can be judged of an input that ended: its refusal, its time, what it left in memory.

import type { Dice } from '../../src/dice.ts';
import type { Board } from './board.ts';
import { Coverage } from './coverage.ts';
import { cpuMsMax, retainedMiBMax } from './limits.ts';
import { mutate } from './mutate.ts';
import { assertPrototypesUntouched, type OpenTarget, type Target } from './target.ts';

export interface Broken {
  readonly input: Uint8Array;
  readonly why: string;
}

export interface Found {
  readonly inputs: number;
  readonly kept: number;
  readonly blocks: number;
  /** The longest that one input took, in milliseconds of this thread's CPU. */
  readonly cpuMsMost: number;
  /** Held after a collection, in MiB above what the first inputs left; less the inputs that were kept. */
  readonly retainedMiB: number;
  /** The first input that broke a promise, and how; null where none did. */
  readonly broken: Broken | null;
}

export interface SearchOptions {
  readonly dice: Dice;
  /** True when it is time to end. */
  readonly until: (inputs: number) => boolean;
  readonly only: Buffer | null;
  readonly board: Board;
  readonly collect: () => void;
}

/** Inputs between two looks at the coverage, which is slow to read: all of them are kept where one reached something new. */
const batch = 16;
/** Inputs between two looks at the memory, and before the first: until then readers fill their own tables. */
const memoryEvery = 2_000;
const MiB = 1024 ** 2;

export async function search(target: Target, options: SearchOptions): Promise<Found> {
  const { dice, until, only, board } = options;
  const coverage = new Coverage();
  await coverage.start();
  const open = await target.open();
  const judge = new Judge(open, board);
  const memory = new Memory(options.collect);
  const kept: Buffer[] = [];
  let keptBytes = 0;
  const keep = (inputs: readonly Buffer[]) => {
    kept.push(...inputs);
    for (const { length } of inputs) keptBytes += length;
  };
  const ended = (broken: Broken | null): Found => {
    const { inputs, cpuMsMost } = judge;
    const left = memory.look(keptBytes);
    const retained = left > retainedMiBMax ? `it holds ${left} MiB more after ${inputs} inputs` : null;
    const leaks = broken === null && retained !== null ? { input: board.input(), why: retained } : null;
    return {
      ...{ inputs, kept: kept.length, blocks: coverage.blocks, cpuMsMost, retainedMiB: left },
      broken: broken ?? leaks,
    };
  };
  try {
    for (const input of only ? [only] : target.seeds.map((seed) => Buffer.from(seed))) {
      const why = await judge.wrong(input);
      if (why !== null) return ended({ input, why });
      if ((await coverage.fresh()) > 0) keep([input]);
    }
    while (!only && !until(judge.inputs)) {
      const made = Array.from({ length: batch }, () => mutate(oneOf(kept, dice), oneOf(kept, dice), dice));
      for (const input of made) {
        const why = await judge.wrong(input);
        if (why !== null) return ended({ input, why });
      }
      if ((await coverage.fresh()) > 0) keep(made);
      if (judge.inputs % memoryEvery < batch && memory.look(keptBytes) > retainedMiBMax) return ended(null);
    }
    return ended(null);
  } finally {
    await open.close();
    coverage.stop();
  }
}

const oneOf = (kept: readonly Buffer[], dice: Dice): Buffer =>
  kept[Math.floor(dice.roll() * kept.length)] ?? Buffer.alloc(0);

class Judge {
  inputs = 0;
  cpuMsMost = 0;
  readonly #open: OpenTarget;
  readonly #board: Board;

  constructor(open: OpenTarget, board: Board) {
    this.#open = open;
    this.#board = board;
  }

  /** What is wrong with how an input was taken; null where nothing is. */
  async wrong(input: Buffer): Promise<string | null> {
    this.inputs++;
    this.#board.begin(input);
    try {
      const cpuMs = await this.#run(input);
      // Once more: a compilation or a collection may have been meant for others.
      const again = cpuMs > cpuMsMax ? Math.min(cpuMs, await this.#run(input)) : cpuMs;
      this.cpuMsMost = Math.max(this.cpuMsMost, again);
      assertPrototypesUntouched();
      if (again <= cpuMsMax) return null;
      return `it takes ${Math.round(again)} ms of CPU for ${input.length} bytes; ${cpuMsMax} ms may be`;
    } catch (thrown) {
      return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    } finally {
      this.#board.end();
    }
  }

  async #run(input: Buffer): Promise<number> {
    const before = process.threadCpuUsage();
    await this.#open.run(input);
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  }
}

class Memory {
  readonly #collect: () => void;
  #first: number | null = null;

  constructor(collect: () => void) {
    this.#collect = collect;
  }

  /** @returns MiB above the first look, that of the first inputs */
  look(keptBytes: number): number {
    this.#collect();
    const { heapUsed, external } = process.memoryUsage();
    const held = heapUsed + external - keptBytes;
    this.#first ??= held;
    return Math.max(0, Math.round((10 * (held - this.#first)) / MiB) / 10);
  }
}
