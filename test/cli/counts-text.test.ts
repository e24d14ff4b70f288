import { expect, test } from 'vitest';
import { changesText, countsText, lastCountsText } from '../../src/cli/counts-text.ts';
import { runTable } from '../../src/cli/run-text.ts';
import { formatTable } from '../../src/cli/table.ts';
import { runView } from '../../src/inspector/view.ts';
import { sampleRun } from '../inspector/sample.ts';

const report = {
  answer: 'unwanted',
  listed: 0,
  created: 0,
  updated: 0,
  deleted: 0,
  touched: 0,
  quarantined: 0,
} as const;
const left = sampleRun({ kinds: { Gateway: { ...report, unsynced: 4 }, VPC: { ...report, unsynced: 1 }, Switch: {} } });

test('what left because its kind is not read any more is counted beside what was deleted, and never as such', () => {
  const run = runView(left, 'lab');
  expect(run).toMatchObject({ deleted: 3, unsynced: 5 });
  expect(countsText(run)).toBe('1/2/3 5 unsynced');
  expect(changesText(run)).toBe('1 created, 2 updated, 3 deleted, 5 no longer synced');
  const [, row] = formatTable(...runTable([run]), { widthMax: null, paint: (_, text) => text });
  expect(row).toContain('1/2/3 5 unsynced');
});

test('where nothing left so, nothing is said of it', () => {
  const run = runView(sampleRun(), 'lab');
  expect(run.unsynced).toBe(0);
  expect(countsText(run)).toBe('1/2/3');
  expect(changesText(run)).toBe('1 created, 2 updated, 3 deleted');
});

test('a table of fabrics that is narrow keeps to the three figures; a run that failed has none', () => {
  const run = runView(left, 'lab');
  expect(lastCountsText(run, 80)).toBe('1/2/3');
  expect(lastCountsText(run, 110)).toBe('1/2/3 5 unsynced');
  expect(lastCountsText({ ...run, outcome: 'failed' })).toBeNull();
  expect(lastCountsText(null)).toBeNull();
});

test('a run that two clocks have begin before it was due was not late', () => {
  const run = sampleRun({ dueAtMs: 2_000, startedMs: 1_990 });
  expect(runView(run, 'lab').lateness_ms).toBe(0);
});
