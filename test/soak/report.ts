// A soak in words: each measure with its slope an hour, how sure that is, and its bound.

import { formatDuration } from '../../src/duration.ts';
import { type Judged, type MeasureKey, measures, type Sample } from './measures.ts';

const headings = ['measure', 'first', 'last', 'least', 'most', 'an hour', '95 %', 'bound', ''] as const;

export function tableOf(judged: readonly Judged[]): string {
  const rows = [
    headings,
    ...judged.map(({ measure, verdict, ...slope }) => [
      measure.unit === '' ? measure.name : `${measure.name} (${measure.unit})`,
      rounded(slope.first),
      rounded(slope.last),
      rounded(slope.least),
      rounded(slope.most),
      signed(slope.perHour),
      Number.isFinite(slope.plusMinus) ? `±${rounded(slope.plusMinus)}` : 'unsure',
      boundOf(measure),
      verdict === 'grows' ? 'GROWS' : verdict === 'above' ? 'ABOVE' : verdict === 'flat' ? 'ok' : '',
    ]),
  ];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 || column > 6 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `  ${line}\n`)
    .join('');
}

function boundOf(measure: Judged['measure']): string {
  const { growthMax, most } = measure;
  return [
    ...(growthMax === undefined ? [] : [`<= ${growthMax}/h`]),
    ...(most === undefined ? [] : [`<= ${most}`]),
  ].join(', ');
}

/** The sign of life: one line, each minute. */
export function lineOf(sample: Sample, elapsedMs: number): string {
  const shown = (['resident', 'heapUsed', 'descriptors', 'redisKeys', 'postgresConnections'] as const).map(
    (key: MeasureKey) => `${measures[key].name} ${rounded(sample[key] ?? Number.NaN)}${measures[key].unit && ' MiB'}`,
  );
  const elapsed = formatDuration(Math.round(elapsedMs / 1_000) * 1_000);
  return `${elapsed.padStart(7)}  ${sample.runs} runs, ${shown.join(', ')}`;
}

/** Three digits that mean something; whole above that. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return 'none';
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function signed(value: number): string {
  return `${value >= 0 ? '+' : ''}${rounded(value)}`;
}
