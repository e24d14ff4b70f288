// The timers alone, ours beside BullMQ's job schedulers, on the same Redis.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../src/clock.ts';
import type { Bed } from '../bed.ts';
import { type Figure, percentile, type Scenario, type Side } from '../figure.ts';
import { cpuMs, rssMiB } from '../process-figures.ts';
import { callsBy } from '../redis-figures.ts';
import type { Answer, Question } from '../timers/work.ts';
import { openWire, redisReader } from '../wire.ts';

const full = { count: 1_000, intervalMs: 60_000 };
/** The same rate. */
const short = { count: 100, intervalMs: 6_000 };
const manyTimers = 10_000;
const dayMs = 86_400_000;
/** The first timers are due this long after they were registered: registering does not count as lateness. */
const aheadMs = 3_000;
const counting = { count: 100, intervalMs: 2_000 };

export const timers: Scenario = {
  name: 'timers',
  about:
    'the timers alone: 1,000 every 60 s and nothing behind them, ours and BullMQ’s job schedulers, on the same Redis',
  notMeasured: [
    'Not like for like: BullMQ keeps a record, a lock, events and a result of each job, and would retry it; ours keeps a due time and hides it while it is served. What our daemon does beside (lease, claim, sync, commit) is in `lateness` and `exchanges`.',
    'BullMQ waits in Redis (BZPOPMIN), so its lateness follows Redis’s `hz`: 10 is the default, 100 is what it would be tuned to. Ours waits in Node, and `hz` does not matter.',
    'Commands a cycle are counted at a higher rate (50 a second), so that idle polling of either is spread over more cycles.',
  ],
  async run({ bed, quick, say }) {
    const figures: Figure[] = [];
    const work = quick ? short : full;
    for (const contender of contenders) {
      say(`  ${contender.side}${contender.note}`);
      const usual = await bed.redis.config('GET', 'hz');
      await bed.redis.config('SET', 'hz', String(contender.hz));
      try {
        figures.push(...(await serving(bed, contender, work)));
        figures.push(...(await commands(bed, contender)));
        if (contender.hz === hzDefault) figures.push(...(await registering(bed, contender)));
      } finally {
        await bed.redis.config('SET', 'hz', (usual as string[])[1] ?? String(hzDefault));
        await bed.redis.flushall();
      }
    }
    return figures;
  },
};

interface Contender {
  readonly side: Side;
  readonly file: string;
  readonly hz: number;
  readonly note: string;
}

const hzDefault = 10;
const contenders: readonly Contender[] = [
  { side: 'fabric-syncd', file: 'ours', hz: 10, note: '' },
  { side: 'BullMQ', file: 'bullmq', hz: 10, note: ' at hz 10' },
  { side: 'BullMQ', file: 'bullmq', hz: 100, note: ' at hz 100' },
];

async function serving(
  bed: Bed,
  { side, file, note }: Contender,
  work: { count: number; intervalMs: number },
): Promise<readonly Figure[]> {
  await bed.redis.flushall();
  const child = await startChild(file, bed.redisServer.url);
  const redisPid = bed.redisServer.pid ?? 0;
  try {
    const firstMs = systemClock.nowMs() + aheadMs;
    await child.ask({ ask: 'register', ...work, firstMs });
    await child.ask({ ask: 'serve' });
    await systemClock.sleep(firstMs - systemClock.nowMs());
    await child.ask({ ask: 'late' });
    const [childBefore, redisBefore] = [await cpuMs(child.pid), await cpuMs(redisPid)];
    await systemClock.sleep(work.intervalMs);
    const { late } = await child.ask({ ask: 'late' });
    const share = async (pid: number, before: number) => (((await cpuMs(pid)) - before) / work.intervalMs) * 100;
    if (late.length < work.count * 0.95) throw new Error(`${side}: only ${late.length} of ${work.count} were served`);
    const figure = (name: string, value: number, unit: Figure['unit']): Figure => ({
      name: `${side}${note}: ${name}`,
      value,
      unit,
      side,
    });
    return [
      figure('lateness p50', percentile(late, 50), 'ms'),
      figure('lateness p99', percentile(late, 99), 'ms'),
      figure('lateness max', Math.max(...late), 'ms'),
      figure('CPU of the process (of one core)', await share(child.pid, childBefore), '%'),
      figure('CPU of Redis (of one core)', await share(redisPid, redisBefore), '%'),
      figure('memory of the process', await rssMiB(child.pid), 'MiB'),
    ];
  } finally {
    await child.end();
  }
}

async function commands(bed: Bed, { side, file, note }: Contender): Promise<readonly Figure[]> {
  await bed.redis.flushall();
  const wire = await openWire({ host: '127.0.0.1', port: bed.redisServer.port }, redisReader);
  const child = await startChild(file, `redis://127.0.0.1:${wire.port}`);
  try {
    const firstMs = systemClock.nowMs() + aheadMs;
    await child.ask({ ask: 'register', ...counting, firstMs });
    await child.ask({ ask: 'serve' });
    await systemClock.sleep(firstMs - systemClock.nowMs());
    await child.ask({ ask: 'late' });
    wire.forget();
    const before = await callsBy(bed.redis);
    await systemClock.sleep(2 * counting.intervalMs);
    const cycles = (await child.ask({ ask: 'late' })).late.length;
    const { sent } = wire.counts();
    const calls = (await callsBy(bed.redis)) - before;
    const figure = (name: string, value: number): Figure => {
      return { name: `${side}${note}: ${name}`, value: value / cycles, unit: '1/cycle', side };
    };
    return [figure('Redis commands sent', sent), figure('Redis calls, those inside Lua included', calls)];
  } finally {
    await child.end();
    await wire.close();
  }
}

async function registering(bed: Bed, { side, file }: Contender): Promise<readonly Figure[]> {
  await bed.redis.flushall();
  const child = await startChild(file, bed.redisServer.url);
  try {
    const firstMs = systemClock.nowMs() + dayMs;
    const { ms } = await child.ask({ ask: 'register', count: manyTimers, intervalMs: dayMs, firstMs });
    return [
      { name: `${side}: registering 10,000`, value: ms, unit: 'ms', side },
      { name: `${side}: memory of the process, 10,000 registered`, value: await rssMiB(child.pid), unit: 'MiB', side },
    ];
  } finally {
    await child.end();
  }
}

interface Child {
  readonly pid: number;
  ask(question: Question): Promise<Extract<Answer, { ms: number }>>;
  end(): Promise<void>;
}

async function startChild(file: string, redisUrl: string): Promise<Child> {
  const entry = fileURLToPath(new URL(`../timers/${file}.ts`, import.meta.url));
  const child = fork(entry, [redisUrl, 'bench'], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  return {
    pid: child.pid ?? 0,
    async ask(question) {
      child.send(question);
      const answered = once(child, 'message') as Promise<[Answer]>;
      const [answer] = await Promise.race([
        answered,
        ended.then((): never => {
          throw new Error(`${file} ended before it answered`);
        }),
      ]);
      if ('failure' in answer) throw new Error(answer.failure);
      return answer;
    },
    async end() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
