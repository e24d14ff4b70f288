// Preloaded into the daemon by a soak (`node --import`): tells what only the process itself can know of its memory. The
// product knows nothing of it. Whoever connects to its socket is told one JSON object; after the line `collect`, of memory
// from which everything that nobody needs any more was collected.

import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface ProbeAnswer {
  readonly heap_used_bytes: number;
  readonly heap_total_bytes: number;
  /** Buffers and other memory that V8 does not manage but keeps alive. */
  readonly external_bytes: number;
  /** What the event loop waits for, by sort: timers, sockets, pipes. */
  readonly resources: Readonly<Record<string, number>>;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function answer(): ProbeAnswer {
  const { heapUsed, heapTotal, external } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  return { heap_used_bytes: heapUsed, heap_total_bytes: heapTotal, external_bytes: external, resources };
}

const path = process.env.SOAK_PROBE_SOCKET;
if (path !== undefined) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    createInterface({ input: socket }).on('line', (line) => {
      if (line === 'collect') collect();
      socket.end(`${JSON.stringify(answer())}\n`);
    });
  });
  server.listen(path);
  server.unref();
}
