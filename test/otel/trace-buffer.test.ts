import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openTraces } from '../../otel/start.ts';
import { TraceBuffer, type TraceBufferBounds } from '../../otel/trace-buffer.ts';

function kept(bounds: TraceBufferBounds) {
  const buffer = new TraceBuffer(bounds);
  const provider = new TracerProvider({ spanProcessors: [buffer] });
  const tracer = provider.getTracer('test');
  /** A run of a fabric with so many spans, its root among them. @returns the id of its trace */
  const run = (fabricId: string, spans: number, id = '1'): string => {
    const root = tracer.startSpan('fabric.run', {}, ROOT_CONTEXT);
    const below = trace.setSpan(ROOT_CONTEXT, root);
    for (let n = 1; n < spans; n++) tracer.startSpan(`span ${n}`, {}, below).end();
    root.setAttributes({ 'fabric.id': fabricId, 'fabric.run.id': id, 'fabric.run.outcome': 'complete' }).end();
    return root.spanContext().traceId;
  };
  return { buffer, tracer, run };
}

const wide = { tracesPerFabric: 20, spansPerTrace: 100, spansInAll: 1_000 };

describe('the buffer of the last traces', () => {
  test('tells the runs of a fabric, the newest first, and the spans of each in order of their start', () => {
    const { buffer, run } = kept(wide);
    const first = run('7', 3, '1');
    const second = run('7', 2, '2');
    run('8', 1);
    expect(buffer.recent('7')).toEqual([
      {
        trace_id: second,
        run: '2',
        outcome: 'complete',
        start_ms: expect.any(Number),
        duration_ms: expect.any(Number),
        spans: 2,
      },
      {
        trace_id: first,
        run: '1',
        outcome: 'complete',
        start_ms: expect.any(Number),
        duration_ms: expect.any(Number),
        spans: 3,
      },
    ]);
    const spans = buffer.trace(first) ?? [];
    expect(spans.map(({ name }) => name)).toEqual(['fabric.run', 'span 1', 'span 2']);
    expect(spans[1]?.parent_span_id).toBe(spans[0]?.span_id);
    expect(buffer.trace('0'.repeat(32))).toBeNull();
    expect(buffer.recent('9')).toEqual([]);
  });

  test('keeps so many of one fabric and no more, the oldest goes', () => {
    const { buffer, run } = kept({ ...wide, tracesPerFabric: 2 });
    const traces = [run('7', 1), run('7', 1), run('7', 1)];
    expect(buffer.recent('7').map(({ trace_id }) => trace_id)).toEqual([traces[2], traces[1]]);
    expect(buffer.trace(traces[0] ?? '')).toBeNull();
    expect(buffer.size).toBe(2);
  });

  test('keeps so many spans of one trace, its root always, and says how many there were', () => {
    const { buffer, run } = kept({ ...wide, spansPerTrace: 10 });
    const traceId = run('7', 50);
    expect(buffer.trace(traceId)).toHaveLength(11);
    expect(buffer.trace(traceId)?.[0]?.name).toBe('fabric.run');
    expect(buffer.recent('7')[0]?.spans).toBe(50);
  });

  test('keeps so many spans in all, whatever becomes of their roots', () => {
    const { buffer, run, tracer } = kept({ ...wide, spansInAll: 30 });
    for (let fabric = 0; fabric < 100; fabric++) run(String(fabric), 10);
    expect(buffer.size).toBeLessThanOrEqual(30);
    const lost = trace.setSpan(ROOT_CONTEXT, tracer.startSpan('never ended', {}, ROOT_CONTEXT));
    for (let n = 0; n < 1_000; n++) tracer.startSpan(`span ${n}`, {}, lost).end();
    expect(buffer.size).toBeLessThanOrEqual(100);
  });
});

describe('nothing is traced', () => {
  const options = {
    resource: resourceFromAttributes({}),
    version: '0',
    nowMs: () => 0,
    warn: (line: string) => expect.unreachable(line),
  };

  test.each<[string, Readonly<Record<string, string>>, boolean]>([
    ['where nobody asked', {}, false],
    [
      'where the exporter is none',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_TRACES_EXPORTER: 'none' },
      false,
    ],
    ['where all of it is disabled, the inspector or not', { OTEL_SDK_DISABLED: 'true' }, true],
  ])('%s', async (_, env, keep) => {
    expect(await openTraces({ ...options, env, keep })).toBeNull();
    expect(trace.getTracer('any').startSpan('any').isRecording()).toBe(false);
  });

  test.each([
    ['a protocol that is set and empty is not set', { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: '' }, []],
    [
      'one that is not spoken is told, and costs the traces alone',
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      ['traces are not exported: the protocol "grpc" is not spoken, only http/protobuf'],
    ],
  ])('%s', async (_, given, told) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', ...given };
    const lines: string[] = [];
    const traces = await openTraces({ ...options, env, keep: false, warn: (line) => lines.push(line) });
    onTestFinished(() => traces?.stop());
    expect(lines).toEqual(told);
    expect(traces?.counts() === null).toBe(told.length > 0);
  });

  test('but where the inspector is on they are kept, and not exported', async () => {
    const traces = await openTraces({ ...options, env: {}, keep: true });
    onTestFinished(() => traces?.stop());
    expect(traces?.counts()).toBeNull();
    trace.getTracer('any').startSpan('any').end();
    expect(traces?.buffer?.size).toBe(1);
  });
});
