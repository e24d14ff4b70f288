// From the start of the process until every fabric is known and its timer is in Redis; and what that costs in memory.

import { systemClock } from '../../../src/clock.ts';
import type { Bed, Stage } from '../bed.ts';
import { until } from '../bed.ts';
import type { Figure, Scenario } from '../figure.ts';
import { addFleet, noFarm } from '../fleet.ts';
import { cpuMs, peakMiB, rssMiB } from '../process-figures.ts';

const daySeconds = 86_400;
const startMsMax = 60_000;
/** Long enough for some sweeps: what they need is part of what is resident. */
const settleMs = { full: 12_000, quick: 3_000 };

export const start: Scenario = {
  name: 'start',
  about: 'from the start of the process to all timers known and served, and the memory then',
  notMeasured: [
    'These fabrics were never synced by this process, so it holds no connections to them; see `memory`.',
    'Node’s own start (about a tenth of a second and 45 MiB) is included.',
  ],
  async run({ bed, quick }) {
    const sizes = quick
      ? [{ count: 1_000, startMs: 1_000, mib: 200 }]
      : [
          { count: 1_000, startMs: 1_000, mib: 200 },
          { count: 10_000, startMs: 5_000, mib: 400 },
        ];
    const figures: Figure[] = [];
    for (const size of sizes) figures.push(...(await bed.stage((stage) => startWith(bed, stage, size, quick))));
    return figures;
  },
};

async function startWith(
  bed: Bed,
  { sql, daemon }: Stage,
  { count, startMs, mib }: { count: number; startMs: number; mib: number },
  quick: boolean,
): Promise<readonly Figure[]> {
  await addFleet(sql, { farm: noFarm(count), key: bed.key, intervalSeconds: daySeconds, lastSync: 'now' });
  const label = count.toLocaleString('en');
  const figures: Figure[] = [];
  for (const how of ['first start', 'restart'] as const) {
    const beganMs = systemClock.monotonicMs();
    const one = await daemon();
    await one.keeps(count, startMsMax);
    figures.push({
      name: `${how}, ${label} fabrics`,
      value: systemClock.monotonicMs() - beganMs,
      unit: 'ms',
      bound: { atMost: startMs },
    });
    const timers = await bed.redis.zcard('{fabric-syncd}:timers');
    if (timers !== count) throw new Error(`${timers} timers are in Redis, not ${count}`);
    if (how === 'restart') {
      const before = await cpuMs(one.pid);
      const waitMs = quick ? settleMs.quick : settleMs.full;
      await systemClock.sleep(waitMs);
      const { fabrics } = await one.health();
      await until(() => fabrics.scheduled === count, 0, 'every fabric is scheduled');
      figures.push(
        { name: `memory, ${label} scheduled`, value: await rssMiB(one.pid), unit: 'MiB', bound: { atMost: mib } },
        { name: `memory, ${label} scheduled, peak since the start`, value: await peakMiB(one.pid), unit: 'MiB' },
        {
          name: `CPU at rest, ${label} scheduled`,
          value: (((await cpuMs(one.pid)) - before) / waitMs) * 100,
          unit: '%',
        },
      );
    }
    await one.stop();
  }
  return figures;
}
