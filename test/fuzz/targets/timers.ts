// What may lie in Redis under our names, whoever wrote it: payloads, members and scores, as the scripts hand them on. A
// reader of it neither fails nor waits for a moment that never comes.

import { formatIso } from '../../../src/clock.ts';
import type { Timer } from '../../../src/ports/timers.ts';
import { readPayload, writePayload } from '../../../src/redis/payload.ts';
import { RedisTimers } from '../../../src/redis/timers.ts';
import type { Target } from '../target.ts';

const good =
  '{"kind":"sync","due":1767225600000,"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}';
const keys = {
  timers: '{x}:timers',
  payloads: '{x}:timer',
  wake: '{x}:wake',
  probe: '{x}:probe',
  lock: (id: string) => id,
};

export const timersInRedis: Target = {
  name: 'timers',
  about: 'timers as they lie in Redis: score, member and payload, each on a line',
  seeds: [
    `1767225600000\n7\n${good}`,
    `1767225600000\n7\n${good}\n1767225700000\n8\n{"kind":"retry","due":0}`,
    'inf\n7\n{"kind":"probe","due":9007199254740991}',
    '-inf\nnobody\n',
    '1.7672256e+12\n__proto__\n{"__proto__":{"kind":"sync"},"due":1}',
    `\n\n${'['.repeat(2_000)}`,
  ],
  async open() {
    return {
      async run(input) {
        const lines = input.toString('utf8').split('\n');
        const stored: { score: string; member: string; payload: string | null }[] = [];
        for (let at = 0; at + 1 < lines.length && stored.length < 50; at += 3) {
          const [score, member, payload] = [lines[at] ?? '', lines[at + 1] ?? '', lines[at + 2] ?? null];
          // Redis itself takes only numbers for scores, and tells them as such.
          if (/^([+-]?inf|-?\d{1,30}(\.\d{1,17})?(e[+-]\d{1,3})?)$/.test(score))
            stored.push({ score, member, payload });
        }
        await readThemAll(stored);
      },
      async close() {},
    };
  },
};

async function readThemAll(
  stored: readonly { score: string; member: string; payload: string | null }[],
): Promise<void> {
  let broken = 0;
  const dropped: string[] = [];
  const client = {
    claimTimers: async () => [stored[0]?.score ?? '', ...stored.flatMap(({ member, payload }) => [member, payload])],
    zrange: async () => (stored[0] ? [stored[0].member, stored[0].score] : []),
    zscan: async () => ['0', stored.flatMap(({ member, score }) => [member, score])],
    hmget: async (_key: string, ...members: string[]) =>
      members.map((member) => stored.find((one) => one.member === member)?.payload ?? null),
    dropBrokenTimer: async (_timers: string, _payloads: string, fabricId: string) => dropped.push(fabricId),
  };
  const connection = { call: async <Answer>(act: (one: typeof client) => Promise<Answer>) => act(client) };
  const timers = new RedisTimers({ connection: connection as never, keys, wake: null, onBroken: () => broken++ });
  const claimed = await timers.claimDue({ nowMs: 1, holdMs: 1, atMost: 1_000 });
  const learnt = await timers.nextMs();
  if (claimed.length + broken !== stored.length) throw new Error('a timer is neither claimed nor broken');
  if (dropped.length !== broken) throw new Error('a broken timer is not dropped');
  // After this turn the answer of the claim is forgotten, and Redis is asked.
  await new Promise(setImmediate);
  for (const nextMs of [learnt, await timers.nextMs()]) {
    if (nextMs !== null && !Number.isFinite(nextMs)) throw new Error(`it waits until ${nextMs}`);
  }
  for (const { showsAtMs, ...timer } of await timers.all()) {
    if (!Number.isFinite(showsAtMs)) throw new Error(`a timer shows at ${showsAtMs}`);
    assertWhole(timer);
  }
  for (const timer of claimed) assertWhole(timer);
}

/** It can be told, stored in Postgres, and written again. */
function assertWhole(timer: Timer): void {
  if (!/^\d{4}-/.test(formatIso(timer.dueAtMs))) throw new Error(`due at ${timer.dueAtMs}, which no calendar has`);
  const again = readPayload(timer.fabricId, writePayload(timer));
  if (JSON.stringify(again) !== JSON.stringify(timer)) throw new Error('a timer is written as another one');
}
