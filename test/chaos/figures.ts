// What a storm came to, in figures.

import type { Sql } from 'postgres';
import { percentile } from '../bench/figure.ts';
import type { Round } from './storm.ts';

export interface Lateness {
  readonly runs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
}

export interface Recovery {
  readonly fault: string;
  readonly times: number;
  readonly medianMs: number;
  readonly worstMs: number;
}

/** From the due time that a run served to its claim, by Postgres's clock. @param fabrics their names; all where absent */
export async function lateness(
  sql: Sql,
  between: { readonly fromMs: number; readonly toMs: number },
  fabrics: readonly string[] | null = null,
): Promise<readonly number[]> {
  const rows = await sql<{ late: number }[]>`
    select (extract(epoch from r.started_at - r.due_at) * 1000)::float8 as late
      from fabric_run r join fabric f on f.id = r.fabric_id
     where r.due_at is not null
       and r.due_at between to_timestamp(${between.fromMs}::float8 / 1000) and to_timestamp(${between.toMs}::float8 / 1000)
       and (${fabrics === null} or f.name = any(${fabrics ?? []}::text[]))`;
  return rows.map(({ late }) => late);
}

export function latenessOf(late: readonly number[]): Lateness {
  return {
    runs: late.length,
    p50Ms: percentile(late, 50),
    p99Ms: percentile(late, 99),
    mostMs: late.length === 0 ? Number.NaN : Math.max(...late),
  };
}

/** By fault, as they came alone; rounds of several are one line. */
export function recoveries(rounds: readonly Round[]): readonly Recovery[] {
  const byFault = Map.groupBy(rounds, ({ faults }) => (faults.length === 1 ? (faults[0] ?? '') : 'several at once'));
  return [...byFault].map(([fault, of]) => ({
    fault,
    times: of.length,
    medianMs: percentile(
      of.map(({ recoveryMs }) => recoveryMs),
      50,
    ),
    worstMs: Math.max(...of.map(({ recoveryMs }) => recoveryMs)),
  }));
}

/** How often each fault struck, alone or with others. */
export function struckByFault(rounds: readonly Round[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of rounds.flatMap(({ faults }) => faults)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

export async function runsByOutcome(sql: Sql): Promise<Readonly<Record<string, number>>> {
  const rows = await sql<{ outcome: string; n: number }[]>`
    select coalesce(outcome, 'open') as outcome, count(*)::int as n from fabric_run group by 1 order by 2 desc`;
  return Object.fromEntries(rows.map(({ outcome, n }) => [outcome, n]));
}
