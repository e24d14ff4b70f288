// Q1 to Q3 of `otel/metrics.ts`, without a daemon.

import { resourceFromAttributes } from '@opentelemetry/resources';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { MetricContract } from '../../otel/contract.ts';
import { turnMs } from '../../otel/loop-watch.ts';
import type { DaemonFacts, FabricFacts } from '../../otel/metrics.ts';
import { type Measuring, type MeasuringOptions, startMeasuring } from '../../otel/metrics-start.ts';
import { counted, distributed, observed, ofProcess, ofSdk } from '../../otel/names.ts';
import { readExposition, seriesValue } from '../support/exposition.ts';
import { handClock } from '../support/hand-clock.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

const never = () => () => {};

function measuring(env: Readonly<Record<string, string>> = {}, after: MeasuringOptions['after'] = never): Measuring {
  const resource = resourceFromAttributes({ 'service.name': 'under test' });
  const started = startMeasuring({ env, resource, version: '0', after, warn: () => {} });
  onTestFinished(() => started.stop());
  return started;
}

const healthy = (name: string): FabricFacts => ({ name, ageS: 1, intervalS: 60, trouble: null, waitsFor: null });

/** A daemon that knows these fabrics. */
function daemonOf(fabrics: () => readonly FabricFacts[]): DaemonFacts {
  return {
    census: () => ({ scheduled: fabrics().length }),
    fabrics,
    overdueS: () => 0,
    slots: () => ({ running: 0, capacity: 10, waiting: { manual: 0 } }),
    available: () => ({ postgresql: true }),
    progress: () => true,
  };
}

async function scrape({ scrape }: Measuring) {
  if (!scrape) throw new Error('nothing is measured');
  return readExposition(await scrape());
}

const age = 'fabric_syncd_fabric_last_success_age_seconds';
const named = async (of: Measuring) =>
  ((await scrape(of)).get(age)?.samples ?? []).map(({ labels }) => labels.fabric_name);

describe('fabrics by name', () => {
  test('one that is gone is not told any more, and one that is new is', async () => {
    const one = measuring();
    let fabrics = [healthy('a'), healthy('b')];
    one.metrics.observe(daemonOf(() => fabrics));
    expect(await named(one)).toEqual(['a', 'b']);
    fabrics = [healthy('b'), healthy('c')];
    expect(await named(one)).toEqual(['b', 'c']);
    fabrics = [];
    expect(await named(one)).toEqual([]);
  });

  test('a name cannot break out of its label', async () => {
    const one = measuring();
    const names = ['a"} 1', 'b\\', 'c\nfabric_syncd_fabrics 99', '{x="y"}', 'ü ☃'];
    one.metrics.observe(daemonOf(() => names.map(healthy)));
    expect(await named(one)).toEqual(names);
    expect(seriesValue(await scrape(one), 'fabric_syncd_fabrics', { fabric_state: 'scheduled' })).toBe(names.length);
  });

  test('are at most ten thousand, the most outdated first', async () => {
    const one = measuring();
    const fabrics = Array.from({ length: 10_050 }, (_, i) => ({ ...healthy(`f${i}`), ageS: i }));
    one.metrics.observe(daemonOf(() => fabrics));
    const told = new Set(await named(one));
    expect(told.size).toBe(10_000);
    expect(told).toContain('f10049');
    expect(told).not.toContain('f49');
  });

  test('say their trouble and what they wait for only while there is any', async () => {
    const one = measuring();
    const trouble = { state: 'errored', code: 'UNAUTHORIZED', attempts: 3 } as const;
    let fabrics: FabricFacts[] = [{ ...healthy('lab'), ageS: null, intervalS: null, trouble, waitsFor: 'cluster' }];
    one.metrics.observe(daemonOf(() => fabrics));
    const sick = await scrape(one);
    const labels = { fabric_name: 'lab', fabric_state: 'errored', error_type: 'UNAUTHORIZED' };
    expect(seriesValue(sick, 'fabric_syncd_fabric_failed_attempts', labels)).toBe(3);
    expect(seriesValue(sick, 'fabric_syncd_fabric_awaiting_approval', { fabric_approval_kind: 'cluster' })).toBe(1);
    expect(sick.has(age)).toBe(false);
    fabrics = [healthy('lab')];
    const well = await scrape(one);
    expect(well.has('fabric_syncd_fabric_failed_attempts')).toBe(false);
    expect(well.has('fabric_syncd_fabric_awaiting_approval')).toBe(false);
  });
});

