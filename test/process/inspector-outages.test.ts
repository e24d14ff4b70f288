// What the inspector shows while a server is away: what it can, and which part is missing since when.

import { expect, test, vi } from 'vitest';
import { askDaemon } from '../../src/admin/client.ts';
import { readDocument, streamEvents } from '../../src/cli/inspect/feed.ts';
import { systemClock } from '../../src/clock.ts';
import type { FabricDocument, FleetDocument, TimersDocument } from '../../src/inspector/documents.ts';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { type Daemon, eventually } from '../support/process/daemon.ts';
import { proxyBefore, restsAfterSync } from '../support/process/frozen-postgres.ts';
import { redisFound } from '../support/redis.ts';

const openBed = bedsOfThisFile();

async function read<Document>({ socketPath }: Daemon, path: string): Promise<Document> {
  const document = await askDaemon(socketPath, `/api/${path}`, AbortSignal.timeout(10_000));
  if (document === null) throw new Error(`no answer to ${path}`);
  return document as Document;
}

test.skipIf(redisFound === null)('without Redis it says so, goes on from the rows, and sees it come back', async () => {
  const bed = await openBed({ redis: 'own' });
  const lab = await bed.fabric('lab', { sync_interval: 3600 });
  const daemon = await bed.daemon().ready();
  await lab.synced();
  expect((await read<FleetDocument>(daemon, 'fleet')).parts.redis.state).toBe('ok');
  await bed.redis.kill();
  await vi.waitFor(async () => {
    const { parts, fabrics } = await read<FleetDocument>(daemon, 'fleet');
    expect(parts.redis).toMatchObject({ state: 'missing', problem: expect.stringContaining('Redis') });
    expect(parts.postgres.state).toBe('ok');
    expect(fabrics).toMatchObject([{ name: 'lab', sync_status: 'in_sync', timer: { state: 'unknown' } }]);
  }, eventually);
  const { why } = await read<FabricDocument>(daemon, 'fabrics/lab');
  expect(why.sentence).toMatch(/^All is well: it is due in .*; Redis is away, and due times come from the rows\.$/);
  await bed.redis.start();
  await vi.waitFor(async () => {
    const { parts, timers } = await read<TimersDocument>(daemon, 'timers');
    expect(parts.redis.state).toBe('ok');
    expect(timers).toMatchObject([{ fabric: 'lab', state: 'armed' }]);
  }, eventually);
});

test('a Postgres that hangs is told as missing, to whoever asks, and not taken for a daemon that is gone', async () => {
  const bed = await openBed();
  const lab = await bed.fabric('lab', { sync_interval: 3600 });
  const proxy = await proxyBefore(bed);
  const daemon = await bed.daemon({ DATABASE_URL: proxy.url }).ready();
  const { socketPath } = daemon;
  await restsAfterSync(daemon, lab);
  proxy.freeze();
  // As the terminal asks, with its patience. Nobody has watched before: all is from memory.
  const fabric = await readDocument<FabricDocument>(socketPath, '/api/fabrics/lab', AbortSignal.timeout(60_000));
  const missing = { state: 'missing', problem: expect.stringContaining('Postgres did not') };
  expect(fabric).toMatchObject({ fabric: { name: 'lab', state: 'scheduled' }, settings: null, runs: [] });
  expect(fabric.parts.postgres).toMatchObject(missing);
  expect(fabric.why).toMatchObject({ code: 'postgres_missing' });
  for (const fabric of [null, 'lab']) {
    const stream = streamEvents(socketPath, { fabric, clock: systemClock }, AbortSignal.timeout(60_000));
    const { value: first } = await stream.next();
    await stream.return(undefined);
    expect(first).toMatchObject({
      event: 'snapshot',
      data: { parts: { postgres: missing }, fabrics: [{ name: 'lab', state: 'scheduled' }] },
    });
  }
  proxy.thaw();
  await vi.waitFor(async () => {
    const { parts, runs } = await readDocument<FabricDocument>(
      socketPath,
      '/api/fabrics/lab',
      AbortSignal.timeout(60_000),
    );
    expect(parts.postgres.state).toBe('ok');
    expect(runs).toHaveLength(1);
  }, eventually);
});

test('a fabric that fails says why it waits, and what its run did', async () => {
  const bed = await openBed();
  const lab = await bed.fabric('lab', { sync_interval: 3600 });
  const daemon = await bed.daemon({ FABRIC_SYNCD_BACKOFF_BASE: '1h', FABRIC_SYNCD_BACKOFF_CAP: '1h' }).ready();
  const { id } = await lab.synced();
  await lab.cluster.stop();
  expect((await bed.cli('trigger', 'lab', '--no-wait')).code).toBe(0);
  await lab.until((row) => row.state === 'backoff', 'in backoff');
  await vi.waitFor(async () => {
    const { why, fabric, transitions, runs } = await read<FabricDocument>(daemon, 'fabrics/lab');
    expect(why).toMatchObject({
      code: 'backoff',
      sentence: expect.stringContaining('It waits after attempt 1 failed (lab'),
    });
    expect(why.hint).not.toBe('');
    expect(fabric).toMatchObject({ state: 'backoff', path: 'backoff.waiting', sync_status: 'error' });
    expect(transitions.map(({ label }) => label)).toContain('runSync failed');
    expect(runs.map(({ outcome }) => outcome)).toEqual(['failed', 'complete']);
    expect(runs.at(-1)?.id).toBe(id);
  }, eventually);
});
