// Runs as rows of a table: for `history`, for `status F` and for the result of `trigger`.

import type { RunView } from '../inspector/view.ts';
import { countsText } from './counts-text.ts';
import { span } from './span.ts';
import { short } from './status-text.ts';
import type { Cell, Column } from './table.ts';

const columns: readonly Column[] = [
  { title: 'RUN', align: 'right' },
  { title: 'STARTED' },
  { title: 'WHY' },
  { title: 'OUTCOME' },
  { title: 'LATE', align: 'right' },
  { title: 'TOOK', align: 'right' },
  { title: '+/~/-', align: 'right' },
  { title: 'ERROR', widthMin: 6 },
];

export function runTable(runs: readonly RunView[]): [readonly Column[], readonly (readonly Cell[])[]] {
  return [
    columns,
    runs.map((run) => [
      run.id,
      short(run.started_at),
      run.trigger,
      outcomeCell(run.outcome),
      run.lateness_ms === null ? null : span(run.lateness_ms),
      run.duration_ms === null ? null : span(run.duration_ms),
      countsText(run),
      run.error,
    ]),
  ];
}

export function outcomeCell(outcome: string | null): Cell {
  switch (outcome) {
    case null:
      return { text: 'running', colour: 'cyan' };
    case 'complete':
      return { text: outcome, colour: 'green' };
    case 'partial':
    case 'awaiting_approval':
    case 'cancelled':
      return { text: outcome, colour: 'yellow' };
    default:
      return { text: outcome, colour: 'red' };
  }
}
