// A short storm, as `npm run chaos` makes it: it judges by what is in the history, not by how long anything took.

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { redisFound } from '../support/redis.ts';

const main = fileURLToPath(new URL('../chaos/main.ts', import.meta.url));
const deadlineMs = 110_000;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-storm-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function chaos(args: readonly string[]) {
  const { promise, resolve } = Promise.withResolvers<{ code: number; said: string }>();
  const env = { PATH: process.env.PATH, TMPDIR: folder };
  execFile(process.execPath, [main, ...args], { env, timeout: deadlineMs }, (error, said, complaints) => {
    resolve({ code: error === null ? 0 : Number(error.code ?? -1), said: said + complaints });
  });
  return promise;
}

test.skipIf(redisFound === null)(
  'two daemons in a storm: nothing is lost, nothing is done twice, and nothing is left behind',
  { timeout: deadlineMs },
  async () => {
    const json = join(folder, 'chaos.json');
    const { code, said } = await chaos(['--for', '12s', '--daemons', '2', '--fabrics', '4', '--json', json]);
    // The seed is told with it: whatever it found can be looked for again.
    expect(code, said).toBe(0);
    const found = JSON.parse(await readFile(json, 'utf8')) as {
      rounds: number;
      struck: Record<string, number>;
      runs: Record<string, number>;
      lateness: { runs: number };
      faults: string[];
    };
    expect(found.faults).toEqual([]);
    expect(found.rounds).toBeGreaterThan(0);
    expect(Object.keys(found.struck).length).toBeGreaterThan(0);
    expect(found.runs.complete).toBeGreaterThan(0);
    expect(found.lateness.runs).toBeGreaterThan(0);
    expect(await readdir(folder), 'its folder').toEqual(['chaos.json']);
  },
);
