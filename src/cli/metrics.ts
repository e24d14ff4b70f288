import { askForText } from '../admin/client.ts';
import { CliFailure } from './cli-failure.ts';
import { configured } from './configured.ts';
import { verb } from './verb.ts';

export const metricsVerb = verb({
  path: ['metrics'],
  summary: 'what the daemon on this host has measured, as Prometheus reads it',
  details:
    'The same text as GET /metrics on the admin socket, and on FABRIC_SYNCD_METRICS_LISTEN where that is set. The README ' +
    'lists every metric; otel/ has a dashboard for Grafana and alert rules.',
  examples: ['fabric-syncd metrics', 'fabric-syncd metrics | grep late'],
  async run({ world, out, signal }) {
    const { adminSocket } = configured(world);
    const text = await askForText(adminSocket, '/v1/metrics', signal);
    if (text === null) {
      throw new CliFailure('failed', 'NO_DAEMON', `no daemon tells its metrics on ${adminSocket}`, {
        hint: 'Is it running, on this host, and may you open its socket? With OTEL_SDK_DISABLED nothing is measured.',
      });
    }
    out.document({ metrics: text });
    out.text(text);
    return 'done';
  },
});
