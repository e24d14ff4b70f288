// A way to a server that can stop passing anything on without closing: the network that swallows, the host that hangs.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface FrozenProxy {
  readonly port: number;
  freeze(): void;
  thaw(): void;
  /** Takes no new connection; those that are open stay. */
  refuse(): void;
  close(): Promise<void>;
}

/**
 * @param target a Unix socket's path, or a port on loopback
 * @param port to listen on; any free one where not given
 */
export async function startFrozenProxy(target: { path: string } | { port: number }, port = 0): Promise<FrozenProxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', ...target });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => to.write(chunk));
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      if (frozen) from.pause();
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    refuse() {
      server.close();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
