// Plays systemd: binds NOTIFY_SOCKET and tells what arrives. Node has no Unix datagram socket, so Python lends its own.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

// Plain recv drops the descriptor that systemd-notify passes as its barrier, which is what lets it go on.
const program = `
import json, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print(json.dumps("bound"), flush=True)
while True:
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
`;

const runs = (tool: string) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0;

/** Why the real protocol cannot be tested here; null where it can. */
export const noReceiver: string | null =
  ['systemd-notify', 'python3'].filter((tool) => !runs(tool)).join(' and ') || null;

export interface NotifyReceiver {
  readonly socket: string;
  /** The next message that is not a barrier, as its lines. */
  next(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startNotifyReceiver(): Promise<NotifyReceiver> {
  const folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-notify-'));
  const socket = join(folder, 'notify');
  const child = spawn('python3', ['-c', program, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<string[]> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the receiver ended');
    return (JSON.parse(value) as string).split('\n').filter(Boolean);
  };
  await read();
  return {
    socket,
    async next() {
      for (;;) {
        const message = await read();
        if (message[0] !== 'BARRIER=1') return message;
      }
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
