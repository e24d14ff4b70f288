// The flag by which the daemon keeps its heap small belongs to V8: a Node that drops it must not go unnoticed.

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { heapFlag } from '../src/heap.ts';

test('this Node takes the flag', () => {
  const { status, stderr } = spawnSync(process.execPath, [heapFlag, '--eval', ''], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('it is taken while the program runs, without a word', () => {
  const program = new URL('../src/heap.ts', import.meta.url).href;
  const code = `const { keepHeapSmall } = await import(${JSON.stringify(program)}); keepHeapSmall();`;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', code];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('a flag that V8 does not know would be told', () => {
  const { stderr } = spawnSync(process.execPath, [heapFlag.replace('percent', 'percents'), '--eval', ''], {
    encoding: 'utf8',
  });
  expect(stderr).not.toBe('');
});
