// What every server on a Unix socket needs to know before it listens.

import { connect } from 'node:net';

/** Whether somebody listens there; a socket that nobody listens on was left by a process that died. */
export async function isTaken(socketPath: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(socketPath);
  socket.setTimeout(1_000, () => resolve(true));
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  const taken = await promise;
  socket.destroy();
  return taken;
}
