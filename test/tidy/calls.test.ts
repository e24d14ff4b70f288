import { describe, expect, test } from 'vitest';
import { bannedCalls, noNamedProcess, noSourceNames } from './calls.ts';
import { planted, readTree, told } from './tree.ts';

const tree = readTree();
const judged = (path: string, text: string) => told(bannedCalls([planted(path, text)]));

describe('banned calls', () => {
  test('none in the tree', () => expect(told(bannedCalls(tree))).toEqual([]));

  test.each([
    ['src/fleet/sweep.ts', 'Date.now()', 'take a Clock'],
    ['src/fleet/sweep.ts', 'new Date()', 'take a Clock'],
    ['otel/spans.ts', 'performance.now()', 'take a Clock'],
    ['src/fleet/sweep.ts', 'setTimeout(f, 5)', 'take a Clock'],
    ['machines/fabric/plan.ts', 'Math.random()', 'take a Dice'],
    ['src/config.ts', 'process.env.HOME', 'take the setting from Config'],
    ['src/cli/status.ts', 'process.exit(1)', 'only an entry point'],
    ['src/cli/status.ts', 'process.exitCode = 1', 'only an entry point'],
    ['src/cli/status.ts', 'process.stdout.write(x)', 'streams as arguments'],
    ['src/postgres/operator/add-fabric.ts', 'await sql.begin(f)', 'Database.transact'],
    ['src/cli/status.ts', 'console.log(x)', 'injected stream'],
    ['test/x.test.ts', 'console.log(x)', 'injected stream'],
    ['test/x.test.ts', 'x as any', 'name the type'],
    ['src/a.ts', 'const x: any = 1', 'name the type'],
    ['src/a.ts', 'const x: Array<any> = []', 'name the type'],
    ['src/a.ts', '// @ts-' + 'ignore', 'mend the type'],
    ['src/a.ts', '// TO' + 'DO: later', 'do it'],
    ['test/x.test.ts', `test.only('x', f)`, 'by its name'],
    ['test/x.test.ts', `describe.skip.only('x', f)`, 'by its name'],
    ['test/x.test.ts', 'await sleep(500)', 'wait for a fact'],
    ['test/x.test.ts', 'await clock.sleep(1_000)', 'wait for a fact'],
  ])('in %s, %s is told', (path, text, says) => {
    const [fault, ...more] = judged(path, `const a = 1;\n${text};\n`);
    expect(more).toEqual([]);
    expect(fault).toContain(`${path}:2: `);
    expect(fault).toContain(says);
  });

  test.each([
    ['src/clock.ts', 'Date.now(); setTimeout(f, 1)'],
    ['src/dice.ts', 'Math.random()'],
    ['src/main.ts', 'process.exitCode = await f(process.env)'],
    ['test/x.test.ts', 'Date.now(); Math.random(); process.env.HOME'],
    ['src/a.ts', '// Date.now() would jump'],
    ['src/a.ts', `const text = 'console.log(x)'`],
    ['src/a.ts', 'new Date(row.at)'],
    ['src/a.ts', 'for (const any of all) f(any)'],
    ['src/a.ts', 'await clock.sleep(waitMs)'],
    ['src/a.ts', 'Promise.any(all)'],
  ])('in %s, %s is free', (path, text) => expect(judged(path, text)).toEqual([]));

  test('the process is not imported by name', () => {
    expect(told(noNamedProcess(tree))).toEqual([]);
    const text = `\nimport { env } from 'node:process';`;
    expect(told(noNamedProcess([planted('src/a.ts', text), planted('src/main.ts', text)]))).toEqual([
      expect.stringContaining('src/a.ts:2: the process belongs to the entry points'),
    ]);
  });

  test('no source file is named at run time', () => {
    expect(told(noSourceNames(tree))).toEqual([]);
    const text = `import './b.ts';\nfork(new URL('./child.ts', import.meta.url));\nnew URL('./x.sql', import.meta.url);\n`;
    expect(told(noSourceNames([planted('src/a.ts', text)]))).toEqual([
      expect.stringContaining('src/a.ts:2: a source file named at run time'),
    ]);
  });
});
