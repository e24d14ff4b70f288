// What `demo --otlp` finds out about the place it is to tell its traces to.

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askCollector, type Collector, telemetryOf, whereToLook } from '../../src/demo/collector.ts';
import { parseEndpoint } from '../../src/demo/endpoint.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

const never = new AbortController().signal;

async function receiver(): Promise<OtlpReceiver> {
  const one = await new OtlpReceiver().start();
  onTestFinished(() => one.stop());
  return one;
}

/** Any server over HTTP. @returns its URL */
async function server(answer: RequestListener): Promise<string> {
  const one = createServer(answer);
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    one.closeAllConnections();
    await new Promise((resolve) => one.close(resolve));
  });
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
}

const jaeger: Collector = { endpoint: 'http://tracing:4318', takes: ['traces'], remark: '' };

describe('an address', () => {
  test('loses the slash at its end, and keeps its path', () => {
    expect(parseEndpoint(' http://localhost:4318/ ')).toBe('http://localhost:4318');
    expect(parseEndpoint('https://otel.example.net/otlp/')).toBe('https://otel.example.net/otlp');
  });

  test('is also where to look, if Jaeger is there', () => {
    expect(whereToLook(jaeger, {})).toContain('http://tracing:16686/search?service=fabric-syncd');
    expect(whereToLook(jaeger, { OTEL_SERVICE_NAME: 'lab sync' })).toContain('service=lab%20sync');
  });
});

describe('a collector is asked with a message without contents', () => {
  test('one that takes everything', async () => {
    const { url, requests, faults } = await receiver();
    const found = await askCollector(url, { OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=noc%201' }, never);
    expect(found).toEqual({
      endpoint: url,
      takes: ['traces', 'metrics', 'logs'],
      remark: `${url} takes traces, metrics, logs`,
    });
    expect(faults).toEqual([]);
    expect(requests.map(({ signal, items, headers }) => [signal, items, headers['x-tenant']]).toSorted()).toEqual([
      ['logs', 0, 'noc 1'],
      ['metrics', 0, 'noc 1'],
      ['traces', 0, 'noc 1'],
    ]);
  });

  test('one that takes traces only, as Jaeger does: the rest is not sent to it', async () => {
    const url = await server(({ url: path }, response) => response.writeHead(path === '/v1/traces' ? 200 : 404).end());
    const found = await askCollector(url, {}, never);
    expect(found).toMatchObject({ takes: ['traces'], remark: `${url} takes traces (no metrics, no logs)` });
    expect(telemetryOf({}, found).commands).toEqual({
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
    });
  });

  test('what is no collector, or refuses, is told with its status', async () => {
    const page = await server((_, response) => response.writeHead(404).end());
    expect((await askCollector(page, {}, never)).remark).toBe(`${page} takes no traces (status 404)`);
    const gate = await server((_, response) => response.writeHead(401).end());
    expect((await askCollector(gate, {}, never)).remark).toBe(`${gate} refuses traces now (status 401)`);
  });

  test('one that does not answer now may do so later', async () => {
    const { url, stop } = await receiver().then((one) => ({ url: one.url, stop: () => one.stop() }));
    await stop();
    expect(await askCollector(url, {}, never)).toEqual({
      endpoint: url,
      takes: ['traces', 'metrics', 'logs'],
      remark: `${url} does not answer (ECONNREFUSED): what is told before it does is lost`,
    });
  });

  test('whoever ends the demo meanwhile does not wait for it', async () => {
    const hanging = await receiver();
    hanging.behave({ kind: 'hang' });
    const end = new AbortController();
    const asked = askCollector(hanging.url, {}, end.signal);
    await hanging.until(({ requests }) => requests.length === 3);
    end.abort(new Error('stopped'));
    await expect(asked).rejects.toThrow('stopped');
  });
});

describe('the daemon of the demo', () => {
  test('is told the collector, over what the environment says otherwise', () => {
    const env = {
      OTEL_SDK_DISABLED: 'true',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://elsewhere/v1/traces',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret',
      OTEL_BSP_SCHEDULE_DELAY: '250',
      HOME: '/root',
    };
    const { daemon, commands } = telemetryOf(env, jaeger);
    expect(daemon).toEqual({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://tracing:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_BSP_SCHEDULE_DELAY: '250',
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
    });
    expect(Object.keys(commands), 'no secret goes into the file').not.toContain('OTEL_EXPORTER_OTLP_HEADERS');
  });

  test('without a collector hears what the environment says', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://elsewhere', HOME: '/root' };
    expect(telemetryOf(env, null)).toEqual({
      daemon: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://elsewhere' },
      commands: {},
    });
  });
});
