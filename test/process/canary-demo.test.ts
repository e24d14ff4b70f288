// What another user of this host could learn from a demo: from its folder, and from the process list.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Aviary } from '../support/aviary.ts';
import { entry, eventually } from '../support/process/daemon.ts';
import { redisFound } from '../support/redis.ts';

let folder: string;
let demo: ChildProcess;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-demo-'));
  // As /var/lib is: what is in it protects itself.
  await chmod(folder, 0o755);
});
afterEach(async () => {
  // In order, also where the test failed: what it started in sessions of their own ends only so.
  if (demo.exitCode === null && demo.signalCode === null) {
    const ended = once(demo, 'exit');
    demo.kill('SIGTERM');
    await ended;
  }
  await rm(folder, { recursive: true, force: true });
});

/** As somebody who is neither the owner nor of the group. */
async function mayOthersRead(path: string, top: string): Promise<boolean> {
  if (((await stat(path)).mode & 0o004) === 0) return false;
  for (let at = dirname(path); at.startsWith(top); at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
  }
  return true;
}

test.skipIf(redisFound === null)('no token and no key of a demo is for others to read', async () => {
  const top = join(folder, 'state');
  const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, DATABASE_URL: undefined, REDIS_URL: undefined };
  // The umask of a careless user: every mode is what the program says.
  demo = spawn('sh', ['-c', 'umask 000; exec "$0" "$@"', process.execPath, entry, 'demo', '--state-dir', top], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [demo.stdout, demo.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  // Everything is written, and every fabric was read once.
  await vi.waitFor(() => expect(said).toMatch(/ large: .*in_sync, run/), { ...eventually, timeout: 90_000 });

  const aviary = new Aviary();
  aviary.add('the key', (await readFile(join(top, 'key'), 'utf8')).trim());
  for (const name of await readdir(join(top, 'fabrics'))) {
    const text = await readFile(join(top, 'fabrics', name, 'identity.json'), 'utf8');
    const { token, keyPem } = JSON.parse(text) as { token: string; keyPem: string };
    aviary.add(`the token of ${name}`, token);
    aviary.addPem(`the CA's key of ${name}`, keyPem);
  }
  aviary.listen('what it says', said);
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    aviary.listen(`the process list`, await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  }
  const seen: string[] = [];
  for (const found of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(found.parentPath, found.name);
    if (!found.isFile() || !(await mayOthersRead(path, folder).catch(() => false))) continue;
    seen.push(path.slice(folder.length));
    aviary.listen(`${path.slice(folder.length)}, which others may read`, await readFile(path, 'latin1'));
  }
  expect(aviary.heard()).toEqual([]);
  // The number of a process, and nothing else: any more is a decision.
  expect(new Set(seen.map((path) => basename(path)))).toEqual(new Set(['owner']));
  const ended = once(demo, 'exit');
  demo.kill('SIGTERM');
  expect((await ended)[0]).not.toBeNull();
});
