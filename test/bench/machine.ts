// What the figures were measured on.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { Bed } from './bed.ts';
import { redisVersion } from './redis-figures.ts';

const run = promisify(execFile);

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly os: string;
  readonly node: string;
  readonly postgres: string;
  readonly redis: string;
  readonly bullmq: string;
  readonly commit: string;
  /** The mean length of the run queue in the last minute, before the first scenario: above 0.5 somebody else was working. */
  readonly load_before: number;
}

export async function describeMachine(bed: Bed): Promise<Machine> {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    os: await output('uname', ['-sr']),
    node: process.version,
    postgres: bed.postgresServer.version,
    redis: await redisVersion(bed.redis),
    bullmq: versionOf('bullmq'),
    commit: await commit(),
    load_before: load(),
  };
}

/** The last minute's. */
export function load(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

async function commit(): Promise<string> {
  const head = await output('git', ['rev-parse', '--short', 'HEAD']);
  const changes = await output('git', ['status', '--porcelain', '--untracked-files=no']);
  return changes === '' || changes === 'unknown' ? head : `${head} with changes`;
}

async function output(command: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(command, args, { cwd: import.meta.dirname })).stdout.trim();
  } catch {
    return 'unknown';
  }
}

function versionOf(name: string): string {
  const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
