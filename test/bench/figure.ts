// A figure: what was measured, in which unit, against which bound. A scenario gives figures; `main.ts` runs it several
// times and tells the median of each.

import type { Bed } from './bed.ts';

export type Side = 'fabric-syncd' | 'BullMQ';

export interface Figure {
  /** Stable: figures of several runs are put together by it. */
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'MiB' | '1/s' | '%' | 'rows' | '1/cycle' | 'us' | 'KiB/s';
  /** What it must reach, where something is demanded. */
  readonly bound?: { readonly atMost: number } | { readonly atLeast: number };
  /** Whose it is; ours where absent. */
  readonly side?: Side;
}

export interface Turn {
  readonly bed: Bed;
  /** A short turn: it shows that the benchmark works, and roughly where the figures are. */
  readonly quick: boolean;
  /** The first of several turns; what takes long and varies little is measured then alone. */
  readonly first: boolean;
  readonly say: (line: string) => void;
}

export interface Scenario {
  readonly name: string;
  /** One line, for `--help` and above its table. */
  readonly about: string;
  /** What these figures do not tell. */
  readonly notMeasured: readonly string[];
  run(turn: Turn): Promise<readonly Figure[]>;
}

/** A figure of several runs. */
export interface Result extends Omit<Figure, 'value'> {
  readonly scenario: string;
  readonly median: number;
  readonly runs: readonly number[];
  /** Null where nothing is demanded. */
  readonly reached: boolean | null;
}

/** Puts the runs of one scenario together, in the order of the first. */
export function resultsOf(scenario: string, turns: readonly (readonly Figure[])[]): readonly Result[] {
  const byName = new Map<string, { figure: Figure; runs: number[] }>();
  for (const figure of turns.flat()) {
    const known = byName.get(figure.name);
    if (known) known.runs.push(figure.value);
    else byName.set(figure.name, { figure, runs: [figure.value] });
  }
  return [...byName.values()].map(({ figure: { value: _, ...figure }, runs }) => {
    const median = percentile(runs, 50);
    return { ...figure, scenario, median, runs, reached: figure.bound ? within(median, figure.bound) : null };
  });
}

function within(value: number, bound: NonNullable<Figure['bound']>): boolean {
  return 'atMost' in bound ? value <= bound.atMost : value >= bound.atLeast;
}

/** The value that `percent` of all do not exceed: one that was measured, never one in between, but for the median of two. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  if (percent === 50 && sorted.length > 0 && Number.isInteger(middle)) {
    return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  }
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
