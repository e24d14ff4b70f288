// All scenarios, one after the other, each on a ground of its own.

import { systemClock } from '../../../src/clock.ts';
import { load } from '../../bench/machine.ts';
import { openGround } from '../ground.ts';
import { seconds } from '../report.ts';
import { allSynced } from '../storm.ts';
import { deadNeighbour } from './dead-neighbour.ts';
import { killedInARun } from './killed-in-a-run.ts';
import { postgresBack } from './postgres-back.ts';
import { redisFlushed } from './redis-flushed.ts';
import { type Finding, reached, type Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [killedInARun, redisFlushed, postgresBack, deadNeighbour];

export interface Measured extends Finding {
  readonly scenario: string;
  readonly isReached: boolean | null;
  readonly load: number;
}

const startMsMax = 120_000;

/** @param only their names; all where none is given. @throws Error where one could not be measured */
export async function measureRecovery(
  only: readonly string[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const scenario of scenarios.filter(({ name }) => only.length === 0 || only.includes(name))) {
    signal.throwIfAborted();
    say(`\n${scenario.name}: ${scenario.about} (load ${load()})`);
    const ground = await openGround({ ...scenario.ground, shape: 'lab', lockNodes: false, settings: {} });
    // A signal ends it in the middle: what waits then fails, and says so.
    const end = () => void ground.close();
    signal.addEventListener('abort', end, { once: true });
    try {
      const beganMs = systemClock.nowMs();
      await ground.healAll();
      if ((await allSynced(ground, beganMs, startMsMax)) === null)
        throw new Error('not every fabric was synced at the start');
      for (const finding of await scenario.run(ground, say)) {
        measured.push({ ...finding, scenario: scenario.name, isReached: reached(finding), load: load() });
        say(lineOf(finding));
      }
    } finally {
      signal.removeEventListener('abort', end);
      await ground.close();
    }
  }
  return measured;
}

function lineOf(finding: Finding): string {
  const { what, valuesMs, boundMs, remark } = finding;
  const sorted = valuesMs.toSorted((one, other) => one - other);
  const worst = sorted.at(-1) ?? Number.NaN;
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  const verdict = { true: 'ok', false: 'MISSED', null: '' }[String(reached(finding)) as 'true' | 'false' | 'null'];
  const values =
    valuesMs.length > 1 ? `median ${seconds(median)}, worst ${seconds(worst)} of ${valuesMs.length}` : seconds(worst);
  return `  ${what}: ${values}${boundMs === undefined ? '' : `, at most ${seconds(boundMs)}`}${remark ? ` (${remark})` : ''} ${verdict}`.trimEnd();
}
