import { expect, onTestFinished, test, vi } from 'vitest';
import { openTelemetry } from '../../src/cli/telemetry.ts';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import type { RootLog } from '../../src/log.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

const silent = (): RootLog => {
  const say = () => {};
  const log: RootLog = {
    ...{ debug: say, info: say, warn: say, error: say, level: 'info', child: () => log, flush: async () => {} },
    alsoTo: say,
  };
  return log;
};

const config = readConfig({ DATABASE_URL: 'postgres://nowhere/none' });

async function collector(more: Readonly<Record<string, string>> = {}): Promise<OtlpReceiver> {
  const receiver = new OtlpReceiver();
  await receiver.start();
  onTestFinished(() => receiver.stop());
  // Its exporters read the process's own.
  for (const [name, value] of Object.entries({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...more })) {
    vi.stubEnv(name, value);
  }
  onTestFinished(() => void vi.unstubAllEnvs());
  return receiver;
}

test('what goes out says who tells, as the settings have it', async () => {
  const receiver = await collector({
    OTEL_SERVICE_NAME: 'lab sync',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=another,deployment.environment.name=lab',
  });
  const world = { env: { ...process.env }, clock: systemClock };
  const telemetry = await openTelemetry(world, { config, log: silent(), version: '1.2.3' });
  const none = { interrupted: 0, resumed: 0, cancelled: 0 };
  telemetry.traces?.tracing.swept({ why: 'reload', startedMs: systemClock.nowMs(), rearmed: 1, ...none });
  await telemetry.stop();
  expect(receiver.spans.map(({ resource }) => resource)).toMatchObject([
    {
      'service.name': 'lab sync',
      'service.version': '1.2.3',
      'service.instance.id': expect.any(String),
      'deployment.environment.name': 'lab',
    },
  ]);
});

test('what is open when another part cannot be opened is ended, with what it holds delivered', async () => {
  const receiver = await collector();
  const broken = new Error('nobody may hear this log');
  const log: RootLog = {
    ...silent(),
    alsoTo() {
      throw broken;
    },
  };
  const world = { env: { ...process.env }, clock: systemClock };
  await expect(openTelemetry(world, { config, log, version: '0' })).rejects.toBe(broken);
  expect(receiver.requests.map(({ signal }) => signal)).toContain('metrics');
});
