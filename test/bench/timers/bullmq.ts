// The same work on BullMQ: a job scheduler for each timer, and a worker that does nothing.

import { Queue, Worker } from 'bullmq';
import { answerParent, firstDue } from './work.ts';

const { hostname, port } = new URL(process.argv[2] ?? '');
const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
const name = process.argv[3] ?? 'bench';
const queue = new Queue(name, { connection, defaultJobOptions: { removeOnComplete: true, removeOnFail: true } });
let worker: Worker | null = null;
/** Asked for at once, as many as are in flight without growing the queue of commands for ever. */
const batch = 500;

await queue.waitUntilReady();
answerParent({
  async register(order) {
    for (let from = 0; from < order.count; from += batch) {
      const some = Array.from({ length: Math.min(batch, order.count - from) }, (_, n) => from + n);
      await Promise.all(
        some.map((n) =>
          queue.upsertJobScheduler(`fabric-${n}`, {
            every: order.intervalMs,
            startDate: new Date(firstDue(n, order)),
          }),
        ),
      );
    }
  },
  async serve(served) {
    worker = new Worker(
      name,
      async ({ id }) => {
        // `repeat:<scheduler>:<due>`
        served(Date.now() - Number(id?.slice(id.lastIndexOf(':') + 1)));
      },
      { connection, concurrency: 10 },
    );
    worker.on('error', (cause) => {
      throw cause;
    });
    await worker.waitUntilReady();
  },
  async close() {
    await worker?.close();
    await queue.close();
  },
});
