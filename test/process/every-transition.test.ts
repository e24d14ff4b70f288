// Every transition that a daemon tells in its log is a span, with its parents and its links: in a collector, and in Jaeger.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Jaeger, jaegerBinary } from '../support/jaeger.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { entry, eventually } from '../support/process/daemon.ts';
import { type Comparison, compareTransitions, type SeenSpan, toldTransitions } from '../support/told-transitions.ts';

const openBed = bedsOfThisFile();

test('in a collector: planned, synced, failed, retried, asked for, paused and resumed', async () => {
  const receiver = await new OtlpReceiver().start();
  onTestFinished(() => receiver.stop());
  const bed = await openBed({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '100' } });
  const [lab, sick, idle] = [
    await bed.fabric('lab', { sync_interval: 2 }),
    await bed.fabric('sick', { sync_interval: 2 }),
    await bed.fabric('idle', { sync_interval: 3600 }),
  ];
  const daemon = await bed.daemon().ready();
  const first = await sick.synced();
  const quiet = await idle.synced();
  await sick.cluster.faults.set({ does: 'status', status: 503, where: { kind: 'Switch' } });
  await sick.until(({ state }) => state === 'backoff', 'in backoff');
  await sick.cluster.faults.clear();
  await sick.synced(first.id);
  expect((await bed.cli('trigger', 'idle')).code).toBe(0);
  await idle.synced(quiet.id);
  const before = await lab.synced();
  await lab.synced(before.id);
  expect((await bed.cli('pause', 'idle', '--reason', 'a test')).code).toBe(0);
  await idle.until(({ state }) => state === 'idle', 'paused');
  expect((await bed.cli('resume', 'idle')).code).toBe(0);
  await idle.until(({ state }) => state === 'scheduled', 'resumed');
  expect(await daemon.stop()).toBe(0);

  const told = toldTransitions(daemon.log);
  const traces = new Set(told.map(({ traceId }) => traceId));
  const found = compareTransitions(
    told,
    receiver.spans.filter(({ traceId }) => traces.has(traceId)),
  );
  expect(found.faults).toEqual([]);
  expect(found.traces, 'each trace that a line names').toBe(traces.size);
  expect(receiver.spans.filter(({ name }) => name === 'fabric.run').length).toBe(found.runs);
  for (const state of ['idle', 'scheduled', 'locked', 'syncing', 'backoff']) {
    expect(
      told.map((one) => one.state),
      'the daemon went through',
    ).toContain(state);
  }
  expect(receiver.faults).toEqual([]);
});

/** The demo, to its end. @returns what its daemon told */
async function demo(endpoint: string) {
  const folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-demo-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [entry, 'demo', '--otlp', endpoint, '--for', '25s', '--json', '--state-dir', folder],
    { env: { PATH: process.env.PATH, FABRIC_SYNCD_LOG_LEVEL: 'debug' }, timeout: 100_000 },
  );
  const log = await readFile(join(folder, 'daemon.log'), 'utf8');
  const lines = log.split('\n').filter((line) => line.startsWith('{'));
  return {
    told: toldTransitions(lines.map((line) => JSON.parse(line) as Record<string, unknown>)),
    ended: JSON.parse(stdout) as { otlp: { signals: readonly string[] } },
  };
}

function expectWhole(found: Comparison, told: readonly { readonly traceId: string }[]): void {
  expect(found.faults).toEqual([]);
  expect(found.traces).toBe(new Set(told.map(({ traceId }) => traceId)).size);
  expect(found.runs, 'lab alone runs every five seconds').toBeGreaterThan(5);
  expect(found.links, 'each run but the first of a fabric').toBeGreaterThanOrEqual(found.runs - 3);
}

test('the demo, in a collector', async () => {
  const receiver = await new OtlpReceiver().start();
  onTestFinished(() => receiver.stop());
  const { told, ended } = await demo(receiver.url);
  expect(ended.otlp.signals).toEqual(['traces', 'metrics', 'logs']);
  const traces = new Set(told.map(({ traceId }) => traceId));
  expectWhole(
    compareTransitions(
      told,
      receiver.spans.filter(({ traceId }) => traces.has(traceId)),
    ),
    told,
  );
  expect(receiver.metrics.length).toBeGreaterThan(0);
  expect(receiver.logs.length).toBeGreaterThan(0);
  expect(receiver.faults).toEqual([]);
});

describe.skipIf(jaegerBinary === null)('with JAEGER_BIN (skipped where it names no Jaeger)', () => {
  test('the demo, in Jaeger: everything is read back by its API, and found by its search', async () => {
    const jaeger = await Jaeger.start(jaegerBinary ?? '');
    onTestFinished(() => jaeger.stop());
    const { told, ended } = await demo(jaeger.otlpUrl);
    expect(ended.otlp.signals, 'Jaeger takes nothing else').toEqual(['traces']);
    const traceIds = [...new Set(told.map(({ traceId }) => traceId))];
    // Taken is not yet written: Jaeger has a queue of its own.
    const found = await vi.waitFor(async () => {
      const spans: SeenSpan[] = [];
      for (const traceId of traceIds) spans.push(...(await jaeger.trace(traceId)));
      const comparison = compareTransitions(told, spans);
      expectWhole(comparison, told);
      return comparison;
    }, eventually);
    process.stdout.write(`Jaeger: ${JSON.stringify({ ...found, faults: found.faults.length })}\n`);

    const failed = await jaeger.search({
      operation: 'fabric.run',
      tags: { 'fabric.name': 'medium', 'fabric.run.outcome': 'failed' },
    });
    expect(failed.length, 'medium fails for a while').toBeGreaterThan(0);
    const retried = await jaeger.search({
      operation: 'fabric.run',
      tags: { 'fabric.name': 'medium', 'fabric.run.trigger': 'retry' },
    });
    const roots = retried.flatMap(({ spans }) => spans.filter(({ name }) => name === 'fabric.run'));
    const attempts = roots.flatMap(({ links }) => links.map(({ traceId }) => traceId));
    expect(attempts.length, 'each retry links to the attempt before it').toBe(retried.length);
    expect(failed.map(({ traceId }) => traceId)).toEqual(expect.arrayContaining(attempts));
    const errors = await jaeger.search({ operation: 'fabric.run', tags: { error: 'true' } });
    expect(errors.map(({ traceId }) => traceId)).toEqual(expect.arrayContaining(failed.map(({ traceId }) => traceId)));
    for (const { spans } of errors) {
      const { attributes } = spans.find(({ name }) => name === 'fabric.run') ?? {};
      expect(attributes, 'an error says what failed').toHaveProperty('error.type');
    }
  });
});
