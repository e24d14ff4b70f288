// Figures for people.

import type { Result, Scenario } from './figure.ts';

const headings = ['figure', 'median', 'must reach', '', 'runs'] as const;

export function tableOf(scenario: Scenario, results: readonly Result[]): string {
  const rows = [
    headings,
    ...results.map((result) => [
      result.name,
      shown(result.median, result.unit),
      demanded(result),
      result.reached === null ? '' : result.reached ? 'ok' : 'MISSED',
      result.runs.length > 1 ? result.runs.map(rounded).join(' ') : '',
    ]),
  ];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const notes = scenario.notMeasured.map((note) => `  note: ${note}`);
  return [`${scenario.name}: ${scenario.about}`, ...lines.map((line) => `  ${line}`), ...notes, ''].join('\n');
}

function demanded({ bound, unit }: Result): string {
  if (!bound) return '';
  return 'atMost' in bound ? `<= ${shown(bound.atMost, unit)}` : `>= ${shown(bound.atLeast, unit)}`;
}

function shown(value: number, unit: Result['unit']): string {
  return unit === '%' ? `${rounded(value)} %` : `${rounded(value)} ${unit}`;
}

/** Three digits that mean something; whole above that. */
function rounded(value: number): string {
  if (!Number.isFinite(value)) return 'none';
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
