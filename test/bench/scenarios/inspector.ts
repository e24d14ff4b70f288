// What it costs to be looked at: the same work without anybody who watches, and with five.

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { systemClock } from '../../../src/clock.ts';
import type { FleetDocument } from '../../../src/inspector/documents.ts';
import { until } from '../bed.ts';
import type { Figure, Scenario } from '../figure.ts';
import { percentile } from '../figure.ts';
import { addFleet, assertAllComplete } from '../fleet.ts';
import { cpuMs } from '../process-figures.ts';

const full = { fabrics: 1_000, intervalSeconds: 60 };
/** The same rate, a tenth of the fabrics. */
const short = { fabrics: 100, intervalSeconds: 6 };
const startMsMax = 30_000;
const watchers = 5;
const snapshots = 10;

export const inspector: Scenario = {
  name: 'inspector',
  about: 'what five watchers of the whole fleet cost, while 1,000 tiny fabrics are synced every 60 s',
  notMeasured: [
    'The watchers are on the same two cores as all the rest; they read and throw away.',
    'What Postgres spends on the reads is not told apart from what it spends on the syncs.',
  ],
  async run({ bed, quick }) {
    const { fabrics: count, intervalSeconds } = quick ? short : full;
    return bed.stage(async ({ sql, fabrics, daemon }) => {
      const farm = await fabrics.startFarm({ count });
      await addFleet(sql, { farm, key: bed.key, intervalSeconds, lastSync: 'never' });
      const socketPath = join(bed.dir, 'inspector.sock');
      const one = await daemon({ FABRIC_SYNCD_INSPECTOR: `unix:${socketPath}` });
      await one.keeps(count, startMsMax);
      const synced = new Set<string>();
      await one.hear((tiding) => {
        if (tiding.type === 'run') synced.add(tiding.fabric_id);
      });
      await until(() => synced.size === count, startMsMax + 240_000, 'every fabric was synced once');

      const unwatched = await cpuOf(one.pid, intervalSeconds * 1_000);
      // The first one wakes the read model and reads everything.
      const [first, ...others] = await measureSnapshots(socketPath, count);
      const streams = await Promise.all(Array.from({ length: watchers }, () => watch(socketPath)));
      const bytesBefore = streams.reduce((sum, { bytes }) => sum + bytes(), 0);
      const watched = await cpuOf(one.pid, intervalSeconds * 1_000);
      const bytes = streams.reduce((sum, { bytes }) => sum + bytes(), 0) - bytesBefore;
      for (const { close } of streams) close();
      if (streams.some((stream) => stream.over())) throw new Error('a watcher was cut off');
      await assertAllComplete(sql);
      return [
        { name: 'snapshot', value: (first?.bytes ?? Number.NaN) / 1024 / 1024, unit: 'MiB' },
        { name: 'first snapshot', value: first?.ms ?? Number.NaN, unit: 'ms', bound: { atMost: 2_000 } },
        {
          name: 'snapshot p50',
          value: percentile(
            others.map(({ ms }) => ms),
            50,
          ),
          unit: 'ms',
          bound: { atMost: 200 },
        },
        { name: 'stream of one watcher', value: bytes / watchers / 1024 / intervalSeconds, unit: 'KiB/s' },
        { name: 'daemon CPU, nobody watches (of one core)', value: unwatched, unit: '%' },
        { name: 'daemon CPU, five watch (of one core)', value: watched, unit: '%' },
      ] satisfies readonly Figure[];
    });
  },
};

/** In percent of one core. */
async function cpuOf(pid: number, windowMs: number): Promise<number> {
  const [before, beganMs] = [await cpuMs(pid), systemClock.monotonicMs()];
  await systemClock.sleep(windowMs);
  return (((await cpuMs(pid)) - before) / (systemClock.monotonicMs() - beganMs)) * 100;
}

async function measureSnapshots(socketPath: string, count: number): Promise<{ bytes: number; ms: number }[]> {
  const measured: { bytes: number; ms: number }[] = [];
  for (let turn = 0; turn <= snapshots; turn++) {
    const beganMs = systemClock.monotonicMs();
    const response = await get(socketPath, '/api/fleet');
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    measured.push({ bytes: body.length, ms: systemClock.monotonicMs() - beganMs });
    const { fabrics } = JSON.parse(body.toString()) as FleetDocument;
    if (fabrics.length !== count) throw new Error(`the snapshot has ${fabrics.length} of ${count} fabrics`);
  }
  return measured;
}

async function watch(socketPath: string) {
  const response = await get(socketPath, '/api/events');
  let bytes = 0;
  let over = false;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  response.on('error', () => {});
  response.on('end', () => {
    over = true;
  });
  return { bytes: () => bytes, over: () => over, close: () => response.destroy() };
}

async function get(socketPath: string, path: string): Promise<IncomingMessage> {
  const asked = request({ socketPath, path, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`${path} was answered with ${response.statusCode}`);
  return response;
}
