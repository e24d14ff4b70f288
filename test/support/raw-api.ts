// A TLS server that answers with exact bytes: for what no real API server would say.

import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import {
  createCa,
  issueServerCertificate,
  type KeyedCertificate,
  validFrom,
} from '../../src/demo/fabrics/certificates.ts';

export interface RawRequest {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 fingerprint of the client's certificate. */
  readonly client: string | null;
}

export interface RawApi {
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  readonly requests: readonly RawRequest[];
  /** Connections that reached the end of their handshake. */
  readonly connections: number;
  stop(): Promise<void>;
}

/** Called for each request with the socket to answer on. */
export type RawAnswer = (request: RawRequest, socket: TLSSocket) => void;

export const rawCaName = 'raw-ca';

export async function startRawApi(
  answer: RawAnswer,
  options: { readonly names?: readonly string[]; readonly certificate?: KeyedCertificate } = {},
): Promise<RawApi> {
  const nowMs = Date.now();
  const ca = createCa(rawCaName, nowMs);
  const certificate =
    options.certificate ??
    issueServerCertificate(ca, {
      caName: rawCaName,
      names: options.names ?? ['localhost', '127.0.0.1'],
      validity: validFrom(nowMs, 1),
    });
  const requests: RawRequest[] = [];
  const sockets = new Set<TLSSocket>();
  let connections = 0;
  const server: Server = createServer(
    { cert: certificate.certPem, key: certificate.keyPem, requestCert: true, rejectUnauthorized: false },
    (socket) => {
      connections += 1;
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => {});
      const client = socket.getPeerX509Certificate()?.fingerprint256 ?? null;
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
          const request = readRequest(text.slice(0, end), client);
          text = text.slice(end + 4);
          requests.push(request);
          answer(request, socket);
        }
      });
    },
  );
  server.on('tlsClientError', () => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    caPem: ca.certPem,
    requests,
    get connections() {
      return connections;
    },
    async stop() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of sockets) socket.destroy();
      await closed.promise;
    },
  };
}

/** A whole answer with its length. */
export function raw(status: number, body: string, headers: Readonly<Record<string, string>> = {}): string {
  const all = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Said\r\n${lines.join('')}\r\n${body}`;
}

function readRequest(head: string, client: string | null): RawRequest {
  const [first = '', ...lines] = head.split('\r\n');
  const [method = '', url = ''] = first.split(' ');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { method, url, headers, client };
}
