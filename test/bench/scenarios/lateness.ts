// How late timers are while the daemon does all of its work: many small fabrics, each synced every minute.

import { systemClock } from '../../../src/clock.ts';
import { until } from '../bed.ts';
import type { Figure, Scenario } from '../figure.ts';
import { percentile } from '../figure.ts';
import { addFleet, assertAllComplete } from '../fleet.ts';
import { cpuMs, rssMiB } from '../process-figures.ts';

const full = { fabrics: 1_000, intervalSeconds: 60 };
/** The same rate, a tenth of the fabrics. */
const short = { fabrics: 100, intervalSeconds: 6 };
const startMsMax = 30_000;

export const lateness: Scenario = {
  name: 'lateness',
  about: 'timer due to `locked`, while 1,000 tiny fabrics are synced every 60 s, each over TLS',
  notMeasured: [
    'Fabrics added together keep the phases that the start ramp gave them (30 s of each minute at 1,000), so this is the lateness at 33 syncs a second, not at 17.',
    'The fabrics answer within a millisecond or two and are on the same two cores; real ones are slower and elsewhere.',
  ],
  async run({ bed, quick }) {
    const { fabrics: count, intervalSeconds } = quick ? short : full;
    return bed.stage(async ({ sql, fabrics, daemon }) => {
      await addFleet(sql, {
        farm: await fabrics.startFarm({ count }),
        key: bed.key,
        intervalSeconds,
        lastSync: 'never',
      });
      const one = await daemon();
      await one.keeps(count, startMsMax);
      const late: number[] = [];
      let runs = 0;
      const synced = new Set<string>();
      await one.hear((tiding) => {
        if (tiding.type === 'transition' && tiding.to === 'locked.acquiring' && tiding.late_ms !== null)
          late.push(tiding.late_ms);
        if (tiding.type !== 'run') return;
        runs += 1;
        synced.add(tiding.fabric_id);
      });
      // The first cycle of each is another one: nothing is known, and connections are made.
      await until(() => synced.size === count, startMsMax + 60_000, 'every fabric was synced once');
      late.length = 0;
      runs = 0;
      const [daemonBefore, redisBefore] = [await cpuMs(one.pid), await cpuMs(bed.redisServer.pid ?? 0)];
      const beganMs = systemClock.monotonicMs();
      await systemClock.sleep(intervalSeconds * 1_000);
      const seconds = (systemClock.monotonicMs() - beganMs) / 1_000;
      const daemonMs = (await cpuMs(one.pid)) - daemonBefore;
      const redisMs = (await cpuMs(bed.redisServer.pid ?? 0)) - redisBefore;
      await assertAllComplete(sql);
      if (late.length < count * 0.9) throw new Error(`only ${late.length} of ${count} timers were served in time`);
      return [
        { name: 'lateness p50', value: percentile(late, 50), unit: 'ms', bound: { atMost: 3 } },
        { name: 'lateness p99', value: percentile(late, 99), unit: 'ms', bound: { atMost: 15 } },
        { name: 'lateness max', value: Math.max(...late), unit: 'ms', bound: { atMost: 250 } },
        { name: 'syncs', value: runs / seconds, unit: '1/s' },
        { name: 'daemon CPU (of one core)', value: daemonMs / 10 / seconds, unit: '%' },
        { name: 'Redis CPU (of one core)', value: redisMs / 10 / seconds, unit: '%' },
        { name: 'daemon memory, all synced', value: await rssMiB(one.pid), unit: 'MiB' },
      ] satisfies readonly Figure[];
    });
  },
};
