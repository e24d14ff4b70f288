// A server on a Unix socket: for its user and group alone from its first moment on, and never in the place of anything else.
//
//   US1. What is in the way is removed only where it is a socket that nobody listens on. A file, a folder or a link is left
//        as it is: a path that was mistyped, or planted, costs nobody a file.
//   US2. The socket has its mode when it appears. A `chmod` afterwards would leave a moment for others, and would follow a
//        link that was put there meanwhile.

import { lstat, mkdir, rm } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';

/** Why nothing can listen there, in words that follow the path. */
export class SocketPathTaken extends Error {
  override readonly name = 'SocketPathTaken';
  readonly why: 'somebody listens there already' | 'something that is no socket is there, and is left as it is';

  constructor(why: SocketPathTaken['why']) {
    super(why);
    this.why = why;
  }
}

/** What the socket is not for others to do: nothing at all. */
const umask = 0o117;

/** @throws SocketPathTaken, or what the system says */
export async function listenOnPath(server: Server, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  await makeWay(path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  // The path is bound before `listen` returns, so nothing else is made under this umask.
  const before = process.umask(umask);
  try {
    server.listen(path, resolve);
  } finally {
    process.umask(before);
  }
  await promise;
  server.off('error', reject);
}

async function makeWay(path: string): Promise<void> {
  const there = await lstat(path).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return null;
    throw thrown;
  });
  if (there === null) return;
  if (!there.isSocket()) throw new SocketPathTaken('something that is no socket is there, and is left as it is');
  if (await isTaken(path)) throw new SocketPathTaken('somebody listens there already');
  await rm(path, { force: true });
}

/** Whether somebody listens there; a socket that nobody listens on was left by a process that died. */
async function isTaken(socketPath: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(socketPath);
  socket.setTimeout(1_000, () => resolve(true));
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  const taken = await promise;
  socket.destroy();
  return taken;
}
