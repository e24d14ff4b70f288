// What one cycle of an unchanged fabric asks of Redis and of Postgres, counted on the wire.

import { until } from '../bed.ts';
import type { Figure, Scenario } from '../figure.ts';
import { addFleet, assertAllComplete } from '../fleet.ts';
import { callsBy } from '../redis-figures.ts';
import { openWire, postgresReader, redisReader } from '../wire.ts';

const startMsMax = 30_000;

export const exchanges: Scenario = {
  name: 'exchanges',
  about: 'Redis commands and Postgres statements of a cycle that finds nothing new, counted on a wire in between',
  notMeasured: [
    'One fabric alone: its timer is always the earliest, so each arming also wakes the sleeper, which costs two commands that a busy fleet rarely pays.',
    'The sweep, which asks once in some seconds for all fabrics together, is told to wait.',
  ],
  async run({ bed, quick }) {
    const cycles = quick ? 5 : 20;
    return bed.stage(async ({ sql, fabrics, daemon, databaseUrl }) => {
      const farm = await fabrics.startFarm({ count: 1 });
      await addFleet(sql, { farm, key: bed.key, intervalSeconds: 1, lastSync: 'never' });
      const folder = new URL(databaseUrl).searchParams.get('host') ?? '';
      const toPostgres = await openWire({ path: `${folder}/.s.PGSQL.5432` }, postgresReader);
      const toRedis = await openWire({ host: '127.0.0.1', port: bed.redisServer.port }, redisReader);
      try {
        const one = await daemon({
          DATABASE_URL: `postgres://postgres@127.0.0.1:${toPostgres.port}${new URL(databaseUrl).pathname}`,
          REDIS_URL: `redis://127.0.0.1:${toRedis.port}`,
          FABRIC_SYNCD_SWEEP_INTERVAL: '1h',
        });
        await one.keeps(1, startMsMax);
        let rests = 0;
        await one.hear((tiding) => {
          if (tiding.type === 'transition' && tiding.to === 'scheduled.waiting') rests += 1;
        });
        await until(() => rests >= 3, startMsMax, 'the first cycles are over');
        toPostgres.forget();
        toRedis.forget();
        const callsBefore = await callsBy(bed.redis);
        const wanted = rests + cycles;
        await until(() => rests >= wanted, startMsMax + cycles * 2_000, 'the cycles are over');
        const [postgres, redis] = [toPostgres.counts(), toRedis.counts()];
        const calls = (await callsBy(bed.redis)) - callsBefore;
        await assertAllComplete(sql);
        const perCycle = (name: string, value: number, atMost?: number): Figure => ({
          name,
          value: value / cycles,
          unit: '1/cycle',
          ...(atMost !== undefined && { bound: { atMost } }),
        });
        return [
          perCycle('Redis commands sent', redis.sent, 8),
          perCycle('Redis round trips', redis.roundTrips, 6),
          perCycle('Redis calls, those inside Lua included', calls),
          perCycle('Postgres statements sent', postgres.sent, 8),
          perCycle('Postgres round trips', postgres.roundTrips, 6),
          ...Object.entries(redis.byName).map(([name, n]) => perCycle(`Redis commands sent: ${name}`, n)),
        ];
      } finally {
        await toPostgres.close();
        await toRedis.close();
      }
    });
  },
};
