import { expect, onTestFinished, test, vi } from 'vitest';
import { openTelemetry } from '../../src/cli/telemetry.ts';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import type { RootLog } from '../../src/log.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

test('what is open when another part can not be opened is ended, with what it holds delivered', async () => {
  const receiver = new OtlpReceiver();
  await receiver.start();
  onTestFinished(() => receiver.stop());
  // Its exporters read the process's own.
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.url);
  onTestFinished(() => void vi.unstubAllEnvs());
  const broken = new Error('nobody may hear this log');
  const say = () => {};
  const log: RootLog = {
    ...{ debug: say, info: say, warn: say, error: say, level: 'info', child: () => log, flush: async () => {} },
    alsoTo() {
      throw broken;
    },
  };
  const config = readConfig({ DATABASE_URL: 'postgres://nowhere/none' });
  const world = { env: { ...process.env }, clock: systemClock };
  await expect(openTelemetry(world, { config, log, version: '0' })).rejects.toBe(broken);
  expect(receiver.requests.map(({ signal }) => signal)).toContain('metrics');
});