describe('what is measured', () => {
  test('is told in the units that Prometheus wants in names', async () => {
    const one = measuring();
    one.metrics.runStarted('sync', 1_500);
    one.metrics.runStarted('manual', null);
    one.metrics.runEnded('partial', 250);
    one.metrics.read({ objects: 3, bytes: 2_048, requests: 4 });
    const told = await scrape(one);
    expect(seriesValue(told, 'fabric_syncd_run_lateness_seconds_sum', { fabric_run_trigger: 'sync' })).toBe(1.5);
    expect(seriesValue(told, 'fabric_syncd_run_duration_seconds_sum', { fabric_run_outcome: 'partial' })).toBe(0.25);
    expect(seriesValue(told, 'fabric_syncd_read_bytes_total')).toBe(2_048);
    expect(seriesValue(told, 'fabric_syncd_run_starts_total', { fabric_run_trigger: 'manual' })).toBe(1);
    const late = told.get('fabric_syncd_run_lateness_seconds')?.samples ?? [];
    expect(late.every(({ labels }) => labels.fabric_run_trigger === 'sync')).toBe(true);
  });

  test('counters stand at 0 before anything happened', async () => {
    const told = await scrape(measuring());
    for (const { name } of Object.values(counted)) {
      const [family] = [...told.values()].filter((one) => one.name === `${name.replaceAll('.', '_')}_total`);
      expect(
        family?.samples.every(({ value }) => value === 0),
        name,
      ).toBe(true);
    }
  });

  test('a due time that is ahead, by another machine’s clock, is no negative lateness', async () => {
    const one = measuring();
    one.metrics.runStarted('sync', -3_000);
    expect(seriesValue(await scrape(one), 'fabric_syncd_run_lateness_seconds_sum')).toBe(0);
  });

  test('two scrapes at once share one look', async () => {
    const one = measuring();
    let looks = 0;
    one.metrics.observe({ ...daemonOf(() => []), progress: () => ++looks > 0 });
    await Promise.all([scrape(one), scrape(one)]);
    expect(looks).toBe(1);
    await scrape(one);
    expect(looks).toBe(2);
  });

  test('a stall of the event loop is told to everybody who looks, and forgotten after two minutes', async () => {
    const clock = handClock();
    const one = measuring({}, clock.after);
    const max = 'nodejs_eventloop_delay_max_seconds';
    const longest = async () => seriesValue(await scrape(one), max);
    // One that comes before the first sample is measured by nothing.
    await vi.waitFor(async () => expect((await scrape(one)).has(max)).toBe(true));
    const until = performance.now() + 1_000;
    while (performance.now() < until);
    await vi.waitFor(async () => expect(await longest()).toBeGreaterThan(0.9));
    const stalledS = await longest();
    clock.advance(turnMs);
    expect(await longest()).toBeGreaterThanOrEqual(stalledS);
    clock.advance(turnMs);
    expect(await longest()).toBeLessThan(stalledS);
  });

  test('what a collector took of it is counted, and what it refused', async () => {
    const receiver = await new OtlpReceiver().start();
    onTestFinished(() => receiver.stop());
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.url);
    onTestFinished(() => void vi.unstubAllEnvs());
    receiver.behave({ kind: 'refuse', status: 400, retryAfterSeconds: null });
    const one = measuring({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_METRIC_EXPORT_INTERVAL: '50' });
    const points = async () => {
      const name = 'otel_sdk_exporter_metric_data_point_exported_total';
      const samples = (await scrape(one)).get(name)?.samples ?? [];
      return samples.map(({ labels, value }) => [labels.error_type, value > 0]);
    };
    await vi.waitFor(async () =>
      expect(await points()).toEqual([
        [undefined, false],
        ['export_failed', true],
      ]),
    );
    receiver.behave({ kind: 'accept' });
    await vi.waitFor(async () =>
      expect(await points()).toEqual([
        [undefined, true],
        ['export_failed', true],
      ]),
    );
  });

  test('nothing, where OTEL_SDK_DISABLED says so', () => {
    const one = measuring({ OTEL_SDK_DISABLED: 'true' });
    expect(one.scrape).toBeNull();
    one.metrics.runStarted('sync', 1);
  });
});

describe('names', () => {
  const ours: MetricContract[] = Object.values({ ...counted, ...distributed, ...observed });
  const standard = new Set<unknown>(Object.values(conventions));

  test('are those of the conventions where they are not ours', () => {
    expect(ours.filter(({ name }) => !name.startsWith('fabric_syncd.'))).toEqual([]);
    const others = [...Object.values(ofProcess).map(({ name }) => name), ...Object.keys(ofSdk)];
    expect(others.filter((name) => !standard.has(name))).toEqual([]);
  });

  test('each stands there once, with a line that ends like a sentence', () => {
    const names = [...ours, ...Object.values(ofProcess)].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, when } of ours) expect(when, name).toMatch(/^[A-Z].*\.$/);
  });
});
