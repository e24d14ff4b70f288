// The front of `npm test`: types, lint, every test of every project, and one last line that says how it went.
//
//   T1. The last line of standard output is `N passed, M failed` (and `, K skipped` where there are some), whatever happened.
//   T2. M counts whatever keeps the tree from being right: a failed test, a test file that did not load, a type error,
//       a lint error, a test run that crashed, hung or found no test. The exit code is 0 only where M is 0.
//   T3. Every step runs, also after one that failed: one look shows everything.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastLine, noTally, readReport, type Tally } from './tally.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A step that takes longer hangs. */
const deadlineMs = { types: 5 * 60_000, lint: 5 * 60_000, tests: 45 * 60_000 };

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Runs one of the project's own tools with this terminal. @returns its exit code; -1 where it had to be killed */
async function tool(name: string, args: readonly string[], withinMs: number): Promise<number> {
  const child = spawn(join(root, 'node_modules/.bin', name), args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  const overdue = setTimeout(() => child.kill('SIGKILL'), withinMs);
  try {
    return await new Promise<number>((resolve) => {
      child.once('error', (cause) => {
        say(`${name} did not start: ${cause.message}`);
        resolve(-1);
      });
      child.once('close', (code) => resolve(code ?? -1));
    });
  } finally {
    clearTimeout(overdue);
    process.off('SIGINT', pass).off('SIGTERM', pass);
  }
}

async function check(title: string, name: string, args: readonly string[], withinMs: number): Promise<Tally> {
  say(`\n=== ${title}`);
  const code = await tool(name, args, withinMs);
  if (code === 0) return noTally;
  say(`${title}: failed (${name} ended with ${code})`);
  return { ...noTally, failed: 1 };
}

async function tests(args: readonly string[]): Promise<Tally> {
  say('\n=== tests');
  const folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-test-'));
  try {
    const report = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const code = await tool('vitest', ['run', ...reporters, ...args], deadlineMs.tests);
    const { tally, problem } = await readReport(report, code);
    if (problem) say(problem);
    return tally;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const tallies = [
  await check('types', 'tsc', ['--noEmit'], deadlineMs.types),
  await check('types of the page', 'tsc', ['--noEmit', '-p', 'src/inspector/page'], deadlineMs.types),
  await check('lint', 'biome', ['check', '--error-on-warnings', '.'], deadlineMs.lint),
  await tests(process.argv.slice(2)),
];
const { line, exitCode } = lastLine(tallies);
process.exitCode = exitCode;
say(`\n${line}`);
