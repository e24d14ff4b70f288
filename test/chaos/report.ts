// Chaos in words.

import type { Lateness, Recovery } from './figures.ts';

const headings = ['fault', 'struck', 'alone', 'well again, median', 'worst'] as const;

export function recoveryTable(recoveries: readonly Recovery[], struck: Readonly<Record<string, number>>): string {
  const known = new Set(recoveries.map(({ fault }) => fault));
  const rows: (readonly string[])[] = [
    headings,
    ...recoveries
      .toSorted((one, other) => other.worstMs - one.worstMs)
      .map(({ fault, times, medianMs, worstMs }) => [
        fault,
        struck[fault] === undefined ? '' : String(struck[fault]),
        String(times),
        seconds(medianMs),
        seconds(worstMs),
      ]),
    ...Object.entries(struck)
      .filter(([fault]) => !known.has(fault))
      .map(([fault, times]) => [fault, String(times), '0', '', '']),
  ];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) => row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))))
    .map((row) => `  ${row.join('  ').trimEnd()}\n`)
    .join('');
}

export function latenessLine({ runs, p50Ms, p99Ms, mostMs }: Lateness): string {
  return `lateness of ${runs} runs during the storm: p50 ${seconds(p50Ms)}, p99 ${seconds(p99Ms)}, most ${seconds(mostMs)}`;
}

/** Three digits that mean something. */
export function seconds(ms: number): string {
  if (!Number.isFinite(ms)) return 'none';
  return ms < 1_000 ? `${Number(ms.toPrecision(3))} ms` : `${Number((ms / 1_000).toPrecision(3))} s`;
}
