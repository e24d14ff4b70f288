import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lastLine, noTally, readReport } from './tally.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-tally-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A report as Vitest writes it, with files of these test statuses. */
async function report(...files: { status: 'passed' | 'failed'; tests: string[] }[]): Promise<string> {
  const path = join(folder, 'report.json');
  const testResults = files.map(({ status, tests }, i) => ({
    name: `file-${i}`,
    status,
    message: '',
    assertionResults: tests.map((each) => ({ status: each })),
  }));
  await writeFile(path, JSON.stringify({ numTotalTests: 0, testResults }));
  return path;
}

describe('what a test run came to', () => {
  test('passed, failed and skipped tests are counted', async () => {
    const path = await report({ status: 'failed', tests: ['passed', 'failed', 'skipped', 'todo'] });
    expect(await readReport(path, 1)).toEqual({ tally: { passed: 1, failed: 1, skipped: 2 }, problem: null });
  });

  test('a file that did not load counts as failed, and is named', async () => {
    const path = await report({ status: 'passed', tests: ['passed'] }, { status: 'failed', tests: [] });
    const { tally, problem } = await readReport(path, 1);
    expect(tally).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect(problem).toContain('file-1');
  });

  test('a run that ended badly without a failed test counts as failed', async () => {
    const path = await report({ status: 'passed', tests: ['passed'] });
    expect((await readReport(path, 1)).tally).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect((await readReport(path, 0)).tally).toEqual({ passed: 1, failed: 0, skipped: 0 });
  });

  test('a run that found no test counts as failed', async () => {
    expect((await readReport(await report(), 0)).tally.failed).toBe(1);
    expect((await readReport(await report({ status: 'passed', tests: ['skipped'] }), 0)).tally.failed).toBe(1);
  });

  test('a run that left no report, or half of one, counts as failed', async () => {
    expect((await readReport(join(folder, 'absent.json'), 0)).tally.failed).toBe(1);
    const torn = join(folder, 'torn.json');
    await writeFile(torn, '{"testResults": [');
    expect((await readReport(torn, 0)).tally.failed).toBe(1);
  });
});

describe('the last line', () => {
  test('is plain, and the exit code follows what failed', () => {
    expect(lastLine([noTally, { passed: 3, failed: 0, skipped: 0 }])).toEqual({
      line: '3 passed, 0 failed',
      exitCode: 0,
    });
  });

  test('names what was skipped, where anything was', () => {
    expect(lastLine([{ passed: 3, failed: 0, skipped: 2 }]).line).toBe('3 passed, 0 failed, 2 skipped');
  });

  test('a type error fails it although every test passed', () => {
    expect(
      lastLine([
        { ...noTally, failed: 1 },
        { passed: 3, failed: 0, skipped: 0 },
      ]),
    ).toEqual({ line: '3 passed, 1 failed', exitCode: 1 });
  });
});
