// The standard settings, as far as they are ours to honour or to hand on.

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Environment } from '../../otel/asked.ts';
import { openExporter } from '../../otel/open-exporter.ts';
import { resourceOf } from '../../otel/resource.ts';
import { openTraces } from '../../otel/start.ts';
import { pass, until } from '../support/memory-daemon.ts';
import { tracedDaemon } from '../support/traced-daemon.ts';

describe('an exporter that is not there', () => {
  const nowhere = { export: () => {} };

  test.each([
    ['console', 'LOGS', 'OTEL_LOGS_EXPORTER: there is no exporter "console", only otlp and none'],
    [
      'prometheus',
      'METRICS',
      'OTEL_METRICS_EXPORTER: there is no exporter "prometheus", only otlp and none; ' +
        'Prometheus reads them on the admin socket, and where FABRIC_SYNCD_METRICS_LISTEN says',
    ],
  ] as const)('%s of %s is told, and nothing is exported', (exporter, signal, line) => {
    const warned: string[] = [];
    const env = { [`OTEL_${signal}_EXPORTER`]: exporter };
    expect(openExporter({ env, signal, warn: (one) => warned.push(one) }, () => nowhere)).toBeNull();
    expect(warned).toEqual([line]);
  });

  test('beside one that is there costs only itself', () => {
    const warned: string[] = [];
    const env = { OTEL_LOGS_EXPORTER: 'Console, zipkin,otlp' };
    expect(openExporter({ env, signal: 'LOGS', warn: (one) => warned.push(one) }, () => nowhere)).toBe(nowhere);
    expect(warned).toEqual(['OTEL_LOGS_EXPORTER: there is no exporter "console", "zipkin", only otlp and none']);
  });

  test.each([
    [{ OTEL_TRACES_EXPORTER: 'console' }, ['OTEL_TRACES_EXPORTER: there is no exporter "console", only otlp and none']],
    [{ OTEL_TRACES_EXPORTER: 'none' }, []],
    [{ OTEL_TRACES_EXPORTER: 'console', OTEL_SDK_DISABLED: 'true' }, []],
    [{}, []],
  ] as const)('of traces, %j, is told before nothing is loaded', async (env: Environment, lines) => {
    const warned: string[] = [];
    const warn = (line: string) => warned.push(line);
    const resource = resourceOf({ env, version: '1', instance: 'i' });
    expect(await openTraces({ env, resource, version: '1', keep: false, nowMs: () => 0, warn })).toBeNull();
    expect(warned).toEqual(lines);
  });
});

describe('the sampler', () => {
  /** What one run came to. The SDK reads these of the process. */
  async function sampled(settings: Readonly<Record<string, string>>) {
    for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const at = tracedDaemon();
    const row = at.database.add('7');
    await at.daemon.start();
    await pass(at.clock, 5_000);
    await until(() => row.status === 'in_sync' && at.daemon.fleet.member('7')?.path === 'scheduled.waiting');
    return { spans: (await at.spans()).length, traceparent: at.database.runs[0]?.traceparent };
  }

  test.each([
    { OTEL_TRACES_SAMPLER: 'always_off' },
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
  ])('%j exports nothing, and says so where a trace is passed on', async (settings) => {
    const { spans, traceparent } = await sampled(settings);
    expect(spans).toBe(0);
    expect(traceparent).toMatch(/-00$/);
  });

  test.each([
    { OTEL_TRACES_SAMPLER: 'always_on' },
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '1' },
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '1' },
  ])('%j exports all of it', async (settings) => {
    const { spans, traceparent } = await sampled(settings);
    expect(spans).toBeGreaterThan(10);
    expect(traceparent).toMatch(/-01$/);
  });
});

describe('who tells', () => {
  const facts = { version: '1.2.3', instance: 'host/1/abc' };
  const told = (env: Environment) => resourceOf({ env, ...facts }).attributes;

  test('is this program, in this version, by a name of this process', () => {
    expect(told({})).toMatchObject({
      'service.name': 'fabric-syncd',
      'service.version': '1.2.3',
      'service.instance.id': 'host/1/abc',
    });
  });

  test('is what the settings say: OTEL_SERVICE_NAME before OTEL_RESOURCE_ATTRIBUTES before ours', () => {
    const attributes = 'service.name=by attribute,deployment.environment.name=lab%2C2,service.version=9, broken,=x,y=%';
    expect(told({ OTEL_RESOURCE_ATTRIBUTES: attributes })).toMatchObject({
      'service.name': 'by attribute',
      'deployment.environment.name': 'lab,2',
      'service.version': '9',
      'service.instance.id': 'host/1/abc',
    });
    expect(Object.keys(told({ OTEL_RESOURCE_ATTRIBUTES: attributes }))).not.toContain('y');
    const both = { OTEL_RESOURCE_ATTRIBUTES: attributes, OTEL_SERVICE_NAME: ' lab sync ' };
    expect(told(both)['service.name']).toBe('lab sync');
  });
});
