// The metrics on a TCP address, where one is set, for a Prometheus on another host. Whoever reaches the address reads
// how many fabrics there are, their names and how they are; there is nothing else to be had, and nothing to be changed.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '../config.ts';
import type { Log } from '../log.ts';
import { NotListening } from '../not-listening.ts';
import type { Service } from '../service.ts';
import { answerScrape, metricsPaths, refuse, type ScrapeDeps } from './scrape-answer.ts';

/** A few Prometheus servers and a person. */
const connectionsMax = 16;
const limits = { requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 8 * 1024 };

export class MetricsListener implements Service {
  readonly name = 'metrics listener';
  readonly #deps: ScrapeDeps & { readonly address: ListenAddress; readonly log: Log };
  #server: Server | null = null;

  constructor(deps: ScrapeDeps & { readonly address: ListenAddress; readonly log: Log }) {
    this.#deps = deps;
  }

  /** @throws NotListening */
  async start(): Promise<void> {
    const { address, log } = this.#deps;
    const server = createServer(limits, (request, response) => {
      // Nothing that was asked for has a body, and one that is sent all the same is not kept.
      request.resume();
      const path = URL.parse(request.url ?? '', 'http://metrics')?.pathname ?? '';
      if (!metricsPaths.includes(path)) refuse(response, 404, 'the metrics are at /metrics');
      else answerScrape(this.#deps, request, response).catch(() => response.destroy());
    });
    server.maxConnections = connectionsMax;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    // Without a host Node takes every address, of IPv6 where the machine has that.
    server.listen({ port: address.port, ...(address.host !== '' && { host: address.host }) }, resolve);
    try {
      await promise;
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? 'it failed';
      throw new NotListening(
        `FABRIC_SYNCD_METRICS_LISTEN: cannot listen on ${address.host}:${address.port} (${code}): choose another address`,
        { cause },
      );
    }
    // A client that could not be taken in is the client's trouble.
    server.on('error', () => {});
    this.#server = server;
    const { address: host, port, family } = server.address() as AddressInfo;
    const url = `http://${family === 'IPv6' ? `[${host}]` : host}:${port}/metrics`;
    log.info({ url }, `metrics for Prometheus: ${url}`);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    server.closeAllConnections();
    await promise;
  }
}
