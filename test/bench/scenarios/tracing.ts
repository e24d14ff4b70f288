// What tracing costs: the same cycles, untraced and traced, by turns.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/clock.ts';
import { type Stage, until } from '../bed.ts';
import type { Figure, Scenario } from '../figure.ts';
import { addFleet, assertAllComplete } from '../fleet.ts';
import { cpuMs } from '../process-figures.ts';

const fabricsCount = 40;
const startMsMax = 60_000;

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

/** One daemon from its start to its end. @returns its CPU a cycle, in milliseconds, when it is warm */
async function measure({ daemon }: Stage, env: Readonly<Record<string, string>>, windowMs: number) {
  const one = await daemon(env);
  await one.keeps(fabricsCount, startMsMax);
  let runs = 0;
  await one.hear((tiding) => {
    if (tiding.type === 'run') runs += 1;
  });
  // V8 has compiled what is hot by then.
  await until(() => runs >= fabricsCount * 4, startMsMax, 'every fabric was synced a few times');
  const [before, cpuBefore] = [runs, await cpuMs(one.pid)];
  await systemClock.sleep(windowMs);
  const [cycles, cpu] = [runs - before, (await cpuMs(one.pid)) - cpuBefore];
  await one.stop();
  return cpu / cycles;
}

export const tracing: Scenario = {
  name: 'tracing',
  about: 'what tracing costs: CPU of a cycle of a tiny fabric, traced and exported by OTLP against untraced, by turns',
  notMeasured: [
    'A cycle that finds nothing new: one with a large inventory or with changes costs more, and as many spans.',
    'The collector, which is a process of its own.',
  ],
  async run({ bed, quick }) {
    const windowMs = quick ? 3_000 : 10_000;
    const pairs = quick ? 1 : 2;
    return bed.stage(async (stage) => {
      const farm = await stage.fabrics.startFarm({ count: fabricsCount });
      await addFleet(stage.sql, { farm, key: bed.key, intervalSeconds: 1, lastSync: 'never' });
      const sink = await openSink();
      try {
        const traced = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${sink.url}/v1/traces` };
        const off: number[] = [];
        const on: number[] = [];
        for (let pair = 0; pair < pairs; pair += 1) {
          off.push(await measure(stage, {}, windowMs));
          on.push(await measure(stage, traced, windowMs));
        }
        await assertAllComplete(stage.sql);
        const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
        // One that was never asked for anything would have measured nothing.
        if (sink.requests() === 0) throw new Error('nothing was exported');
        return [
          { name: 'daemon CPU a cycle, untraced', value: mean(off), unit: 'ms' },
          { name: 'daemon CPU a cycle, traced', value: mean(on), unit: 'ms' },
          { name: 'tracing adds', value: (mean(on) / mean(off) - 1) * 100, unit: '%', bound: { atMost: 15 } },
        ] satisfies readonly Figure[];
      } finally {
        await sink.close();
      }
    });
  },
};
