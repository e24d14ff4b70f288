// Keeps a simulated fabric changing: people edit, agents report, leases are given, at given rates.

import type { Clock } from '../../clock.ts';
import type { Dice } from '../../dice.ts';
import type { Service } from '../../service.ts';
import type { Edits } from './edits.ts';
import type { ShapeName } from './shapes/shape.ts';

/** How often, per hour; 0 never. */
export interface EditRates {
  readonly userEdits: number;
  readonly labelWrites: number;
  readonly recreations: number;
  readonly leases: number;
  /** Of each agent. */
  readonly heartbeats: number;
}

const heartbeats = 4 * 60;
const quiet: EditRates = { userEdits: 0, labelWrites: 0, recreations: 0, leases: 0, heartbeats: 0 };

/** What such a fabric sees in real life. */
export const usualRates: Readonly<Record<ShapeName, EditRates>> = {
  tiny: quiet,
  'lab-2025': quiet,
  lab: { userEdits: 1, labelWrites: 0.1, recreations: 0.05, leases: 60, heartbeats },
  medium: { userEdits: 5, labelWrites: 1, recreations: 0.05, leases: 600, heartbeats },
  large: { userEdits: 50, labelWrites: 10, recreations: 0.5, leases: 6000, heartbeats },
};

/** The same, with people so many times as busy; the machines keep their pace. */
export function busier(rates: EditRates, times: number): EditRates {
  const { userEdits, labelWrites, recreations } = rates;
  return { ...rates, userEdits: userEdits * times, labelWrites: labelWrites * times, recreations: recreations * times };
}

const hourMs = 60 * 60_000;

export class Editing implements Service {
  readonly name: string;
  readonly #edits: Edits;
  readonly #rates: EditRates;
  readonly #clock: Clock;
  readonly #dice: Dice;
  #stops: Set<() => void> | null = null;

  constructor(options: {
    readonly name: string;
    readonly edits: Edits;
    readonly rates: EditRates;
    readonly clock: Clock;
    readonly dice: Dice;
  }) {
    this.name = `edits of ${options.name}`;
    this.#edits = options.edits;
    this.#rates = options.rates;
    this.#clock = options.clock;
    this.#dice = options.dice;
  }

  async start(): Promise<void> {
    if (this.#stops) return;
    this.#stops = new Set();
    const edits = this.#edits;
    this.#keep(this.#stops, this.#rates.userEdits, () => edits.userEdit());
    this.#keep(this.#stops, this.#rates.labelWrites, () => edits.relabel());
    this.#keep(this.#stops, this.#rates.recreations, () => edits.recreate());
    this.#keep(this.#stops, this.#rates.leases, () => edits.lease());
    this.#keep(this.#stops, this.#rates.heartbeats * edits.agents, () => edits.heartbeat());
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops ?? []) stop();
    this.#stops = null;
  }

  /** At random moments whose mean distance is as the rate wants it. */
  #keep(stops: Set<() => void>, perHour: number, act: () => void): void {
    if (perHour <= 0) return;
    const next = () => {
      const waitMs = (-Math.log(1 - this.#dice.roll()) * hourMs) / perHour;
      const stop = this.#clock.after(waitMs, () => {
        stops.delete(stop);
        if (this.#stops !== stops) return;
        act();
        next();
      });
      stops.add(stop);
    };
    next();
  }
}
