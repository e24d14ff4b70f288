// A server behind TLS, with a certificate that may be for somebody else: to see what a client entrusts to it.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { createCa, issueServerCertificate, validFrom } from '../../src/demo/fabrics/certificates.ts';

const caName = 'tls-server';
const ca = createCa(caName, Date.now());
/** Whom a client must trust to believe any of them. */
export const tlsServerCaPem = ca.certPem;

export interface TlsServer {
  readonly port: number;
  /** What the next client entrusted to it, the password among it; null where that went away before. */
  told(): Promise<string | null>;
  close(): Promise<void>;
}

export interface TlsServerOptions {
  /** Whom its certificate is for. */
  readonly names: readonly string[];
  /** `postgres` is asked whether there is TLS, wants a password and refuses it; `redis` is TLS from the first byte. */
  readonly talk: 'postgres' | 'redis';
  readonly host?: string;
  readonly port?: number;
}

/** AuthenticationCleartextPassword. */
const wantsPassword = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
/** ErrorResponse: nobody is let in here. */
const refusal = Buffer.from('SFATAL\0C28P01\0Mno\0\0');
const refusesIt = Buffer.concat([Buffer.from([0x45, 0, 0, 0, refusal.length + 4]), refusal]);

export async function startTlsServer({ names, talk, host, port }: TlsServerOptions): Promise<TlsServer> {
  const { certPem, keyPem } = issueServerCertificate(ca, { caName, names, validity: validFrom(Date.now(), 1) });
  const sockets = new Set<Socket>();
  const heard: Promise<string | null>[] = [];
  let another = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    heard.push(serve(socket));
    another.resolve();
    another = Promise.withResolvers();
  });
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  const serve = async (socket: Socket): Promise<string | null> => {
    keep(socket);
    if (talk === 'postgres') {
      if ((await next(socket)) === null) return null;
      socket.write('S');
    }
    const secured = new TLSSocket(socket, { isServer: true, cert: certPem, key: keyPem });
    keep(secured);
    let said = await next(secured);
    if (talk === 'postgres' && said !== null) {
      secured.write(wantsPassword);
      said = await next(secured);
      secured.end(refusesIt);
    }
    return said;
  };
  server.listen(port ?? 0, host ?? '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async told() {
      while (heard.length === 0) await another.promise;
      return (await heard.shift()) ?? null;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The next bytes; null where the connection ends before. */
function next(socket: Socket): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1')));
  socket.once('close', () => resolve(null));
  return promise;
}
