// What fabrics cost in memory once each has been synced: credentials, TLS contexts, what discovery found.

import { systemClock } from '../../../src/clock.ts';
import { until } from '../bed.ts';
import type { Figure, Scenario } from '../figure.ts';
import { addFleet, assertAllComplete } from '../fleet.ts';
import { peakMiB, rssMiB } from '../process-figures.ts';

const startMsMax = 60_000;
const daySeconds = 86_400;
/** Longer than an idle connection is kept. */
const idleMs = { full: 40_000, quick: 0 };

export const memory: Scenario = {
  name: 'memory',
  about: 'the daemon’s memory when every fabric is scheduled and has been synced once by this process',
  notMeasured: ['Fabrics of seven objects: what a large one needs while it is read is in `large`.'],
  async run({ bed, quick, first }) {
    const sizes = quick
      ? [{ count: 200, mib: 200 }]
      : first
        ? [
            { count: 1_000, mib: 200 },
            { count: 10_000, mib: 400 },
          ]
        : [];
    const figures: Figure[] = [];
    for (const { count, mib } of sizes) {
      const label = count.toLocaleString('en');
      await bed.stage(async ({ sql, fabrics, daemon }) => {
        const farm = await fabrics.startFarm({ count });
        await addFleet(sql, { farm, key: bed.key, intervalSeconds: daySeconds, lastSync: 'never' });
        const one = await daemon();
        await one.keeps(count, startMsMax);
        const done = async () => {
          const [row] = await sql<{ n: number }[]>`select count(*)::int as n from fabric where sync_status = 'in_sync'`;
          await systemClock.sleep(lookEveryMs);
          return row?.n === count;
        };
        await until(done, startMsMax + count * 50, 'every fabric was synced once');
        await assertAllComplete(sql);
        figures.push({ name: `memory, ${label} just synced`, value: await rssMiB(one.pid), unit: 'MiB' });
        await systemClock.sleep(quick ? idleMs.quick : idleMs.full);
        figures.push(
          {
            name: `memory, ${label} synced and scheduled`,
            value: await rssMiB(one.pid),
            unit: 'MiB',
            bound: { atMost: mib },
          },
          { name: `memory, ${label}, peak`, value: await peakMiB(one.pid), unit: 'MiB' },
        );
      });
    }
    return figures;
  },
};

const lookEveryMs = 200;
