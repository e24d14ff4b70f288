// The soak itself, for a few seconds: it measures everything that it promises, sees that all is well, and ends when it is
// told to. What it finds in an hour is not for a test to wait for.

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { measures } from '../soak/measures.ts';
import { redisFound } from '../support/redis.ts';

const main = fileURLToPath(new URL('../soak/main.ts', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-soak-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** @param hear the lines that it says */
function soak(args: readonly string[], hear: (line: string, end: () => void) => void = () => {}) {
  const { promise, resolve } = Promise.withResolvers<{ code: number; said: string }>();
  const env = { PATH: process.env.PATH, TMPDIR: folder };
  const child = execFile(process.execPath, [main, ...args], { env, timeout: 100_000 }, (error, said, complaints) => {
    resolve({ code: error === null ? 0 : Number(error.code ?? -1), said: said + complaints });
  });
  child.stdout?.on('data', (chunk: Buffer) => hear(chunk.toString('utf8'), () => child.kill('SIGINT')));
  return promise;
}

test.skipIf(redisFound === null)(
  'measures everything, while fabrics fail and recover, and finds all well',
  async () => {
    const json = join(folder, 'soak.json');
    const { code, said } = await soak(['--quick', '--for', '10s', '--warm-up', '2s', '--json', json]);
    expect(code, said).toBe(0);
    const found = JSON.parse(await readFile(json, 'utf8')) as {
      samples: Record<string, number>[];
      judged: { key: string; perHour: number }[];
      runs: Record<string, number>;
      deeds: Record<string, number>;
      faults: string[];
    };
    expect(found.judged.map(({ key }) => key)).toEqual(Object.keys(measures));
    for (const { key, perHour } of found.judged) expect(perHour, key).toBeTypeOf('number');
    expect(found.samples.length).toBeGreaterThan(3);
    expect(found.samples.at(-1)).toMatchObject({ resident: expect.any(Number), socketsRedis: 2 });
    expect(found.runs.complete).toBeGreaterThan(10);
    expect(found.deeds.edits).toBeGreaterThan(0);
    expect(found.deeds.faults).toBeGreaterThan(0);
    expect(found.faults).toEqual([]);
  },
);

test.skipIf(redisFound === null)('told to end, it tells what it has measured and leaves nothing behind', async () => {
  const { code, said } = await soak(['--quick', '--for', '90s'], (line, end) => {
    if (/\d+ runs/.test(line)) end();
  });
  expect({ code, said }).toMatchObject({ code: 130, said: expect.stringContaining('stopped by SIGINT') });
  expect(await readdir(folder), 'its folder').toEqual([]);
  expect(await processesOn(folder), 'its processes').toEqual([]);
});

/** Whoever was started with a path in this folder. */
async function processesOn(path: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(path));
}
