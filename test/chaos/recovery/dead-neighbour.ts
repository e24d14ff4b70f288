// One fabric of ten is dead, in one way or the other: are the other nine later than they were?
//
//   N1. Stretches with the dead one and without it come in turns, so that what else the machine does falls on both.
//   N2. Two halves of the good stretches differ as well, by chance alone: no smaller difference means anything.

import { systemClock } from '../../../src/clock.ts';
import type { Fault } from '../../../src/demo/fabrics/faults.ts';
import { percentile } from '../../bench/figure.ts';
import { lateness } from '../figures.ts';
import type { Ground } from '../ground.ts';
import { eventually, type Finding, type Scenario } from './scenario.ts';

const stretchMs = 25_000;
const turns = 4;
const shareMax = 0.1;
const patienceMs = 90_000;

const deaths: readonly { readonly name: string; readonly fault: Fault }[] = [
  { name: 'hanging', fault: { does: 'hang' } },
  { name: 'refusing', fault: { does: 'refuse' } },
];

export const deadNeighbour: Scenario = {
  name: 'dead-neighbour',
  about: 'one fabric of ten is dead, hanging or refusing: the lateness of the other nine, in turns with all ten well',
  ground: { daemons: 1, fabrics: 10, intervalSeconds: 1 },
  async run(ground, say) {
    const [victim, ...others] = ground.fabrics.map(({ name }) => name);
    if (victim === undefined) throw new Error('there is no fabric');
    const measure = async (): Promise<readonly number[]> => {
      const fromMs = systemClock.nowMs();
      await systemClock.sleep(stretchMs);
      return lateness(ground.sql, { fromMs, toMs: systemClock.nowMs() }, others);
    };
    const well: (readonly number[])[] = [];
    const dead = new Map<string, number[]>(deaths.map(({ name }) => [name, []]));
    for (let turn = 0; turn < turns; turn += 1) {
      for (const { name, fault } of deaths) {
        await makeWell(ground, victim);
        well.push(await measure());
        await ground.fabricProcess.setFault(victim, fault);
        await isFailing(ground, victim);
        dead.get(name)?.push(...(await measure()));
      }
      say(`turn ${turn + 1} of ${turns} measured`);
    }
    const [even, odd] = [0, 1].map((rest) => well.filter((_, index) => index % 2 === rest).flat()) as [
      number[],
      number[],
    ];
    const p99 = (values: readonly number[]) => percentile(values, 99);
    const base = p99(well.flat());
    const noiseMs = Math.abs(p99(even) - p99(odd));
    const shown = (ms: number) => `${ms.toFixed(2)} ms`;
    const findings: Finding[] = [
      {
        what: 'p99 lateness of nine, all ten well',
        valuesMs: [base],
        remark: `${well.flat().length} runs, p50 ${shown(percentile(well.flat(), 50))}; two halves of them differ by ${shown(noiseMs)}`,
      },
    ];
    for (const [name, values] of dead) {
      const moved = p99(values) - base;
      findings.push({
        what: `p99 lateness of nine, the tenth ${name}`,
        valuesMs: [p99(values)],
        reached: moved <= Math.max(base * shareMax, noiseMs),
        remark:
          `${values.length} runs, p50 ${shown(percentile(values, 50))}; moved by ${shown(moved)} (${((moved / base) * 100).toFixed(0)} %), ` +
          `at most ${shareMax * 100} % or what chance alone moves it by`,
      });
    }
    return findings;
  },
};

async function makeWell({ sql, fabricProcess }: Ground, name: string): Promise<void> {
  await fabricProcess.clearFault(name);
  const [asked] = await sql<{ at: Date }[]>`
    insert into fabric_request (fabric_id, asked_by) select id, 'chaos' from fabric where name = ${name}
    returning asked_at as at`;
  await eventually(
    async () => {
      const rows = await sql`
        select from fabric_run r join fabric f on f.id = r.fabric_id
         where f.name = ${name} and r.outcome = 'complete' and r.started_at >= ${asked?.at ?? null}`;
      return rows.count > 0 ? true : null;
    },
    patienceMs,
    `${name} is well`,
  );
}

/** A request of it hangs, or an attempt failed. */
async function isFailing({ sql, fabricProcess }: Ground, name: string): Promise<void> {
  await eventually(
    async () => {
      const rows = await sql`select from fabric where name = ${name} and sync_status = 'error'`;
      return rows.count > 0 || (await fabricProcess.figures(name)).site.inFlight > 0 ? true : null;
    },
    patienceMs,
    `${name} is failing`,
  );
}
