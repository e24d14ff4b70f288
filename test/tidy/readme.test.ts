import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fabricMachine } from '../../machines/fabric/machine.ts';
import { madeAnew, parts } from '../support/readme.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>;
};

describe('the README', () => {
  test('tells the code as it is', () => {
    expect(readme, 'README.md and the code differ: run `npm run readme` and read what changed').toBe(madeAnew(readme));
  });

  test('and a part that was changed by hand is found', () => {
    for (const name of Object.keys(parts)) {
      const changed = readme.replace(`<!-- made: ${name} -->\n`, `<!-- made: ${name} -->\nby hand\n`);
      expect(changed).not.toBe(readme);
      expect(madeAnew(changed)).toBe(readme);
    }
    expect(() => madeAnew(readme.replace('<!-- made: settings -->', ''))).toThrow('no part "settings"');
  });

  test('draws every state of a fabric', () => {
    for (const state of Object.keys(fabricMachine.states)) {
      expect(parts.states?.()).toMatch(new RegExp(`^  (?:state )?${state}\\b`, 'm'));
    }
  });

  test('begins with two commands, and they are scripts of the package', () => {
    const [, commands = ''] = /```sh\n([\s\S]*?)\n```/.exec(readme) ?? [];
    expect(commands.split('\n')).toEqual(['npm ci && npm run demo', 'npm ci && npm test']);
    expect(manifest.scripts).toHaveProperty('demo');
    expect(manifest.scripts).toHaveProperty('test');
  });

  test('names no script that is not there', () => {
    const named = [...readme.matchAll(/npm run (?:--silent )?([a-z:]+)/g)].map((match) => match[1] ?? '');
    for (const name of named) expect(Object.keys(manifest.scripts)).toContain(name);
  });
});
