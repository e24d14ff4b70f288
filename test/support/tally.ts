// What a test run came to: read from Vitest's JSON report and from how it ended, and never better than either says.

import { readFile } from 'node:fs/promises';

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const noTally: Tally = { passed: 0, failed: 0, skipped: 0 };

interface JsonReport {
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: 'passed' | 'failed';
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * @param exitCode how the run ended; a run that says it failed has failed, whatever its report counts
 * @returns the counts, and a line for the person where something other than a test failed
 */
export async function readReport(path: string, exitCode: number): Promise<{ tally: Tally; problem: string | null }> {
  let report: JsonReport;
  try {
    report = JSON.parse(await readFile(path, 'utf8')) as JsonReport;
  } catch {
    return { tally: { ...noTally, failed: 1 }, problem: `the test run left no report (it ended with ${exitCode})` };
  }
  const statuses = report.testResults.flatMap((file) => file.assertionResults.map((test) => test.status));
  const passed = statuses.filter((status) => status === 'passed').length;
  const failedTests = statuses.filter((status) => status === 'failed').length;
  // A file that did not load, or whose hooks failed, fails without a failed test.
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const skipped = statuses.length - passed - failedTests;
  const failed = failedTests + brokenFiles.length;
  const tally = { passed, failed, skipped };
  if (passed + failed === 0) return { tally: { ...tally, failed: 1 }, problem: 'no test ran' };
  if (exitCode !== 0 && failed === 0) {
    return { tally: { ...tally, failed: 1 }, problem: `no test failed, but the run ended with ${exitCode}: see above` };
  }
  return {
    tally,
    problem: brokenFiles.length > 0 ? `did not load: ${brokenFiles.map((f) => f.name).join(', ')}` : null,
  };
}

export function lastLine(tallies: readonly Tally[]): { line: string; exitCode: 0 | 1 } {
  const sum = (count: (tally: Tally) => number) => tallies.reduce((total, tally) => total + count(tally), 0);
  const failed = sum((tally) => tally.failed);
  const skipped = sum((tally) => tally.skipped);
  const line = `${sum((tally) => tally.passed)} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return { line, exitCode: failed === 0 ? 0 : 1 };
}
