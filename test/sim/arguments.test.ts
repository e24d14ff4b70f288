// What was asked for is what is run; what cannot be read ends with 2 and is not run at all.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readArguments } from './arguments.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

/** @returns the exit code */
function sim(...args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], () => resolve(child.exitCode ?? -1));
  });
}

test('a seed, a range and a time are read', () => {
  const cut = { events: [3, 7], daemons: 1, fabrics: ['1', '2'], stormMs: 600_000 };
  const given = ['--events', '3,7', '--daemons', '1', '--fabrics', '1,2', '--storm', '600000'];
  expect(readArguments(['--seed', '140737488355328', ...given]).wish).toEqual({
    what: 'replay',
    seed: 2 ** 47,
    cut,
  });
  expect(readArguments(['--seed', '3', '--events', 'none']).wish).toMatchObject({ cut: { events: [] } });
  expect(readArguments(['--seeds', '1..9']).wish).toEqual({ what: 'range', from: 1, to: 9 });
  expect(readArguments(['--for', '2m']).wish).toEqual({ what: 'search', forMs: 120_000 });
  expect(readArguments([]).wish).toEqual({ what: 'search', forMs: 60_000 });
});

test.each([
  ['--seed abc'],
  ['--seed 1.5'],
  ['--seed -1'],
  ['--seed 9007199254740993'],
  ['--seeds 1-9'],
  ['--seeds 1..'],
  ['--seeds 9..1'],
  ['--for ever'],
  ['--threads 0'],
  ['--lines none'],
  ['--seed 1 --storm soon'],
  ['--seed 1 --events 1,x'],
  ['--seed 1 --seeds 1..2'],
  ['--storm 1000'],
])('%s is refused', (line) => {
  expect(() => readArguments(line.split(' '))).toThrow();
});

test('the command ends with 2 where a seed or a range cannot be read', async () => {
  expect(await Promise.all([sim('--seed', 'abc'), sim('--seeds', '1-2')])).toEqual([2, 2]);
});
