// The timer pump: turns due timers into TIMER_DUE events.
//
//   P1. It claims and hands out; it never removes a timer: what this daemon knows of a fabric may be older than its timer.
//   P2. It claims only what the slots have room for; the rest wait in the store, where another daemon may take them.
//   P3. It sleeps until the earliest timer shows, or is woken: no fixed poll decides the lateness.
//   P4. After `stop` resolves it claims nothing.

import type { Clock } from '../clock.ts';
import type { Timer, TimerStore } from '../ports/timers.ts';
import type { Service } from '../service.ts';
import type { Slots } from './slots.ts';

export interface TimerPumpDeps {
  readonly timers: TimerStore;
  readonly slots: Slots;
  readonly clock: Clock;
  /** How long a claimed timer stays hidden. */
  readonly holdMs: number;
  readonly deliver: (timer: Timer) => void;
  readonly onTrouble: (cause: unknown) => void;
}

/** Looks at the store at least this often even if nothing is due: a bound on what a lost wake-up can cost. */
const sleepMsMax = 5_000;
/** How soon to look again when the store did not answer. */
const troubleMs = 500;
/** Taken in one pass at most, so that the slots see timers in small, fair portions. */
const batchMax = 100;

export class TimerPump implements Service {
  readonly name = 'timer pump';
  readonly #deps: TimerPumpDeps;
  #running: Promise<void> | null = null;
  #stopped = false;
  #wake: () => void = () => {};
  #woken = false;
  /** There was no room to claim anything: whatever is due waits for a slot. */
  #crowded = false;
  #lastTurnMs: number | null = null;

  constructor(deps: TimerPumpDeps) {
    this.#deps = deps;
  }

  /** Monotonic milliseconds of the last finished pass: the watchdog's proof of progress. Null before it was started. */
  get lastTurnMs(): number | null {
    return this.#lastTurnMs;
  }

  async start(): Promise<void> {
    this.#stopped = false;
    this.#lastTurnMs = this.#deps.clock.monotonicMs();
    this.#running ??= this.#loop();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.nudge();
    await this.#running;
    this.#running = null;
  }

  /** Look now: an earlier timer was armed, or a slot is free that something may be waiting for. */
  nudge(): void {
    this.#woken = true;
    this.#wake();
  }

  async #loop(): Promise<void> {
    const { timers, slots } = this.#deps;
    const deaf = [timers.onWake(() => this.nudge()), slots.onFree(() => this.#crowded && this.nudge())];
    try {
      while (!this.#stopped) {
        this.#woken = false;
        const waitMs = await this.#pass().catch((cause: unknown) => {
          this.#deps.onTrouble(cause);
          return troubleMs;
        });
        this.#lastTurnMs = this.#deps.clock.monotonicMs();
        if (waitMs > 0) await this.#sleep(waitMs);
      }
    } finally {
      for (const stopListening of deaf) stopListening();
    }
  }

  /** @returns how long to sleep */
  async #pass(): Promise<number> {
    const { timers, slots, clock, holdMs, deliver } = this.#deps;
    const atMost = Math.min(batchMax, slots.room);
    this.#crowded = atMost === 0;
    // A slot that gets free wakes us.
    if (this.#crowded) return sleepMsMax;
    const due = await timers.claimDue({ nowMs: clock.nowMs(), holdMs, atMost });
    for (const timer of due) deliver(timer);
    if (due.length === atMost) return 0;
    const nextMs = await timers.nextMs();
    // Node may fire a timer a fraction of a millisecond early; looking a moment too soon would spin.
    return nextMs === null ? sleepMsMax : Math.min(sleepMsMax, Math.max(0, nextMs - clock.nowMs()));
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#woken || this.#stopped) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const stopTimer = this.#deps.clock.after(ms, resolve);
    await promise;
    stopTimer();
    this.#wake = () => {};
  }
}
