// The thread that a target runs in. It may hang or run out of memory: who started it watches (`watch.ts`).

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../src/clock.ts';
import { seededDice } from '../support/seeded-dice.ts';
import { Board } from './board.ts';
import { search } from './search.ts';
import type { Target } from './target.ts';

/** What is to be done; a target cannot be sent to a thread, its name can. */
export interface Order {
  /** The module that exports `targets`. */
  readonly module: string;
  readonly target: string;
  readonly seed: number;
  readonly forMs: number;
  readonly inputsMax: number;
  /** Only this input, in place of a search. */
  readonly only: Uint8Array | null;
  readonly board: SharedArrayBuffer;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

// A thread may not set the mask of its process; what is made here is in a folder of its own.
process.umask = () => 0o022;

const { module, target: name, seed, forMs, inputsMax, only, board } = workerData as Order;
const { targets } = (await import(module)) as { readonly targets: readonly Target[] };
const target = targets.find((one) => one.name === name);
if (!target) throw new Error(`there is no target ${name}`);
const untilMs = systemClock.monotonicMs() + forMs;
const found = await search(target, {
  dice: seededDice(seed),
  until: (inputs) => inputs >= inputsMax || systemClock.monotonicMs() >= untilMs,
  only: only && Buffer.from(only),
  board: new Board(board),
  collect,
});
parentPort?.postMessage(found);
