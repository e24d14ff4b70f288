// How many cycles a second there are when more is due than can be done.

import { systemClock } from '../../../src/clock.ts';
import { until } from '../bed.ts';
import type { Figure, Scenario } from '../figure.ts';
import { addFleet, assertAllComplete } from '../fleet.ts';
import { cpuMs } from '../process-figures.ts';

const fabricsCount = 400;
const startMsMax = 30_000;

export const saturation: Scenario = {
  name: 'saturation',
  about: 'cycles a second when more is due than can be done: 400 tiny fabrics that want to be synced every second',
  notMeasured: [
    'The API servers share both cores with the daemon, Redis and Postgres: with servers elsewhere it is faster.',
    'Each cycle makes its own connections, with a TLS handshake each: 400 fabrics are more than those whose connections are kept.',
  ],
  async run({ bed, quick }) {
    const windowMs = quick ? 3_000 : 15_000;
    return bed.stage(async ({ sql, fabrics, daemon }) => {
      const farm = await fabrics.startFarm({ count: fabricsCount });
      await addFleet(sql, { farm, key: bed.key, intervalSeconds: 1, lastSync: 'never' });
      const one = await daemon();
      await one.keeps(fabricsCount, startMsMax);
      // Counted in the database: nobody listens to the daemon, which would have to speak to be heard.
      const committed = async () => {
        const [row] = await sql<{ runs: number; fabrics: number }[]>`
          select count(*)::int as runs, count(distinct fabric_id)::int as fabrics
            from fabric_run where outcome = 'complete'`;
        return row ?? { runs: 0, fabrics: 0 };
      };
      const patienceMs = startMsMax + 60_000;
      await until(async () => (await committed()).fabrics === fabricsCount, patienceMs, 'every fabric was synced once');
      const servers = async () => (await fabrics.usage()).cpuMs;
      const accepted = async () => (await fabrics.figures('farm/0')).connections.accepted;
      const [daemonBefore, serversBefore, madeBefore] = [await cpuMs(one.pid), await servers(), await accepted()];
      const before = (await committed()).runs;
      const beganMs = systemClock.monotonicMs();
      await systemClock.sleep(windowMs);
      const cycles = (await committed()).runs - before;
      const ms = systemClock.monotonicMs() - beganMs;
      const daemonMs = (await cpuMs(one.pid)) - daemonBefore;
      const serversMs = (await servers()) - serversBefore;
      const made = (await accepted()) - madeBefore;
      await assertAllComplete(sql);
      const [requests] = await sql<{ mean: number }[]>`
        select avg(requests)::float8 as mean
          from (select requests from fabric_run where outcome = 'complete' order by id desc limit ${cycles}) r`;
      return [
        { name: 'cycles', value: cycles / (ms / 1_000), unit: '1/s', bound: { atLeast: 100 } },
        { name: 'requests to a fabric', value: requests?.mean ?? Number.NaN, unit: '1/cycle' },
        { name: 'connections made', value: made / cycles, unit: '1/cycle' },
        { name: 'daemon CPU a cycle', value: daemonMs / cycles, unit: 'ms' },
        { name: 'API servers CPU a cycle', value: serversMs / cycles, unit: 'ms' },
        { name: 'daemon CPU (of one core)', value: (daemonMs / ms) * 100, unit: '%' },
      ] satisfies readonly Figure[];
    });
  },
};
