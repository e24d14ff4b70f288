// The end of history: what is old enough is deleted, a little at a time and beside everything else.
//
//   E1. Nothing waits for it, and nothing is in trouble because of it: what it could not delete goes later.
//   E2. A turn is so many pieces and no more; where more is left, the next one follows soon.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { PruneMark, Store } from '../ports/store.ts';
import type { Service } from '../service.ts';

export interface PrunerDeps {
  readonly store: Pick<Store, 'prune'>;
  readonly clock: Clock;
  readonly log: Log;
  /** 0: for ever. */
  readonly keepMs: number;
}

const everyMs = 60 * 60_000;
const soonMs = 30_000;
const piecesMax = 20;

export class Pruner implements Service {
  readonly name = 'pruner';
  readonly #deps: PrunerDeps;
  #stop = new AbortController();
  #turn: Promise<void> = Promise.resolve();
  #cancelTimer: () => void = () => {};
  /** Where it goes on, and what it has deleted since it began. */
  #from: PruneMark | null = null;
  #rows = 0;
  #failed = false;

  constructor(deps: PrunerDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#stop = new AbortController();
    if (this.#deps.keepMs > 0) this.#schedule(everyMs);
  }

  async stop(): Promise<void> {
    this.#cancelTimer();
    this.#stop.abort();
    await this.#turn;
  }

  #schedule(inMs: number): void {
    this.#cancelTimer = this.#deps.clock.after(inMs, () => {
      const { signal } = this.#stop;
      this.#turn = this.#prune(signal).then((isDone) => {
        if (!signal.aborted) this.#schedule(isDone ? everyMs : soonMs);
      });
    });
  }

  /** One turn. It never throws. @returns whether nothing is left for now */
  async #prune(signal: AbortSignal): Promise<boolean> {
    const { store, keepMs, log } = this.#deps;
    try {
      for (let piece = 0; piece < piecesMax; piece++) {
        const { rows, next } = await store.prune(keepMs, this.#from, signal);
        this.#rows += rows;
        this.#from = next;
        if (next === null) {
          this.#failed = false;
          this.#tell();
          return true;
        }
      }
      return false;
    } catch (cause) {
      // From the beginning: what fails again and again must not keep what comes before it.
      this.#from = null;
      this.#tell();
      if (signal.aborted) return true;
      const { code, message, hint } = FabricFailure.from(cause);
      if (!this.#failed) log.warn({ code, hint }, `old history was not pruned, it is tried again: ${message}`);
      this.#failed = true;
      return true;
    }
  }

  #tell(): void {
    if (this.#rows > 0) this.#deps.log.info({ rows: this.#rows }, 'old history was pruned');
    this.#rows = 0;
  }
}
