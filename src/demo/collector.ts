// Where the demo's daemon tells its traces, metrics and log: a collector that speaks OTLP over HTTP, or Jaeger.
//
//   CO1. Asked once, before the daemon starts: a message without contents, which a collector takes and forgets. So a wrong
//        port is told at once, and what is not wanted there (Jaeger takes traces only) is not sent.
//   CO2. One that does not answer now may answer later: that is remarked, and stops nothing.

import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { resourceAttributes } from '../../otel/resource.ts';

export const signals = ['traces', 'metrics', 'logs'] as const;
export type Signal = (typeof signals)[number];

export interface Collector {
  /** As in OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  readonly takes: readonly Signal[];
  /** One line: what whoever looks for the traces must know. */
  readonly remark: string;
}

const answerMsMax = 3_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** @param env says the headers and the CA that the exporters will use */
export async function askCollector(endpoint: string, env: Environment, signal: AbortSignal): Promise<Collector> {
  const headers = resourceAttributes(env.OTEL_EXPORTER_OTLP_HEADERS ?? '');
  const caFile = env.OTEL_EXPORTER_OTLP_CERTIFICATE;
  const ca = caFile ? await readFile(caFile).catch(() => null) : null;
  const answers = await Promise.all(signals.map((one) => post(`${endpoint}/v1/${one}`, { headers, ca, signal })));
  const [traces] = answers;
  if (typeof traces === 'string') {
    return {
      endpoint,
      takes: signals,
      remark: `${endpoint} does not answer (${traces}): what is told before it does is lost`,
    };
  }
  const takes = signals.filter((_, index) => !notThere.includes(answers[index] ?? 0));
  if (!takes.includes('traces')) {
    const hint = new URL(endpoint).port === '4317' ? ': 4317 is the port of gRPC, that of HTTP is 4318' : '';
    return { endpoint, takes: signals, remark: `${endpoint} takes no traces (status ${traces})${hint}` };
  }
  const missing = signals.filter((one) => !takes.includes(one)).map((one) => `no ${one}`);
  if (traces !== undefined && traces >= 400) {
    return { endpoint, takes, remark: `${endpoint} refuses traces now (status ${traces})` };
  }
  const told = takes.join(', ');
  return {
    endpoint,
    takes,
    remark: `${endpoint} takes ${told}${missing.length > 0 ? ` (${missing.join(', ')})` : ''}`,
  };
}

/** One line for a person, on the supposition that the collector's host runs Jaeger's page at its usual port. */
export function whereToLook({ endpoint }: Collector, env: Environment): string {
  const { hostname } = new URL(endpoint);
  const service = encodeURIComponent(env.OTEL_SERVICE_NAME?.trim() || 'fabric-syncd');
  return `traces, if that is Jaeger: http://${hostname}:16686/search?service=${service}`;
}

/** How soon the demo's daemon tells: whoever tries it out does not wait a minute for the first metrics. */
const soon = { OTEL_BSP_SCHEDULE_DELAY: '1000', OTEL_METRIC_EXPORT_INTERVAL: '5000' };

/** What says otherwise than `--otlp`. */
const overruled = /^OTEL_(SDK_DISABLED|EXPORTER_OTLP_(TRACES_|METRICS_|LOGS_)?(ENDPOINT|PROTOCOL))$/;

export interface Telemetry {
  /** For the daemon: with what the environment says besides, headers for instance. */
  readonly daemon: Readonly<Record<string, string>>;
  /** For commands in another terminal: without secrets. */
  readonly commands: Readonly<Record<string, string>>;
}

/** Settings by which the daemon tells all that to the collector; without one, those of the environment. */
export function telemetryOf(env: Environment, collector: Collector | null): Telemetry {
  const given = Object.entries(env).flatMap(([name, value]) =>
    name.startsWith('OTEL_') && value !== undefined && !(collector && overruled.test(name)) ? [[name, value]] : [],
  );
  if (!collector) return { daemon: Object.fromEntries(given), commands: {} };
  const { endpoint, takes } = collector;
  const unwanted = signals.filter((one) => !takes.includes(one));
  const commands = {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    ...Object.fromEntries(unwanted.map((one) => [`OTEL_${one.toUpperCase()}_EXPORTER`, 'none'])),
  };
  return { daemon: { ...soon, ...Object.fromEntries(given), ...commands }, commands };
}

/** Of a path that is not served. */
const notThere: readonly (number | string)[] = [404, 405, 501];

interface Asking {
  readonly headers: Readonly<Record<string, string>>;
  readonly ca: Buffer | null;
  readonly signal: AbortSignal;
}

/** @returns the status, or why there is none. Rejects only where the signal aborts. */
async function post(url: string, { headers, ca, signal }: Asking): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>();
  const asked = (url.startsWith('https:') ? requestTls : request)(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/x-protobuf', 'content-length': '0' },
    signal: AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]),
    ...(ca && { ca }),
  });
  asked.on('response', (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  });
  asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
  asked.end();
  const answer = await promise;
  signal.throwIfAborted();
  return answer;
}
