// What the official exporters send, read by the receiver that other tests trust.

import {
  type Link,
  ROOT_CONTEXT,
  SeverityNumber,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OtlpReceiver } from './otlp-receiver.ts';

const resource = resourceFromAttributes({ 'service.name': 'fabric-syncd', 'process.pid': 7 });
const before = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

let receiver: OtlpReceiver;
beforeEach(async () => {
  receiver = await new OtlpReceiver().start();
});
afterEach(async () => {
  await receiver.stop();
  expect(receiver.hanging).toBe(0);
});

const contextOf = (span: Span) => trace.setSpan(ROOT_CONTEXT, span);

/** Two spans, one below the other, as the SDK ends them. */
function twoSpans() {
  const kept = new InMemorySpanExporter();
  const provider = new TracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor({ exporter: kept })] });
  const tracer = provider.getTracer('test', '1.2.3');
  const link: Link = { context: { ...before, traceFlags: TraceFlags.SAMPLED }, attributes: { how: 'armed_by' } };
  const parent = tracer.startSpan('fabric.run', {
    root: true,
    kind: SpanKind.INTERNAL,
    startTime: 1_700_000_000_123,
    links: [link],
    attributes: { text: 'ä€', whole: -7, part: 0.5, flag: false, list: ['a', 'b'], big: 2 ** 40 },
  });
  const child = tracer.startSpan(
    'GET /apis',
    { kind: SpanKind.CLIENT, startTime: 1_700_000_000_124 },
    contextOf(parent),
  );
  child.addEvent('exception', { 'exception.type': 'PEER_UNREACHABLE' }, 1_700_000_000_125);
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'no answer' });
  child.end(1_700_000_000_126);
  parent.end(1_700_000_000_127);
  return {
    spans: kept.getFinishedSpans(),
    context: contextOf(parent),
    parent: parent.spanContext(),
    child: child.spanContext(),
  };
}

/** One export, to its end. */
function send(exporter: OTLPTraceExporter, spans = twoSpans().spans): Promise<ExportResult> {
  return new Promise((resolve) => exporter.export([...spans], resolve));
}

const tracesTo = (options: { readonly gzip?: boolean; readonly timeoutMillis?: number } = {}) =>
  new OTLPTraceExporter({
    url: `${receiver.url}/v1/traces`,
    ...(options.gzip && { compression: 'gzip' as never }),
    timeoutMillis: options.timeoutMillis ?? 10_000,
  });

describe('what is sent is what is received', () => {
  for (const gzip of [false, true]) {
    test(`spans${gzip ? ', compressed' : ''}`, async () => {
      const { spans, parent, child } = twoSpans();
      const exporter = tracesTo({ gzip });
      expect((await send(exporter, spans)).code).toBe(ExportResultCode.SUCCESS);
      await exporter.shutdown();
      expect(receiver.requests).toMatchObject([{ signal: 'traces', items: 2, gzip, answered: 'accept' }]);
      expect(receiver.faults).toEqual([]);
      const origin = {
        resource: { 'service.name': 'fabric-syncd', 'process.pid': 7 },
        scope: { name: 'test', version: '1.2.3' },
      };
      expect(receiver.spans).toEqual([
        {
          ...origin,
          traceId: parent.traceId,
          spanId: child.spanId,
          parentSpanId: parent.spanId,
          name: 'GET /apis',
          kind: 'client',
          startNs: 1_700_000_000_124_000_000n,
          endNs: 1_700_000_000_126_000_000n,
          attributes: {},
          events: [
            {
              name: 'exception',
              atNs: 1_700_000_000_125_000_000n,
              attributes: { 'exception.type': 'PEER_UNREACHABLE' },
            },
          ],
          links: [],
          status: { code: 'error', message: 'no answer' },
          cutOff: 0,
        },
        {
          ...origin,
          traceId: parent.traceId,
          spanId: parent.spanId,
          parentSpanId: null,
          name: 'fabric.run',
          kind: 'internal',
          startNs: 1_700_000_000_123_000_000n,
          endNs: 1_700_000_000_127_000_000n,
          attributes: { text: 'ä€', whole: -7, part: 0.5, flag: false, list: ['a', 'b'], big: 2 ** 40 },
          events: [],
          links: [{ ...before, attributes: { how: 'armed_by' } }],
          status: { code: 'unset', message: '' },
          cutOff: 0,
        },
      ]);
    });
  }

  test('metrics: counters, gauges and histograms with their points', async () => {
    const reader = new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: `${receiver.url}/v1/metrics` }),
      exportIntervalMillis: 3_600_000,
    });
    const provider = new MeterProvider({ resource, readers: [reader] });
    const meter = provider.getMeter('test', '1.2.3');
    meter.createCounter('runs', { unit: '{run}', description: 'Runs.' }).add(3, { outcome: 'complete' });
    meter.createUpDownCounter('depth').add(-2);
    meter.createGauge('age', { unit: 's' }).record(1.5);
    const late = meter.createHistogram('late', { unit: 's', advice: { explicitBucketBoundaries: [1, 10] } });
    for (const value of [0.5, 2, 20]) late.record(value);
    await reader.forceFlush();
    await provider.shutdown();
    const [runs, depth, age, lateness] = await receiver.until(({ metrics }) => metrics.length >= 4 && metrics);
    expect(runs).toMatchObject({
      name: 'runs',
      unit: '{run}',
      description: 'Runs.',
      kind: 'sum',
      monotonic: true,
      temporality: 'cumulative',
      resource: { 'service.name': 'fabric-syncd' },
      scope: { name: 'test', version: '1.2.3' },
      points: [{ value: 3, attributes: { outcome: 'complete' } }],
    });
    expect(depth).toMatchObject({ name: 'depth', kind: 'sum', monotonic: false, points: [{ value: -2 }] });
    expect(age).toMatchObject({ name: 'age', kind: 'gauge', points: [{ value: 1.5 }] });
    expect(lateness).toMatchObject({
      name: 'late',
      kind: 'histogram',
      temporality: 'cumulative',
      points: [{ count: 3, sum: 22.5, min: 0.5, max: 20, bounds: [1, 10], buckets: [1, 1, 1] }],
    });
    expect(receiver.faults).toEqual([]);
  });

  test('log records, with the trace they belong to', async () => {
    const provider = new LoggerProvider({
      resource,
      processors: [new SimpleLogRecordProcessor({ exporter: new OTLPLogExporter({ url: `${receiver.url}/v1/logs` }) })],
    });
    const { parent, context } = twoSpans();
    provider.getLogger('test', '1.2.3').emit({
      timestamp: 1_700_000_000_123,
      severityNumber: SeverityNumber.WARN,
      severityText: 'warn',
      body: 'fabric lab is late',
      attributes: { fabric: 'lab', nested: { deep: [1, true] } },
      context,
    });
    const [log] = await receiver.until(({ logs }) => logs.length === 1 && logs);
    await provider.shutdown();
    expect(log).toMatchObject({
      atNs: 1_700_000_000_123_000_000n,
      severity: 13,
      severityText: 'warn',
      body: 'fabric lab is late',
      attributes: { fabric: 'lab', nested: { deep: [1, true] } },
      traceId: parent.traceId,
      spanId: parent.spanId,
    });
    expect(receiver.faults).toEqual([]);
  });
});

