// Redis loses everything that it holds, at once: timers and locks.

import { systemClock } from '../../../src/clock.ts';
import { lateness } from '../figures.ts';
import { allSynced } from '../storm.ts';
import type { Scenario } from './scenario.ts';

const times = 6;
const boundMs = 5_000;
/** So that flushes fall on all parts of the sweep's interval. */
const betweenMs = 3_700;
const patienceMs = 120_000;

export const redisFlushed: Scenario = {
  name: 'redis-flushed',
  about: 'FLUSHALL under two daemons and twenty fabrics that are synced every five seconds',
  ground: { daemons: 2, fabrics: 20, intervalSeconds: 5 },
  async run(ground, say) {
    const most: number[] = [];
    for (let time = 0; time < times; time += 1) {
      await systemClock.sleep(betweenMs);
      const flushedMs = systemClock.nowMs();
      await ground.redis.flushall();
      if ((await allSynced(ground, flushedMs, patienceMs)) === null)
        throw new Error('not every fabric was synced again');
      const late = Math.max(...(await lateness(ground.sql, { fromMs: flushedMs, toMs: systemClock.nowMs() })));
      most.push(late);
      say(`Redis flushed: the latest run was ${Math.round(late)} ms late`);
    }
    return [{ what: 'Redis flushed, the latest run', valuesMs: most, boundMs }];
  },
};
