// The package as an operator gets it: packed, installed somewhere else, and run from there.

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { emptyDatabase } from '../support/postgres.ts';
import { readTree, top } from '../tidy/tree.ts';

const run = promisify(execFile);
const tree = readTree();

/** What `npm test` told its own children about itself would mislead an npm inside it. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
env.PATH = `${join(top, 'node_modules/.bin')}:${env.PATH}`;

let folder: string;
/** A copy: packing swaps package.json for a while, and other tests read the tree's own. */
let checkout: string;
let tarball: string;
let shipped: string[];
const read = (path: string) => readFile(join(checkout, path), 'utf8');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-package-'));
  checkout = join(folder, 'checkout');
  for (const { path } of tree) {
    await mkdir(join(checkout, dirname(path)), { recursive: true });
    await cp(join(top, path), join(checkout, path));
  }
  await symlink(join(top, 'node_modules'), join(checkout, 'node_modules'));
  const { stdout } = await run('npm', ['pack', '--silent'], { cwd: checkout, env });
  tarball = join(checkout, stdout.trim().split('\n').at(-1) ?? '');
  const listed = await run('tar', ['tzf', tarball]);
  shipped = listed.stdout
    .trim()
    .split('\n')
    .map((path) => path.replace('package/', ''));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('npm pack', () => {
  test('ships the compiled program, what it reads beside itself, and no source', () => {
    const beside = tree
      .map(({ path }) => path)
      .filter((path) => /^(?:machines|otel|src)\//.test(path))
      .map((path) => `dist/${path.replace(/\.ts$/, '.js')}`);
    const front = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];
    expect(shipped.sort()).toEqual([...front, ...beside].sort());
    expect(shipped.filter((path) => path.endsWith('.sql')).length).toBeGreaterThan(0);
    expect(shipped).toContain('dist/src/systemd/fabric-syncd.service');
  });

  test('leaves out the Node that a checkout brings along, and what only developing needs', async () => {
    const { stdout } = await run('tar', ['xzOf', tarball, 'package/package.json']);
    const manifest = JSON.parse(stdout) as Record<string, unknown>;
    expect(manifest).not.toHaveProperty('optionalDependencies');
    expect(manifest).not.toHaveProperty('devDependencies');
    expect(manifest.bin).toEqual({ 'fabric-syncd': 'dist/src/main.js' });
  });

  test('leaves the checkout as it was', async () => {
    expect(await read('package.json')).toBe(await readFile(join(top, 'package.json'), 'utf8'));
  });

  test('that was interrupted is mended by the next one', async () => {
    const before = await read('package.json');
    await run('node', ['.ci/prepack.ts'], { cwd: checkout, env });
    const inPlace = await read('package.json');
    expect(inPlace).not.toBe(before);
    await run('node', ['.ci/prepack.ts'], { cwd: checkout, env });
    expect(await read('package.json')).toBe(inPlace);
    await run('node', ['.ci/postpack.ts'], { cwd: checkout, env });
    expect(await read('package.json')).toBe(before);
    await run('node', ['.ci/postpack.ts'], { cwd: checkout, env });
    expect(await read('package.json')).toBe(before);
  });
});

test('in the checkout, npx runs the source', async () => {
  const { version } = JSON.parse(await read('package.json')) as { version: string };
  const { stdout } = await run('npx', ['--no-install', 'fabric-syncd', '--version'], { cwd: checkout, env });
  expect(stdout).toBe(`${version}\n`);
});

describe('npm install -g of the tarball', () => {
  let program: string;

  beforeAll(async () => {
    const prefix = join(folder, 'prefix');
    const options = ['--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    await run('npm', ['install', '--global', ...options, tarball], { cwd: folder, env });
    program = join(prefix, 'bin/fabric-syncd');
  });

  test('gives a program that knows its version', async () => {
    const { version } = JSON.parse(await read('package.json')) as { version: string };
    expect((await run(program, ['--version'], { cwd: folder, env })).stdout).toBe(`${version}\n`);
  });

  test('and that tells what it can do', async () => {
    const { stdout } = await run(program, ['--help'], { cwd: folder, env });
    for (const verb of ['run', 'status', 'trigger', 'migrate'])
      expect(stdout).toMatch(new RegExp(`^  ${verb}\\b`, 'm'));
  });

  test('and whose inspector has its page whole, with the libraries that it is drawn with', async () => {
    const module = join(folder, 'prefix/lib/node_modules/fabric-syncd/dist/src/inspector/page-files.js');
    const list = `import(process.argv[1]).then((it) => console.log([...it.readPageFiles().files.keys()].join('\\n')))`;
    const { stdout } = await run('node', ['-e', list, module], { cwd: folder, env });
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['/assets/index.html', '/assets/app.js', '/assets/base.css', '/assets/vendor/dagre.js']),
    );
  });

  test('and that finds its migrations', async () => {
    const database = await emptyDatabase(inject('databaseUrl'));
    try {
      const called = { cwd: folder, env: { ...env, DATABASE_URL: database.url, REDIS_URL: 'none' } };
      const { stdout } = await run(program, ['migrate', '--json'], called);
      expect(stdout).toContain('0001_fabric');
    } finally {
      await database.drop();
    }
  });
});
