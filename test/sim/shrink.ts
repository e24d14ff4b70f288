// The shortest history that shows the same violation: whatever can be left out is left out, by replaying (after Zeller's
// delta debugging).

import { type Cut, cutScenario, noCut } from './cut.ts';
import type { Scenario } from './scenario.ts';
import { type Outcome, type SimulateOptions, simulate } from './simulate.ts';

export interface Shrunk {
  readonly cut: Cut;
  readonly outcome: Outcome;
  readonly replays: number;
}

/** @param found what the whole scenario came to: a violation. @param replaysMax how often it may be run again */
export async function shrink(
  scenario: Scenario,
  found: Outcome,
  options: SimulateOptions = {},
  replaysMax = 120,
): Promise<Shrunk> {
  const letter = found.violation?.slice(0, 2);
  let best: Shrunk = { cut: { ...noCut, events: scenario.events.map((_, at) => at) }, outcome: found, replays: 0 };
  let replays = 0;
  /** Takes the smaller one where it shows the same. */
  const attempt = async (smaller: Partial<Cut>): Promise<boolean> => {
    if (replays >= replaysMax) return false;
    replays++;
    const cut = { ...best.cut, ...smaller };
    const outcome = await simulate(cutScenario(scenario, cut), options);
    if (outcome.violation?.slice(0, 2) !== letter) return false;
    best = { cut, outcome, replays };
    return true;
  };
  const endMs = Math.ceil(found.simulatedMs) + 1;
  if (endMs < scenario.stormMs) await attempt({ stormMs: endMs });
  await withoutEvents(() => best.cut.events ?? [], attempt);
  for (let daemons = 1; daemons < scenario.daemons; daemons++) if (await attempt({ daemons })) break;
  const ids = scenario.fabrics.map(({ fabricId }) => fabricId);
  for (const fabricId of ids) {
    const fabrics = (best.cut.fabrics ?? ids).filter((one) => one !== fabricId);
    if (fabrics.length > 0) await attempt({ fabrics });
  }
  await withoutEvents(() => best.cut.events ?? [], attempt);
  const stormMs = best.cut.stormMs ?? scenario.stormMs;
  for (const share of [0.25, 0.5, 0.75]) if (await attempt({ stormMs: Math.round(stormMs * share) })) break;
  return { ...best, replays };
}

async function withoutEvents(
  left: () => readonly number[],
  attempt: (smaller: Partial<Cut>) => Promise<boolean>,
): Promise<void> {
  await attempt({ events: [] });
  for (let size = Math.ceil(left().length / 2); size >= 1 && left().length > 0; size = Math.floor(size / 2)) {
    for (let from = 0; from < left().length; ) {
      const without = left().filter((_, at) => at < from || at >= from + size);
      if (!(await attempt({ events: without }))) from += size;
    }
  }
}
