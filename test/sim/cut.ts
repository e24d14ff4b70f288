// A smaller scenario out of a seed's own: fewer events, daemons and fabrics, and a shorter storm. What is left keeps its
// numbers, so that a cut can be written on a command line.

import type { Scenario } from './scenario.ts';

export interface Cut {
  /** Which of the seed's events happen, by their place; null: all. */
  readonly events: readonly number[] | null;
  readonly daemons: number | null;
  /** Which of the seed's fabrics there are, by their id; null: all. */
  readonly fabrics: readonly string[] | null;
  readonly stormMs: number | null;
}

export const noCut: Cut = { events: null, daemons: null, fabrics: null, stormMs: null };

export function cutScenario(scenario: Scenario, { events, daemons, fabrics, stormMs }: Cut): Scenario {
  const kept = events === null ? null : new Set(events);
  const there = fabrics === null ? null : new Set(fabrics);
  const untilMs = Math.min(stormMs ?? scenario.stormMs, scenario.stormMs);
  return {
    ...scenario,
    daemons: Math.min(daemons ?? scenario.daemons, scenario.daemons),
    fabrics: scenario.fabrics.map((fabric) =>
      there?.has(fabric.fabricId) === false ? { ...fabric, absent: true } : fabric,
    ),
    stormMs: untilMs,
    events: scenario.events.filter(({ atMs }, at) => (kept?.has(at) ?? true) && atMs < untilMs),
  };
}

/** As options of `npm run sim`. */
export function cutOptions({ events, daemons, fabrics, stormMs }: Cut): string {
  return [
    events && `--events ${events.length === 0 ? 'none' : events.join(',')}`,
    daemons !== null && `--daemons ${daemons}`,
    fabrics && `--fabrics ${fabrics.join(',')}`,
    stormMs !== null && `--storm ${stormMs}`,
  ]
    .filter((option) => typeof option === 'string')
    .map((option) => ` ${option}`)
    .join('');
}
