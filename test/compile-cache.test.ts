// Where compiled code is kept is asked of a process of its own: Node keeps it for the rest of a process's life.

import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let caches = '';
beforeEach(async () => {
  caches = await mkdtemp(join(tmpdir(), 'fabric-syncd-cache-'));
});
afterEach(() => rm(caches, { recursive: true, force: true }));

/** What a start with this environment came to. */
function start(env: Record<string, string>): { version: string; used: string | null } {
  const main = new URL('../src/main.ts', import.meta.url).pathname;
  const tell = `data:text/javascript,import { getCompileCacheDir } from 'node:module';process.on('exit', () => console.log(getCompileCacheDir() ?? 'none'))`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', tell, main, '--version'], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { PATH: process.env.PATH, ...env },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const [version = '', used] = stdout.trim().split('\n');
  return { version, used: used === 'none' ? null : (used ?? '') };
}

test('what Node made of the program is kept for the next start', async () => {
  const { version, used } = start({ XDG_CACHE_HOME: caches });
  expect(used).toContain(join(caches, 'fabric-syncd', 'compiled'));
  expect((await readdir(used ?? '')).length).toBeGreaterThan(5);
  expect(start({ XDG_CACHE_HOME: caches })).toEqual({ version, used });
});

test('a service keeps it in the folder that systemd made for it', () => {
  expect(start({ CACHE_DIRECTORY: caches, XDG_CACHE_HOME: '/nowhere' }).used).toContain(join(caches, 'compiled'));
});

test.each([
  ['others may write there', (folder: string) => mkdir(folder).then(() => chmod(folder, 0o777))],
  ['something else stands in its place', (file: string) => writeFile(file, '')],
])('nothing is kept where %s', async (_why, make) => {
  await mkdir(join(caches, 'fabric-syncd'));
  await make(join(caches, 'fabric-syncd', 'compiled'));
  expect(start({ XDG_CACHE_HOME: caches })).toEqual({ version: expect.stringMatching(/^\d/), used: null });
});

test('a cache that is not named by a whole path is not used', () => {
  expect(start({ XDG_CACHE_HOME: 'here' }).used).toBeNull();
});

test.skipIf(process.getuid?.() !== 0)('nothing is kept in a folder of somebody else', async () => {
  const folder = join(caches, 'fabric-syncd', 'compiled');
  await mkdir(folder, { recursive: true });
  await chown(folder, 65_534, 65_534);
  expect(start({ XDG_CACHE_HOME: caches }).used).toBeNull();
});
