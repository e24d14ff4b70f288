// A collector in the test's own process: OTLP over HTTP, protobuf, gzip or not; and all the ways in which one fails.
//
//   OR1. What was accepted is kept, as it came; what was refused, reset or never answered is counted as a request alone.
//   OR2. Whatever is not the protocol (path, type of content, bytes) is refused as a collector does, and kept in `faults`:
//        a test asks that there are none.

import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { decodeLogs, decodeMetrics, decodeTraces, encodePartialSuccess } from './otlp/decode.ts';
import type { ReceivedLog, ReceivedMetric, ReceivedSpan } from './otlp/received.ts';

export type Behaviour =
  | { readonly kind: 'accept' }
  /** Reads the request and says nothing, until `letGo`. */
  | { readonly kind: 'hang' }
  /** @param retryAfterSeconds the header; null for none */
  | { readonly kind: 'refuse'; readonly status: number; readonly retryAfterSeconds: number | null }
  /** Accepts, after so many milliseconds. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The connection is reset when the request is in. */
  | { readonly kind: 'reset' }
  /** Takes all but the last `rejected` of each request, and says so. */
  | { readonly kind: 'partial'; readonly rejected: number; readonly message: string };

export type SignalName = 'traces' | 'metrics' | 'logs';

/** One request that could be read. */
export interface OtlpRequest {
  readonly signal: SignalName;
  /** Spans, metrics or log records in it. */
  readonly items: number;
  /** As received, before it was unpacked. */
  readonly bytes: number;
  readonly gzip: boolean;
  readonly headers: IncomingMessage['headers'];
  readonly answered: Behaviour['kind'];
}

const decoders = { traces: decodeTraces, metrics: decodeMetrics, logs: decodeLogs } as const;
const unpack = promisify(gunzip);

export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** Each export of each metric, the newest last. */
  readonly metrics: ReceivedMetric[] = [];
  readonly logs: ReceivedLog[] = [];
  readonly requests: OtlpRequest[] = [];
  readonly faults: string[] = [];
  readonly #server: Server;
  readonly #came = new EventEmitter();
  readonly #hanging = new Set<() => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #behaviour: Behaviour = { kind: 'accept' };

  constructor() {
    this.#came.setMaxListeners(0);
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((thrown: unknown) => {
        // The sender is gone, or was sent away by `stop`.
        if (!request.complete) return;
        this.faults.push(String(thrown));
        if (!response.headersSent) response.writeHead(500).end();
      });
    });
  }

  /** `http://127.0.0.1:PORT`, as for OTEL_EXPORTER_OTLP_ENDPOINT. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How the requests from now on are answered. */
  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
  }

  /** Answers what hangs, as it behaves now. */
  letGo(): void {
    // A copy: one that is to hang on comes back.
    for (const release of [...this.#hanging]) release();
  }

  /** Requests that wait for `letGo`. */
  get hanging(): number {
    return this.#hanging.size;
  }

  /**
   * Resolves with what `found` makes of it as soon as that is neither undefined, null nor false; asked at each request.
   * Rejects at the deadline, with what came instead.
   */
  async until<Found>(found: (receiver: this) => Found | undefined | null | false, deadlineMs = 30_000): Promise<Found> {
    const { promise, resolve, reject } = Promise.withResolvers<Found>();
    const look = () => {
      try {
        const one = found(this);
        if (one !== undefined && one !== null && one !== false) resolve(one);
      } catch (thrown) {
        reject(thrown);
      }
    };
    const timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms; ${this.#seen()}`)), deadlineMs);
    this.#came.on('request', look);
    try {
      look();
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#came.off('request', look);
    }
  }

  /** @param port one that was used before; 0 for any */
  async start(port = 0): Promise<this> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(port, '127.0.0.1', resolve);
    await promise;
    return this;
  }

  /** Safe to repeat. What it received stays. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#hanging.clear();
    if (!this.#server.listening) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const signal = /^\/v1\/(traces|metrics|logs)$/.exec(request.url ?? '')?.[1] as SignalName | undefined;
    const packed = await buffer(request);
    if (signal === undefined || request.method !== 'POST') {
      return this.#wrong(response, signal === undefined ? 404 : 405, `${request.method} ${request.url}`);
    }
    const type = request.headers['content-type'];
    if (type !== 'application/x-protobuf') return this.#wrong(response, 415, `${request.url}: content-type ${type}`);
    const gzip = request.headers['content-encoding'] === 'gzip';
    let items: readonly unknown[];
    try {
      items = decoders[signal](gzip ? await unpack(packed) : packed);
    } catch (thrown) {
      return this.#wrong(response, 400, `${request.url}: ${String(thrown)}`);
    }
    const behaviour = this.#behaviour;
    const note = { signal, items: items.length, bytes: packed.length, gzip, headers: request.headers };
    this.requests.push({ ...note, answered: behaviour.kind });
    this.#answer(behaviour, signal, items, response);
    this.#came.emit('request');
  }

  #answer(behaviour: Behaviour, signal: SignalName, items: readonly unknown[], response: ServerResponse): void {
    switch (behaviour.kind) {
      case 'accept':
        this.#accept(signal, items, response, new Uint8Array());
        return;
      case 'partial': {
        const { rejected, message } = behaviour;
        const taken = items.slice(0, Math.max(0, items.length - rejected));
        this.#accept(signal, taken, response, encodePartialSuccess(items.length - taken.length, message));
        return;
      }
      case 'slow': {
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          this.#accept(signal, items, response, new Uint8Array());
          this.#came.emit('request');
        }, behaviour.ms);
        this.#timers.add(timer);
        // Whoever asked has given up.
        response.once('close', () => clearTimeout(timer));
        return;
      }
      case 'hang': {
        const release = () => {
          forget();
          this.#answer(this.#behaviour, signal, items, response);
          this.#came.emit('request');
        };
        const forget = () => this.#hanging.delete(release);
        this.#hanging.add(release);
        response.once('close', forget);
        return;
      }
      case 'refuse': {
        const { status, retryAfterSeconds } = behaviour;
        response
          .writeHead(status, retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) })
          .end();
        return;
      }
      case 'reset':
        response.socket?.resetAndDestroy();
    }
  }

  #accept(signal: SignalName, items: readonly unknown[], response: ServerResponse, answer: Uint8Array): void {
    // Each in the list of its kind: its own decoder made it.
    const kept = { traces: this.spans, metrics: this.metrics, logs: this.logs }[signal] as unknown[];
    for (const item of items) kept.push(item);
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end(answer);
  }

  #wrong(response: ServerResponse, status: number, fault: string): void {
    this.faults.push(fault);
    response.writeHead(status).end();
    this.#came.emit('request');
  }

  #seen(): string {
    const names = Map.groupBy(this.spans, ({ name }) => name);
    const spans = [...names].map(([name, those]) => `${name} (${those.length})`).join(', ');
    const of = (signal: SignalName) => this.requests.filter((one) => one.signal === signal).length;
    return [
      `requests: ${of('traces')} of traces, ${of('metrics')} of metrics, ${of('logs')} of logs, ${this.faults.length} faulty`,
      `spans: ${spans || 'none'}`,
      `metrics: ${[...new Set(this.metrics.map(({ name }) => name))].join(', ') || 'none'}`,
      `logs: ${this.logs.length}`,
    ].join('; ');
  }
}
