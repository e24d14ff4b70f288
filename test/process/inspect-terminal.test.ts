// `inspect` on a real terminal, before a real daemon: keys in, the screen out, and the terminal as it was afterwards.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Bed, bedsOfThisFile } from '../support/process/bed.ts';
import { type Environment, entry } from '../support/process/daemon.ts';
import { proxyBefore, restsAfterSync } from '../support/process/frozen-postgres.ts';
import { needsTerminal, onTerminal, scriptPath, type Terminal } from '../support/process/terminal.ts';

const openBed = bedsOfThisFile();
const sequence = {
  enter: '\u001b[?1049h',
  leave: '\u001b[?1049l',
  showCursor: '\u001b[?25h',
  hideCursor: '\u001b[?25l',
};

async function inspecting(bed: Bed, env: Environment = {}, ...named: readonly string[]): Promise<Terminal> {
  const terminal = await onTerminal({ ...bed.env(), ...env }, 'inspect', ...named);
  onTestFinished(() => terminal.close());
  return terminal;
}

/** It gave back what it took: the screen, the cursor, and lines with an echo. */
async function expectGivenBack(terminal: Terminal): Promise<number> {
  const { code, stty } = await terminal.ended();
  const output = terminal.output();
  expect(output.lastIndexOf(sequence.leave)).toBeGreaterThan(output.lastIndexOf(sequence.enter));
  expect(output.lastIndexOf(sequence.showCursor)).toBeGreaterThan(output.lastIndexOf(sequence.hideCursor));
  expect(stty).toMatch(/\sicanon\s/);
  expect(stty).toMatch(/\secho\s/);
  expect(stty).toMatch(/\sisig\s/);
  return code;
}

describe.skipIf(scriptPath === null)(`inspect on a terminal${needsTerminal}`, () => {
  test('draws the fleet on 80x24, opens a fabric, comes back, filters, and ends on q', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    await bed.sql`insert into fabric (name) select 'other-' || n from generate_series(1, 40) n`;
    await bed.daemon().ready();
    await lab.synced();
    const terminal = await inspecting(bed);
    await terminal.shows(/lab .*in.sync/);
    expect(terminal.screen().length).toBeLessThanOrEqual(24);
    for (const line of terminal.screen()) expect([...line].length, line).toBeLessThanOrEqual(80);

    terminal.press('/other-3');
    await terminal.shows(/other-39/);
    await terminal.shows(/^(?![\s\S]*\blab\b)/);
    terminal.press('\u007f7\r');
    await terminal.shows(/other-7/);
    terminal.press('\u001b');
    await terminal.shows(/\blab\b/);

    terminal.press('\r');
    await terminal.shows(/All is well/);
    await terminal.shows(/syncing/);
    expect(terminal.screen().length).toBeLessThanOrEqual(24);
    for (const line of terminal.screen()) expect([...line].length, line).toBeLessThanOrEqual(80);
    terminal.press('\u001b');
    await terminal.shows(/other-1/);
    terminal.press('q');
    expect(await expectGivenBack(terminal)).toBe(0);
  });

  test('says of the fleet and of a fabric that Postgres is missing, and goes on by itself when it answers again', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    const proxy = await proxyBefore(bed);
    await restsAfterSync(await bed.daemon({ DATABASE_URL: proxy.url }).ready(), lab);
    proxy.freeze();
    const terminal = await inspecting(bed, {}, 'lab');
    await terminal.shows(/Postgres has been missing for .*: Postgres did not/);
    expect(terminal.screen()[0]).toMatch(/^lab \(number/);
    terminal.press('\u001b');
    await terminal.shows(/Postgres has been missing[\s\S]*▸ {2}lab /);
    expect(terminal.output()).not.toMatch(/does not answer/);
    terminal.press('\r');
    await terminal.shows(/lab \(number/);
    proxy.thaw();
    await terminal.shows(/^(?![\s\S]*been missing)/);
    await terminal.shows(/All is well/);
    terminal.press('q');
    expect(await expectGivenBack(terminal)).toBe(0);
  });

  test('says that the fabric which is looked at was removed, also while the daemon was away, and goes back to the fleet', async () => {
    const bed = await openBed();
    await bed.sql`insert into fabric (name) values ('lab'), ('other'), ('third')`;
    const daemon = await bed.daemon({}, 1).ready();
    const terminal = await inspecting(bed, {}, 'lab');
    await terminal.shows(/lab \(number/);
    await bed.sql`delete from fabric where name = 'lab'`;
    await terminal.shows(/lab was removed/);
    await terminal.shows(/^(?![\s\S]*no address)/);
    terminal.press('\u001b');
    await terminal.shows(/▸ {2}other/);
    await terminal.shows(/^(?![\s\S]*\blab\b)/);

    terminal.press('\r');
    await terminal.shows(/other \(number/);
    await daemon.kill();
    await terminal.shows(/does not answer/);
    await bed.sql`delete from fabric where name = 'other'`;
    await bed.daemon({}, 1).ready();
    await terminal.shows(/other was removed/);
    terminal.press('\u001b');
    await terminal.shows(/▸ {2}third/);
    terminal.press('q');
    expect(await expectGivenBack(terminal)).toBe(0);
  });

  test.for([
    { how: 'Ctrl-C', end: (terminal: Terminal) => terminal.press('\u0003') },
    { how: 'SIGINT', end: ({ pid }: Terminal) => process.kill(pid, 'SIGINT') },
    { how: 'SIGTERM', end: ({ pid }: Terminal) => process.kill(pid, 'SIGTERM') },
    { how: 'SIGHUP', end: ({ pid }: Terminal) => process.kill(pid, 'SIGHUP') },
  ])('gives the terminal back on $how', async ({ end }) => {
    const bed = await openBed();
    await bed.sql`insert into fabric (name) values ('lab')`;
    await bed.daemon().ready();
    const terminal = await inspecting(bed);
    await terminal.shows(/\blab\b/);
    end(terminal);
    await expectGivenBack(terminal);
  });

  test('says that the daemon does not answer, and goes on by itself when it is back; without colours where they are not wanted', async () => {
    const bed = await openBed();
    await bed.sql`insert into fabric (name) values ('lab')`;
    const daemon = await bed.daemon({}, 1).ready();
    const terminal = await inspecting(bed, { NO_COLOR: '1' });
    await terminal.shows(/\blab\b/);
    await daemon.kill();
    await terminal.shows(/does not answer/);
    await terminal.shows(/\blab\b/);
    await bed.sql`insert into fabric (name) values ('later')`;
    await bed.daemon({}, 1).ready();
    await terminal.shows(/\blater\b/);
    await terminal.shows(/^(?![\s\S]*does not answer)/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape begins with one.
    expect(terminal.output()).not.toMatch(/\u001b\[(?:3\d|9\d|4\d)(?:;\d+)*m/);
    terminal.press('q');
    expect(await expectGivenBack(terminal)).toBe(0);
  });
});

test('inspect --json ends quietly when nobody reads on', async () => {
  const bed = await openBed();
  await bed.fabric('lab');
  await bed.daemon().ready();
  const piped = `'${process.execPath}' '${entry}' inspect --json | head -1; echo "codes=\${PIPESTATUS[*]}"`;
  const env = { PATH: process.env.PATH, ...bed.env() };
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '--noprofile', '-c', piped], {
    env,
    timeout: 60_000,
  });
  const [first = '', codes] = stdout.trim().split('\n');
  expect(JSON.parse(first)).toMatchObject({ event: 'snapshot', data: { fabrics: [{ name: 'lab' }] } });
  expect(codes).toBe('codes=0 0');
  expect(stderr).toBe('');
});
