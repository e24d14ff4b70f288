// The log of a running daemon: its level, its spans, and the way to a collector; and the metrics on that way.

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';

const openBed = bedsOfThisFile();

async function collector(): Promise<OtlpReceiver> {
  const receiver = new OtlpReceiver();
  await receiver.start();
  onTestFinished(() => receiver.stop());
  return receiver;
}

describe('the level of the log', () => {
  test('is changed by the command, until its time is over or a reload', async () => {
    const bed = await openBed();
    await bed.fabric('lab');
    const daemon = await bed.daemon({ FABRIC_SYNCD_LOG_LEVEL: 'info' }).ready();
    await daemon.says(/lab: in sync/);
    expect(daemon.log.filter(({ level }) => level === 'debug')).toEqual([]);

    const set = await bed.cli('log-level', 'debug', '--for', '1h', '--json');
    expect(set.json()).toEqual({ level: 'debug', configured: 'info', until: expect.any(String) });
    await daemon.saysNext(/^lab: locked for a sync run$/);

    const back = daemon.saysNext(/^the log level is info again: reloaded$/);
    daemon.signal('SIGHUP');
    await back;
    expect((await bed.cli('log-level')).stdout).toBe('The log level is info.\n');

    const over = daemon.saysNext(/^the log level is info again: its time is over$/);
    await bed.cli('log-level', 'debug', '--for', '50ms');
    await over;
    expect((await bed.cli('log-level', 'loud')).code).toBe(2);
    expect((await bed.cli('log-level', '--for', '1m')).code).toBe(2);
  });

  test('cannot be asked where no daemon is', async () => {
    const bed = await openBed();
    const answer = await bed.cli('log-level', '--json');
    expect([answer.code, answer.json()]).toMatchObject([1, { error: { code: 'NO_DAEMON' } }]);
    expect((await bed.cli('metrics')).stderr).toContain('no daemon tells its metrics');
  });
});

describe('a daemon with a collector', () => {
  test('sends its lines with the spans that they belong to, and its metrics', async () => {
    const receiver = await collector();
    const bed = await openBed();
    const patient = await bed.fabric('lab');
    const daemon = await bed
      .daemon({
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_BSP_SCHEDULE_DELAY: '50',
        OTEL_BLRP_SCHEDULE_DELAY: '50',
        OTEL_METRIC_EXPORT_INTERVAL: '200',
      })
      .ready();
    const run = await patient.synced();
    const printed = await daemon.says((line) => line.run === run.id && line.msg.startsWith('lab: in sync'));
    expect(printed).toMatchObject({
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    const sent = await vi.waitFor(() => {
      const found = receiver.logs.find(
        ({ attributes }) => attributes.run === run.id && attributes.outcome === 'complete',
      );
      expect(found).toBeDefined();
      expect(receiver.metrics.some(({ name }) => name === 'fabric_syncd.run.duration')).toBe(true);
      return found;
    }, eventually);
    expect(sent).toMatchObject({ traceId: printed.trace_id, spanId: printed.span_id, body: printed.msg });
    await vi.waitFor(() => {
      const ofRun = receiver.spans.filter(({ traceId }) => traceId === printed.trace_id);
      expect(ofRun.map(({ spanId }) => spanId)).toContain(printed.span_id);
      // The run itself ends last.
      expect(ofRun.map(({ name }) => name)).toContain('fabric.run');
    }, eventually);
    const duration = receiver.metrics.findLast(({ name }) => name === 'fabric_syncd.run.duration');
    expect(duration).toMatchObject({ unit: 's', temporality: 'cumulative' });
    expect(await daemon.stop()).toBe(0);
    expect(receiver.faults).toEqual([]);
    // The last words are sent as well.
    expect(receiver.logs.some(({ body }) => body === 'stopped')).toBe(true);
  });

  test.each([
    ['hangs', { kind: 'hang' }],
    ['refuses', { kind: 'refuse', status: 400, retryAfterSeconds: null }],
  ] as const)('that %s works as ever, and ends in time', async (_, behaviour) => {
    const receiver = await collector();
    receiver.behave(behaviour);
    const bed = await openBed();
    const patient = await bed.fabric('lab');
    const daemon = await bed
      .daemon({
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_BLRP_MAX_QUEUE_SIZE: '20',
        OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: '10',
        OTEL_BLRP_SCHEDULE_DELAY: '50',
      })
      .ready();
    const first = await patient.synced();
    await patient.synced(first.id);
    const lost = /^otel_sdk_processor_log_processed_total\{.*error_type="\w+".*\} [1-9]/m;
    await vi.waitFor(async () => expect((await bed.cli('metrics')).stdout).toMatch(lost), eventually);
    receiver.behave({ kind: 'accept' });
    receiver.letGo();
    if (behaviour.kind === 'refuse') {
      await daemon.says(/^logs are not delivered: /);
      await daemon.says(/^logs are delivered again$/);
      expect(daemon.log.filter(({ msg }) => msg.startsWith('logs are not delivered'))).toHaveLength(1);
    }
    expect(await daemon.stop()).toBe(0);
    await bed.check();
  });
});
