import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fabricMachine } from '../../machines/fabric/machine.ts';
import { madeAnew, parts } from '../support/readme.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
  scripts: Record<string, string>;
};

describe('the README', () => {
  test('tells the code as it is', () => {
    expect(readme, 'README.md and the code differ: run `npm run readme` and read what changed').toBe(madeAnew(readme));
  });

  test('and a part that was changed by hand is found', () => {
    const fresh = madeAnew(readme);
    for (const name of Object.keys(parts)) {
      const changed = fresh.replace(`<!-- made: ${name} -->\n`, `<!-- made: ${name} -->\nby hand\n`);
      expect(changed).not.toBe(fresh);
      expect(madeAnew(changed)).toBe(fresh);
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

describe('the changelog', () => {
  const changelog = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8');
  const migrations = readdirSync(new URL('../../src/postgres/migrations', import.meta.url));
  const unnamed = (text: string) => migrations.filter((file) => !text.includes(`\`${file.replace('.sql', '')}\``));

  test('names every migration: an operator learns of it before the database does', () => {
    expect(unnamed(changelog)).toEqual([]);
    expect(unnamed(changelog.replaceAll('0001_fabric', ''))).toEqual(['0001_fabric.sql']);
  });

  test('has a place for what is not released, or a section for this version', () => {
    const { version } = manifest;
    expect(changelog).toMatch(new RegExp(`^## \\[(?:Unreleased|${version.replaceAll('.', '\\.')})\\]`, 'm'));
  });
});
