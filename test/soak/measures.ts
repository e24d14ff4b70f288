// What a soak measures, and how much of it may grow in an hour.
//
//   M1. A bound is on the slope after the warm-up: what grows with the number of fabrics is there by then.
//   M2. Something grows where its slope is above its bound and, by its interval, surely above zero.
//   M3. History grows by design, one row a run and one a change, until it is old enough to be pruned: its bound is on the
//       bytes that a row takes.

import type { Slope, Through } from './slope.ts';

export interface Measure {
  readonly name: string;
  readonly unit: 'MiB' | '' | 'ms' | 'B';
  /** In an hour; absent where nothing is demanded. */
  readonly growthMax?: number;
  /** At any moment. */
  readonly most?: number;
  /** `least` for what comes and goes with the runs in hand; `mean` where absent. */
  readonly through?: Through;
}

/** Postgres keeps dead rows until it vacuums: a table that is written over and over breathes by about this much. */
const tableGrowthMax = 4;

export const measures = {
  // V8 gives back late what it once took for garbage, in steps: a leak shows in what is left after a collection.
  resident: { name: 'memory, resident', unit: 'MiB', through: 'least', growthMax: 24 },
  heapCollected: { name: 'heap, after collection', unit: 'MiB', through: 'least', growthMax: 2 },
  heapUsed: { name: 'heap, in use', unit: 'MiB' },
  external: { name: 'memory outside the heap', unit: 'MiB', through: 'least', growthMax: 2 },
  descriptors: { name: 'file descriptors', unit: '', through: 'least', growthMax: 4 },
  socketsRedis: { name: 'sockets to Redis', unit: '', through: 'least', growthMax: 0.5, most: 4 },
  socketsFabrics: { name: 'sockets to fabrics', unit: '', through: 'least', growthMax: 8 },
  socketsUnix: { name: 'other sockets', unit: '', through: 'least', growthMax: 4 },
  // Opened when first needed: a pool of 10, 4 for transactions, 1 that listens; with one for an answer that is cancelled.
  postgresConnections: { name: 'Postgres connections', unit: '', most: 16 },
  nodeTimers: { name: 'timers in the process', unit: '', through: 'least', growthMax: 4 },
  threads: { name: 'threads', unit: '', through: 'least', growthMax: 1 },
  redisKeys: { name: 'Redis keys, but for locks', unit: '', growthMax: 2 },
  redisMemory: { name: 'Redis memory', unit: 'MiB', through: 'least', growthMax: 1 },
  // A fabric that was removed a moment ago may still have one; at the end they are compared one by one.
  timersPerFabric: { name: 'timers in Redis a fabric', unit: '', growthMax: 0.02 },
  eventLoopDelay: { name: 'event loop delay, p99', unit: 'ms' },
  runBytes: { name: 'bytes a row of fabric_run', unit: 'B', most: 4_096 },
  changeBytes: { name: 'bytes a row of fabric_change', unit: 'B', most: 8_192 },
  fabricTable: { name: 'table fabric', unit: 'MiB', growthMax: tableGrowthMax },
  cycleTable: { name: 'table fabric_cycle', unit: 'MiB', growthMax: tableGrowthMax },
  resourceTable: { name: 'table fabric_resource', unit: 'MiB', growthMax: 2 * tableGrowthMax },
  quarantineTable: { name: 'table fabric_quarantine', unit: 'MiB', growthMax: tableGrowthMax },
} as const satisfies Record<string, Measure>;

export type MeasureKey = keyof typeof measures;
/** One look; what could not be measured this time is absent. */
export type Sample = Partial<Record<MeasureKey, number>> & { readonly at_ms: number; readonly runs: number };

export interface Judged extends Slope {
  readonly measure: Measure;
  /** `grows` fails the soak, as `above` does; `unjudged`: nothing is demanded, or it was measured for too short a time. */
  readonly verdict: 'flat' | 'grows' | 'above' | 'unjudged';
}

/** @param long whether it was measured for long enough to speak of an hour */
export function judge(measure: Measure, slope: Slope, long: boolean): Judged {
  return { ...slope, measure, verdict: verdictOf(measure, slope, long) };
}

function verdictOf({ growthMax, most }: Measure, slope: Slope, long: boolean): Judged['verdict'] {
  if (most !== undefined && slope.most > most) return 'above';
  if (growthMax === undefined) return most === undefined ? 'unjudged' : 'flat';
  if (!long) return 'unjudged';
  const sure = slope.perHour - slope.plusMinus > 0;
  return slope.perHour > growthMax && sure ? 'grows' : 'flat';
}
