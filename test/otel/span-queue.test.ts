// The way of a span to a collector that works, hangs, refuses, or is not there; and what is lost on it.

import { ROOT_CONTEXT, type Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SpanQueue, type SpanQueueOptions } from '../../otel/span-queue.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

async function queueTo(given: Partial<SpanQueueOptions> & { readonly url?: string } = {}) {
  const receiver = await new OtlpReceiver().start();
  onTestFinished(() => receiver.stop());
  const troubles: (string | null)[] = [];
  const { url = `${receiver.url}/v1/traces`, ...options } = given;
  const queue = new SpanQueue({
    exporter: new OTLPTraceExporter({ url, timeoutMillis: 2_000 }),
    queueMax: 100,
    batchMax: 10,
    delayMs: 10,
    exportMs: 3_000,
    shutdownMs: 200,
    onTrouble: (trouble) => troubles.push(trouble),
    ...options,
  });
  const provider = new TracerProvider({ spanProcessors: [queue] });
  onTestFinished(() => provider.shutdown());
  return { receiver, queue, troubles, provider, tracer: provider.getTracer('test') };
}

const tell = (tracer: Tracer, count: number) => {
  for (let n = 0; n < count; n++) tracer.startSpan(`span ${n}`, {}, ROOT_CONTEXT).end();
};

describe('spans on their way', () => {
  test('are all delivered, in order, however many come at once', async () => {
    const { receiver, queue, tracer, provider } = await queueTo({ queueMax: 5_000, batchMax: 512 });
    tell(tracer, 5_000);
    await provider.forceFlush();
    expect(receiver.spans.map(({ name }) => name)).toEqual(Array.from({ length: 5_000 }, (_, n) => `span ${n}`));
    expect(queue.counts).toEqual({ exported: 5_000, failed: 0, dropped: 0, queued: 0 });
  });

  test('go by themselves when the first of them has waited long enough', async () => {
    const { receiver, tracer } = await queueTo();
    tell(tracer, 3);
    await receiver.until(({ spans }) => spans.length === 3);
  });

  test('to a collector that hangs fill the queue and no more; what found it full is counted', async () => {
    const { receiver, queue, tracer, troubles } = await queueTo();
    receiver.behave({ kind: 'hang' });
    tell(tracer, 10);
    await receiver.until(({ hanging }) => hanging === 1);
    tell(tracer, 1_000);
    expect(queue.counts).toEqual({ exported: 0, failed: 0, dropped: 900, queued: 100 });
    expect(troubles).toEqual([expect.stringContaining('dropped')]);
    receiver.behave({ kind: 'accept' });
    receiver.letGo();
    await queue.forceFlush();
    expect(queue.counts).toEqual({ exported: 110, failed: 0, dropped: 900, queued: 0 });
    expect(troubles).toEqual([expect.stringContaining('dropped'), null]);
  });

  test('to one that refuses are lost, and counted', async () => {
    const { receiver, queue, tracer, troubles } = await queueTo();
    receiver.behave({ kind: 'refuse', status: 400, retryAfterSeconds: null });
    tell(tracer, 25);
    await queue.forceFlush();
    expect(queue.counts).toEqual({ exported: 0, failed: 25, dropped: 0, queued: 0 });
    expect(troubles).toHaveLength(1);
  });

  test('to one that does not answer in time are given up, and the next ones tried', async () => {
    const { receiver, queue, tracer } = await queueTo({ exportMs: 50 });
    receiver.behave({ kind: 'hang' });
    tell(tracer, 10);
    await receiver.until(({ hanging }) => hanging === 1);
    receiver.behave({ kind: 'accept' });
    tell(tracer, 10);
    await queue.forceFlush();
    expect(queue.counts).toMatchObject({ failed: 10, exported: 10 });
  });
});

describe('a shutdown', () => {
  test('delivers more than thirty batches', async () => {
    const { receiver, tracer, provider, queue } = await queueTo({ queueMax: 1_000, shutdownMs: 10_000 });
    tell(tracer, 500);
    await provider.shutdown();
    expect(receiver.spans).toHaveLength(500);
    expect(queue.counts).toEqual({ exported: 500, failed: 0, dropped: 0, queued: 0 });
  });

  test('ends within its deadline though the collector hangs, and counts what was not delivered', async () => {
    const { receiver, tracer, provider, queue } = await queueTo({ exportMs: 60_000 });
    receiver.behave({ kind: 'hang' });
    tell(tracer, 50);
    await provider.shutdown();
    expect(queue.counts).toEqual({ exported: 0, failed: 10, dropped: 40, queued: 0 });
    // What ends later is not kept for anybody.
    tell(tracer, 1);
    expect(queue.counts).toMatchObject({ queued: 0 });
  });

  test('ends where nobody listens', async () => {
    const { tracer, provider, queue } = await queueTo({ url: 'http://127.0.0.1:9/v1/traces' });
    tell(tracer, 50);
    await provider.shutdown();
    const { exported, failed, dropped, queued } = queue.counts;
    expect({ exported, queued, lost: failed + dropped }).toEqual({ exported: 0, queued: 0, lost: 50 });
  });
});
