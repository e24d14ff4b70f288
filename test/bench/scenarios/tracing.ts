// What tracing costs: the same cycles, by a daemon that is traced and one that is not, side by side. A cycle has some
// thirty-five spans however many objects it reads, so the share of tracing is the larger the smaller the fabric is.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/clock.ts';
import { openDatabase } from '../../../src/postgres/connect.ts';
import { migrate } from '../../../src/postgres/migrate.ts';
import { type Bed, type BenchDaemon, type Stage, until } from '../bed.ts';
import type { Figure, Scenario } from '../figure.ts';
import { addFleet, assertAllComplete } from '../fleet.ts';
import { cpuMs } from '../process-figures.ts';

/** So few that neither daemon is short of CPU: one that cannot keep up runs other cycles than one that can. */
const fabricsCount = 20;
/** A twentieth of the cycles: more, and the two did not do the same. */
const cyclesApart = 0.05;
const sizes = [
  // What is promised, is promised of it: the tiny one is the worst there is.
  { called: '500 objects', shape: 'medium', intervalSeconds: 2, bound: { atMost: 15 } },
  { called: '7 objects', intervalSeconds: 1 },
] as const;
const startMsMax = 60_000;
/** Each; a cycle costs half as much again before V8 has compiled what is hot. */
const cyclesToWarm = 400;
const warmMsMax = 180_000;

/** A collector that takes everything and looks at nothing. */
async function openSink() {
  let requests = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      requests += 1;
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}`, requests: () => requests, close };
}

interface Counted {
  readonly one: BenchDaemon;
  /** Cycles that it ran itself. */
  runs(): number;
}

async function started({ daemon }: Stage, env: Readonly<Record<string, string>>): Promise<Counted> {
  const one = await daemon(env);
  await one.keeps(fabricsCount, startMsMax);
  let runs = 0;
  await one.hear((tiding) => {
    if (tiding.type === 'run') runs += 1;
  });
  return { one, runs: () => runs };
}

/** CPU of each, a cycle of its own, in milliseconds, over the same time and when they are warm. */
async function cpuACycle(those: readonly Counted[], windowMs: number): Promise<readonly number[]> {
  const isWarm = () => those.every(({ runs }) => runs() >= cyclesToWarm);
  await until(isWarm, warmMsMax, 'each daemon has run every fabric a few times');
  const look = () => Promise.all(those.map(async ({ one, runs }) => ({ runs: runs(), cpu: await cpuMs(one.pid) })));
  const before = await look();
  await systemClock.sleep(windowMs);
  const after = await look();
  const each = after.map(({ runs, cpu }, n) => ({
    cycles: runs - (before[n]?.runs ?? 0),
    cpu: cpu - (before[n]?.cpu ?? 0),
  }));
  const cycles = each.map((one) => one.cycles);
  if (Math.max(...cycles) * (1 - cyclesApart) > Math.min(...cycles)) {
    throw new Error(`the machine has other work: the daemons ran ${cycles.join(' and ')} cycles in the same time`);
  }
  return each.map((one) => one.cpu / one.cycles);
}

/** Beside the one of the stage, migrated. */
async function secondDatabase({ databaseUrl, sql }: Stage) {
  const url = new URL(databaseUrl);
  url.pathname = '/traced';
  await sql`drop database if exists traced`;
  await sql`create database traced`;
  const database = openDatabase({ url: url.href, connectionsMax: 1 });
  await migrate(database);
  const close = async () => {
    await database.close();
    await sql`drop database traced with (force)`;
  };
  return { url: url.href, sql: database.sql, close };
}

async function measure(bed: Bed, size: (typeof sizes)[number], windowMs: number): Promise<readonly Figure[]> {
  return bed.stage(async (stage) => {
    const { intervalSeconds } = size;
    const shape = 'shape' in size ? { shape: size.shape } : {};
    const farm = await stage.fabrics.startFarm({ count: fabricsCount, ...shape });
    await addFleet(stage.sql, { farm, key: bed.key, intervalSeconds, lastSync: 'never' });
    const sink = await openSink();
    // Side by side and of one age, each with rows and timers of its own: whatever else this machine does, it does to both.
    const other = await secondDatabase(stage);
    try {
      await addFleet(other.sql, { farm, key: bed.key, intervalSeconds, lastSync: 'never' });
      const traced = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${sink.url}/v1/traces` };
      const apart = { ...traced, DATABASE_URL: other.url, FABRIC_SYNCD_REDIS_PREFIX: 'traced' };
      const both = await Promise.all([started(stage, {}), started(stage, apart)]);
      const [off = Number.NaN, on = Number.NaN] = await cpuACycle(both, windowMs);
      await Promise.all([assertAllComplete(stage.sql), assertAllComplete(other.sql)]);
      await Promise.all(both.map(({ one }) => one.stop()));
      // One that was never asked for anything would have measured nothing.
      if (sink.requests() === 0) throw new Error('nothing was exported');
      return [
        { name: `${size.called}: daemon CPU a cycle, untraced`, value: off, unit: 'ms' },
        { name: `${size.called}: daemon CPU a cycle, traced`, value: on, unit: 'ms' },
        {
          name: `${size.called}: tracing adds`,
          value: (on / off - 1) * 100,
          unit: '%',
          ...('bound' in size && { bound: size.bound }),
        },
      ] satisfies readonly Figure[];
    } finally {
      await other.close();
      await sink.close();
    }
  });
}

export const tracing: Scenario = {
  name: 'tracing',
  about: 'what tracing costs: CPU of a cycle, traced and exported by OTLP against untraced, side by side',
  notMeasured: [
    'A cycle that finds nothing new: one with changes costs more, and as many spans.',
    'The collector, which is a process of its own.',
  ],
  async run({ bed, quick }) {
    const figures: Figure[] = [];
    for (const size of sizes) figures.push(...(await measure(bed, size, quick ? 10_000 : 60_000)));
    return figures;
  },
};
