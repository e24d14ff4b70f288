// The course of a soak: lays out the fabrics, starts the daemon, lets things happen, looks every few seconds, and sees at
// the end whether all is well.

import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Sql } from 'postgres';
import { systemClock } from '../../src/clock.ts';
import { type Stage, until } from '../bench/bed.ts';
import { timerViolations, violations } from '../support/invariants.ts';
import { seededDice } from '../support/seeded-dice.ts';
import { type Gauged, look } from './gauges.ts';
import { type Grounds, layOut } from './grounds.ts';
import { type Deeds, live } from './life.ts';
import { type Judged, judge, type Measure, type MeasureKey, measures, type Sample } from './measures.ts';
import type { Order } from './order.ts';
import { slopeOf } from './slope.ts';

export interface Soaked {
  readonly measuredMs: number;
  readonly runs: Readonly<Record<string, number>>;
  readonly deeds: Deeds | null;
  readonly judged: readonly (Judged & { readonly key: MeasureKey })[];
  /** Whether it was measured for long enough after the warm-up to judge slopes. */
  readonly long: boolean;
  /** What is wrong besides, a line each. */
  readonly faults: readonly string[];
  readonly samples: readonly Sample[];
}

export interface SoakDeps {
  readonly order: Order;
  readonly stage: Stage;
  readonly redis: Redis;
  readonly redisPort: number;
  readonly dir: string;
  /** Hears each look, with the time since the first. */
  readonly onSample: (sample: Sample, elapsedMs: number, soFar: () => Soaked) => Promise<void>;
}

/** Slopes of less than this say nothing of an hour. */
export const judgedMsMin = 20 * 60_000;
/** Collections are rare, so that what the process has besides is what it would have anyway. */
const collectEveryMs = 60_000;
const startMsMax = 60_000;
/** Whoever failed last retries within its backoff, a few tries long. */
const settleMsMax = 180_000;

/** @param signal ends it early */
export async function measure(deps: SoakDeps, signal: AbortSignal): Promise<Soaked> {
  const { order, stage, redis, redisPort, dir } = deps;
  const { sql, fabrics } = stage;
  const grounds = await layOut({ fabrics, sql, dir, count: order.fabrics, intervalSeconds: order.intervalSeconds });
  const adminSocket = join(dir, 'soak-admin.sock');
  const probeSocket = join(dir, 'soak-probe.sock');
  const daemon = await stage.daemon({
    FABRIC_SYNCD_ADMIN_SOCKET: adminSocket,
    SOAK_PROBE_SOCKET: probeSocket,
    ...order.settings,
  });
  await daemon.keeps(grounds.count, startMsMax);

  const samples: Sample[] = [];
  const ending = new AbortController();
  const life = live(
    {
      sql,
      fabrics,
      adminSocket,
      grounds,
      dice: seededDice(order.seed),
      intervalSeconds: order.intervalSeconds,
      haste: order.quick ? 5 : 1,
    },
    AbortSignal.any([signal, ending.signal]),
  );
  const gauged: Gauged = { pid: daemon.pid, adminSocket, probeSocket, sql, redis, redisPort };
  const told = (rest: Pick<Soaked, 'runs' | 'deeds' | 'faults'>): Soaked => ({ ...summary(order, samples), ...rest });
  let deeds: Deeds | null = null;
  try {
    const everyMs = Math.min(10_000, Math.round(order.forMs / 10));
    const beganMs = systemClock.monotonicMs();
    for (let collectedMs = Number.NEGATIVE_INFINITY; !signal.aborted; ) {
      const nowMs = systemClock.monotonicMs();
      const collect = nowMs - collectedMs >= Math.min(collectEveryMs, order.forMs / 6);
      if (collect) collectedMs = nowMs;
      const sample = await look(gauged, collect);
      samples.push(sample);
      await deps.onSample(sample, nowMs - beganMs, () => told({ runs: {}, deeds: null, faults: [] }));
      if (nowMs - beganMs >= order.forMs) break;
      await systemClock.sleep(Math.max(0, everyMs - (systemClock.monotonicMs() - nowMs)), signal).catch(() => {});
    }
  } finally {
    ending.abort();
    deeds = await life;
  }
  const faults = signal.aborted ? [] : await faultsAtTheEnd(stage, grounds);
  return told({ runs: await runsByOutcome(sql), deeds, faults });
}

function summary(order: Order, samples: readonly Sample[]): Pick<Soaked, 'measuredMs' | 'judged' | 'long' | 'samples'> {
  const firstMs = samples[0]?.at_ms ?? 0;
  const measuredMs = Math.round((samples.at(-1)?.at_ms ?? 0) - firstMs);
  const warm = samples.filter(({ at_ms }) => at_ms - firstMs >= order.warmUpMs);
  const long = measuredMs - order.warmUpMs >= judgedMsMin;
  const judged = (Object.keys(measures) as MeasureKey[]).flatMap((key) => {
    const measure: Measure = measures[key];
    const slope = slopeOf(
      warm.flatMap((sample) => (sample[key] === undefined ? [] : [{ atMs: sample.at_ms, value: sample[key] }])),
      measure.through,
    );
    return slope ? [{ key, ...judge(measure, slope, long) }] : [];
  });
  return { measuredMs, judged, long, samples };
}

/** Everything is well again soon after nothing happens any more, but for the one that is dead. */
async function faultsAtTheEnd(stage: Stage, grounds: Grounds): Promise<readonly string[]> {
  const { sql } = stage;
  const unwell = () => sql<{ name: string; sync_status: string; sync_error: string }[]>`
    select name, sync_status, sync_error from fabric
     where sync_status not in ('in_sync', 'syncing') and name <> ${grounds.dead} order by id limit 5`;
  const sources = { sql, redis: { url: stage.redisUrl, prefix: 'fabric-syncd' } };
  const faults: string[] = [];
  // Whoever failed too often is only probed now, every ten minutes: as people would, it is asked for by hand.
  await sql`
    insert into fabric_request (fabric_id, asked_by)
    select id, 'soak' from fabric where sync_status = 'error' and name <> ${grounds.dead}`;
  try {
    await until(async () => (await unwell()).length === 0, settleMsMax, 'every fabric is in sync');
    await until(async () => (await timerViolations(sources)).length === 0, settleMsMax, 'due times and timers agree');
  } catch (late) {
    faults.push((late as Error).message);
    for (const { name, sync_status, sync_error } of await unwell())
      faults.push(`${name}: ${sync_status}: ${sync_error}`);
    faults.push(...(await timerViolations(sources)));
  }
  return [...faults, ...(await violations(sources))];
}

async function runsByOutcome(sql: Sql): Promise<Readonly<Record<string, number>>> {
  const rows = await sql<{ outcome: string; n: number }[]>`
    select coalesce(outcome, 'running') as outcome, count(*)::int as n from fabric_run group by 1 order by 2 desc`;
  return Object.fromEntries(rows.map(({ outcome, n }) => [outcome, n]));
}
