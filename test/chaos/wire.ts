// A wire between one daemon and one server, on loopback, that can be cut, slowed down and frozen.
//
//   W1. What goes through goes in order, whole, and never back; what is under way when the wire is cut is lost.
//   W2. Both ends see what a network would show them: a reset, or silence.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { systemClock } from '../../src/clock.ts';

export interface Wire {
  readonly port: number;
  /** Every connection is reset, and while it lasts every new one too. */
  cut(): void;
  /** Every connection is reset; new ones work. */
  jerk(): void;
  /** Whatever is sent arrives so much later, in both directions. */
  slow(ms: number): void;
  /** Nothing arrives any more, and nobody is told. */
  freeze(): void;
  /** As good as new; what was frozen goes on. */
  mend(): void;
  close(): Promise<void>;
}

type Target = { readonly path: string } | { readonly port: number };

/** More than this on its way in one direction, and the sender has to wait. */
const underWayMax = 256;

export async function openWire(target: Target): Promise<Wire> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let isFrozen = false;
  let delayMs = 0;
  const reset = () => {
    for (const socket of sockets) {
      // A Unix socket knows no reset.
      if (socket.remoteAddress === undefined) socket.destroy();
      else socket.resetAndDestroy();
    }
  };
  const pass = (from: Socket, to: Socket) => {
    let last: Promise<void> = Promise.resolve();
    let underWay = 0;
    from.on('data', (chunk: Buffer) => {
      if (delayMs === 0 && underWay === 0) {
        to.write(chunk);
        return;
      }
      const dueMs = systemClock.monotonicMs() + delayMs;
      underWay += 1;
      if (underWay > underWayMax) from.pause();
      last = last.then(async () => {
        await systemClock.sleep(Math.max(0, dueMs - systemClock.monotonicMs()));
        underWay -= 1;
        if (!to.destroyed) to.write(chunk);
        if (!isFrozen) from.resume();
      });
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      void last.then(() => to.destroy());
    });
  };
  const server = createServer({ noDelay: true }, (client) => {
    if (isCut) {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const upstream = connect('path' in target ? target : { host: '127.0.0.1', port: target.port, noDelay: true });
    for (const socket of [client, upstream]) sockets.add(socket);
    pass(client, upstream);
    pass(upstream, client);
    if (isFrozen) for (const socket of [client, upstream]) socket.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      reset();
    },
    jerk: reset,
    slow(ms) {
      delayMs = ms;
    },
    freeze() {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    mend() {
      isCut = false;
      delayMs = 0;
      if (isFrozen) for (const socket of sockets) socket.resume();
      isFrozen = false;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