describe('it fails as collectors do', () => {
  test('by refusing for a while: the exporter comes again when it may', async () => {
    receiver.behave({ kind: 'refuse', status: 503, retryAfterSeconds: 1 });
    const exporter = tracesTo();
    const sent = send(exporter);
    await receiver.until(({ requests }) => requests.length === 1);
    expect(receiver.spans).toEqual([]);
    receiver.behave({ kind: 'accept' });
    expect((await sent).code).toBe(ExportResultCode.SUCCESS);
    expect(receiver.requests.map(({ answered }) => answered)).toEqual(['refuse', 'accept']);
    expect(receiver.spans).toHaveLength(2);
    await exporter.shutdown();
  });

  test('by refusing for good: nothing is kept', async () => {
    receiver.behave({ kind: 'refuse', status: 403, retryAfterSeconds: null });
    const exporter = tracesTo();
    expect((await send(exporter)).code).toBe(ExportResultCode.FAILED);
    expect(receiver.spans).toEqual([]);
    await exporter.shutdown();
  });

  test('by hanging, until the exporter gives up or it is let go', async () => {
    receiver.behave({ kind: 'hang' });
    const impatient = tracesTo({ timeoutMillis: 200 });
    expect((await send(impatient)).code).toBe(ExportResultCode.FAILED);
    await impatient.shutdown();
    const patient = tracesTo();
    const sent = send(patient);
    await receiver.until(({ hanging, requests }) => requests.length >= 2 && hanging === 1);
    receiver.behave({ kind: 'accept' });
    receiver.letGo();
    expect((await sent).code).toBe(ExportResultCode.SUCCESS);
    expect(receiver.spans).toHaveLength(2);
    await patient.shutdown();
  });

  test('by being slow', async () => {
    receiver.behave({ kind: 'slow', ms: 50 });
    const exporter = tracesTo();
    const sent = send(exporter);
    await receiver.until(({ requests }) => requests.length === 1);
    expect(receiver.spans).toEqual([]);
    expect((await sent).code).toBe(ExportResultCode.SUCCESS);
    expect(receiver.spans).toHaveLength(2);
    await exporter.shutdown();
  });

  test('by resetting the connection', async () => {
    receiver.behave({ kind: 'reset' });
    const exporter = tracesTo({ timeoutMillis: 500 });
    expect((await send(exporter)).code).toBe(ExportResultCode.FAILED);
    expect(receiver.requests.length).toBeGreaterThan(0);
    expect(receiver.spans).toEqual([]);
    await exporter.shutdown();
  });

  test('by taking only a part, which the exporter does not call a failure', async () => {
    receiver.behave({ kind: 'partial', rejected: 1, message: 'too old' });
    const exporter = tracesTo();
    expect((await send(exporter)).code).toBe(ExportResultCode.SUCCESS);
    expect(receiver.spans.map(({ name }) => name)).toEqual(['GET /apis']);
    await exporter.shutdown();
  });
});

describe('what is not the protocol is refused and kept as a fault', () => {
  const post = (path: string, type: string, body: string) =>
    fetch(`${receiver.url}${path}`, { method: 'POST', headers: { 'content-type': type }, body });

  test('another path, another type of content, other bytes', async () => {
    const answers = [
      await post('/v1/trace', 'application/x-protobuf', ''),
      await post('/v1/traces', 'application/json', '{}'),
      await post('/v1/traces', 'application/x-protobuf', 'no such message'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 415, 400]);
    expect(receiver.faults).toHaveLength(3);
    expect(receiver.requests).toEqual([]);
  });

  test('whoever waits in vain is told what came', async () => {
    const exporter = tracesTo();
    await send(exporter);
    await exporter.shutdown();
    await expect(receiver.until(({ logs }) => logs.length > 0, 1)).rejects.toThrow(
      /requests: 1 of traces.*spans: GET \/apis \(1\), fabric\.run \(1\)/,
    );
  });
});
