// The node in memory, on which the simulator's lock stands, against a real Redis: whatever the lock asks, in whatever order,
// both give the same answer.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Lease } from '../../src/ports/lock.ts';
import type { RedisClient } from '../../src/redis/client.ts';
import { RedisLock } from '../../src/redis/lock.ts';
import { clientOf, MemoryLockNode } from '../support/memory-lock-node.ts';
import { connectTo, freshKeys, ownRedis, redisFound } from '../support/redis.ts';

type Ask = (script: string, keys: number, all: (string | number)[]) => Promise<unknown>;

/** What came of it, in a word; of a refusal its kind. */
const said = (answer: Promise<unknown>) =>
  answer.then(
    (value) => `${value}`,
    (error: unknown) => `refused: ${(error as Error).message.split(' ')[0]}`,
  );

/** Asks both, notes what each said, and hands on what the real one did. */
function twins(real: RedisClient, mine: RedisClient, answers: string[][]): RedisClient {
  const both =
    (command: 'evalsha' | 'eval'): Ask =>
    async (script, keys, all) => {
      const [asked, asked2] = [real[command](script, keys, ...all), mine[command](script, keys, all as never)];
      answers.push(await Promise.all([said(asked), said(asked2)]));
      return await asked;
    };
  return { evalsha: both('evalsha'), eval: both('eval') } as unknown as RedisClient;
}

const acts = fc.array(
  fc.record({
    hand: fc.nat({ max: 1 }),
    fabric: fc.constantFrom('1', '2'),
    act: fc.constantFrom('acquire', 'renew', 'release', 'forget', 'forget scripts'),
  }),
  { minLength: 5, maxLength: 40 },
);

describe.skipIf(redisFound === null)('a node of the lock in memory', () => {
  test('answers every question of the lock as a real Redis does', async () => {
    // Of its own: nobody else's scripts are known there.
    const server = await ownRedis();
    const connection = await connectTo(server.url);
    const kinds = new Set<string | undefined>();
    try {
      await fc.assert(
        fc.asyncProperty(acts, async (all) => {
          const keys = freshKeys();
          await connection.client.script('FLUSH');
          const node = new MemoryLockNode(() => systemClock.monotonicMs());
          const answers: string[][] = [];
          const hands = [0, 1].map((hand) => {
            const mine = clientOf(node, `hand ${hand}`, async (act) => act());
            const { address, timeouts } = connection;
            const client = twins(connection.client, mine, answers);
            const twin = { address, timeouts, client, up: true, trouble: null };
            const suspect = connection.suspect.bind(connection);
            const nodes = [
              { ...twin, suspect, call: <Answer>(ask: (of: RedisClient) => Promise<Answer>) => ask(client) },
            ];
            const lock = new RedisLock({ nodes, keys, clock: systemClock, ttlMs: 60_000 });
            return { lock, leases: new Map<string, Lease>() };
          });
          for (const { hand, fabric, act } of all) {
            const { lock, leases } = hands[hand] ?? expect.fail('there are two hands');
            const lease = leases.get(fabric);
            if (act === 'acquire') {
              const answer = await lock.acquire(fabric);
              if (answer.kind === 'acquired') leases.set(fabric, answer.lease);
            } else if (act === 'forget') {
              await connection.client.del(keys.lock('1'), keys.lock('2'));
              node.forget();
            } else if (act === 'forget scripts') {
              await connection.client.script('FLUSH');
              node.forgetScripts();
            } else if (lease && act === 'renew') {
              const renewed = await lock.renew(lease);
              if (renewed) leases.set(fabric, renewed);
            } else if (lease) {
              await lock.release(lease);
              leases.delete(fabric);
            }
          }
          for (const [real, mine] of answers) {
            expect(mine).toBe(real);
            kinds.add(real);
          }
          await connection.client.del(keys.lock('1'), keys.lock('2'));
        }),
        { numRuns: 60 },
      );
      // Granted, refused, and asked for the text: each was among them.
      expect([...kinds].sort()).toEqual(['0', '1', 'refused: NOSCRIPT']);
    } finally {
      connection.close();
      await server.remove();
    }
  });
});
