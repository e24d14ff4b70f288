// A real Jaeger, where JAEGER_BIN names the `all-in-one` of a Jaeger 1.x: started on free ports of the loopback with its
// traces in memory, and asked by the API that its page uses.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import { eventually } from './process/daemon.ts';
import type { SeenSpan } from './told-transitions.ts';

/** Null where none is given. */
export const jaegerBinary: string | null = process.env.JAEGER_BIN || null;

interface ApiSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[];
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
}

interface ApiTrace {
  readonly traceID: string;
  readonly spans: readonly ApiSpan[];
}

/** The flags that say where an all-in-one listens. */
const listeners = [
  'collector.otlp.http.host-port',
  'collector.otlp.grpc.host-port',
  'collector.http-server.host-port',
  'collector.grpc-server.host-port',
  'query.http-server.host-port',
  'query.grpc-server.host-port',
  'admin.http.host-port',
  'http-server.host-port',
  'processor.jaeger-binary.server-host-port',
  'processor.jaeger-compact.server-host-port',
  'processor.zipkin-compact.server-host-port',
] as const;

export class Jaeger {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly otlpUrl: string;
  readonly #queryUrl: string;
  readonly #child: ChildProcess;
  #said = '';

  constructor(binary: string, ports: ReadonlyMap<string, number>) {
    this.otlpUrl = `http://127.0.0.1:${ports.get('collector.otlp.http.host-port')}`;
    this.#queryUrl = `http://127.0.0.1:${ports.get('query.http-server.host-port')}`;
    const addresses = [...ports].map(([flag, port]) => `--${flag}=127.0.0.1:${port}`);
    this.#child = spawn(binary, ['--log-level=warn', ...addresses], {
      env: { SPAN_STORAGE_TYPE: 'memory', PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.#said = `${this.#said}${data}`.slice(-4_000);
      });
    }
  }

  static async start(binary: string): Promise<Jaeger> {
    // Which ports there are differs from version to version; each would be a fixed one, and not on the loopback alone.
    const { stdout } = await promisify(execFile)(binary, ['--help']);
    const flags = listeners.filter((flag) => stdout.includes(`--${flag} `));
    const ports = await freePorts(flags.length);
    const jaeger = new Jaeger(binary, new Map(flags.map((flag, index) => [flag, ports[index] ?? 0])));
    try {
      await jaeger.#ready();
    } catch (cause) {
      await jaeger.stop();
      throw cause;
    }
    return jaeger;
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }

  /** A trace by its id; empty where Jaeger has none. */
  async trace(traceId: string): Promise<readonly SeenSpan[]> {
    const [trace] = await this.#ask(`/api/traces/${traceId}`);
    return trace?.spans.map(seen) ?? [];
  }

  /** What its search finds: the fields of the page's form. */
  async search(form: { readonly operation?: string; readonly tags?: Readonly<Record<string, string>> }) {
    const query = new URLSearchParams({ service: 'fabric-syncd', limit: '1000', lookback: '1h' });
    if (form.operation) query.set('operation', form.operation);
    if (form.tags) query.set('tags', JSON.stringify(form.tags));
    const traces = await this.#ask(`/api/traces?${query}`);
    return traces.map(({ traceID, spans }) => ({ traceId: traceID, spans: spans.map(seen) }));
  }

  async #ask(path: string): Promise<readonly ApiTrace[]> {
    const response = await fetch(`${this.#queryUrl}${path}`, { signal: AbortSignal.timeout(10_000) });
    if (response.status === 404) return [];
    if (!response.ok) throw new Error(`Jaeger answers ${response.status} to ${path}: ${await response.text()}`);
    return ((await response.json()) as { data: readonly ApiTrace[] | null }).data ?? [];
  }

  async #ready(): Promise<void> {
    const died = once(this.#child, 'exit').then(() => {
      throw new Error(`Jaeger has ended: ${this.#said}`);
    });
    const answers = vi.waitFor(async () => {
      const [query, otlp] = await Promise.all([
        fetch(`${this.#queryUrl}/api/services`),
        fetch(`${this.otlpUrl}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' } }),
      ]);
      if (!query.ok || !otlp.ok) throw new Error(`Jaeger is not ready: ${query.status}, ${otlp.status}`);
    }, eventually);
    await Promise.race([answers, died]);
    died.catch(() => {});
  }
}

function seen({ traceID, spanID, operationName, references, tags }: ApiSpan): SeenSpan {
  const parent = references.find(({ refType, traceID: other }) => refType === 'CHILD_OF' && other === traceID);
  return {
    traceId: traceID,
    spanId: spanID,
    parentSpanId: parent?.spanID ?? null,
    name: operationName,
    attributes: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
    links: references
      .filter((reference) => reference !== parent)
      .map(({ traceID: traceId, spanID: spanId }) => ({ traceId, spanId })),
  };
}

/** Held together, so that they differ; free when this resolves, for as long as nobody else takes them. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
