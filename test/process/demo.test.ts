// The demo as people run it: on servers of its own, and on servers that were there before.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { given, type KubeObject } from '../support/kube-client.ts';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { entry, eventually } from '../support/process/daemon.ts';
import { redisFound } from '../support/redis.ts';

const openBed = bedsOfThisFile();

let folder: string;
const demos: Demo[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-demo-'));
});
afterEach(async () => {
  // In order, also where the test failed: what it started in sessions of their own ends only so.
  for (const demo of demos.splice(0)) await demo.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly fabrics: readonly {
    readonly name: string;
    readonly sync_status: string;
    readonly last_sync: string | null;
    readonly objects: number;
    readonly runs: number;
    readonly failures: number;
  }[];
  readonly redis: string | null;
  readonly postgres: string;
}

/** One demo, with its data in this test's folder. */
class Demo {
  readonly #child: ChildProcess;
  readonly #over: Promise<unknown>;
  said = '';
  stdout = '';

  constructor(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [entry, 'demo', '--state-dir', join(folder, 'state'), ...argv], {
      env: { PATH: process.env.PATH, HOME: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.said += chunk.toString();
    });
    // `close`: everything that it said has been heard.
    this.#over = once(this.#child, 'close');
    demos.push(this);
  }

  async says(what: RegExp): Promise<RegExpExecArray> {
    return vi.waitFor(
      () => {
        const found = what.exec(this.said);
        if (found === null) throw new Error(`it did not say ${what}:\n${this.said}`);
        return found;
      },
      { ...eventually, timeout: 90_000 },
    );
  }

  /** @returns its exit code */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal && this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    await this.#over;
    return this.#child.exitCode;
  }
}

/** What runs with this test's folder in its command line or its environment, or as its place. */
async function processesOfFolder(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [line = '', ...more] = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
        readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
        readlink(`/proc/${pid}/cwd`).catch(() => ''),
      ]);
      return [line, ...more].some((text) => text.includes(folder)) ? [line.replaceAll('\0', ' ')] : [];
    }),
  );
  return found.flat();
}

/** When each fabric is due, as the daemon's log has it: by its last words, or by its first. */
async function dueTimes(which: 'last' | 'first'): Promise<Readonly<Record<string, string>>> {
  const log = await readFile(join(folder, 'state', 'daemon.log'), 'utf8');
  const told = log.split('\n').filter((line) => line.includes('"due_at"'));
  if (which === 'first') told.reverse();
  return Object.fromEntries(
    told.map((line) => JSON.parse(line) as { fabric: string; due_at: string }).map((one) => [one.fabric, one.due_at]),
  );
}

test('Ctrl-C leaves no process behind, and the next demo finds its fabrics, their objects and their timers', async () => {
  const first = new Demo([], { FABRIC_SYNCD_LOG_LEVEL: 'debug' });
  await first.says(/ large: .*in_sync, run/);
  expect((await processesOfFolder()).length, 'the demo, its servers and its daemon').toBeGreaterThan(2);
  expect(await first.end('SIGINT')).toBe(130);
  expect(await processesOfFolder()).toEqual([]);
  const { large: due } = await dueTimes('last');
  expect(due).toBeDefined();

  const second = new Demo(['--for', '3s', '--json']);
  expect(await second.end(), second.said).toBe(0);
  expect((await dueTimes('first')).large).toBe(due);
  expect(second.stdout.trim().split('\n'), 'one document and nothing else').toHaveLength(1);
  const { fabrics, redis, postgres } = JSON.parse(second.stdout) as Ended;
  expect(postgres).toMatch(/^PostgreSQL \d/);
  if (redisFound) expect(redis).toMatch(/^(redis|valkey)-server \d/);
  expect(fabrics.map(({ name, sync_status, failures }) => [name, sync_status, failures])).toEqual([
    ['lab', 'in_sync', 0],
    ['medium', 'in_sync', 0],
    ['large', 'in_sync', 0],
  ]);
  expect(await processesOfFolder()).toEqual([]);
});

const vpc = {
  apiVersion: 'vpc.githedgehog.com/v1beta1',
  kind: 'VPC',
  metadata: { name: 'vpc-01', namespace: 'default', labels: { tier: 'gold' } },
  spec: { ipv4Namespace: 'default', vlanNamespace: 'default', subnets: { one: { subnet: '10.0.1.0/24', vlan: 1001 } } },
};
const node = {
  apiVersion: 'fabricator.githedgehog.com/v1beta1',
  kind: 'FabNode',
  metadata: { name: 'gateway-1', namespace: 'fab' },
  spec: { roles: ['gateway'] },
};
const far = { ...vpc, metadata: { name: 'far', namespace: 'far' } };

test('in an empty database that is given: manifests are stored as they were given, and who is not well is told', async () => {
  const bed = await openBed({ redis: 'none' });
  const wiring = join(folder, 'wiring');
  await mkdir(wiring);
  await writeFile(join(wiring, 'all.yaml'), [vpc, node, far].map((object) => stringify(object)).join('---\n'));
  const env = { DATABASE_URL: bed.databaseUrl, REDIS_URL: 'none' };
  const demo = new Demo(['--manifests', wiring, '--for', '3s', '--json'], env);
  expect(await demo.end(), demo.said).toBe(0);
  expect(demo.said).toContain('wiring: not stored: VPC far/far: of this fabric the namespace default is read');
  const { fabrics, redis, postgres } = JSON.parse(demo.stdout) as Ended;
  expect({ redis, postgres }).toEqual({ redis: null, postgres: 'the one in DATABASE_URL' });
  expect(fabrics.find(({ name }) => name === 'wiring')).toMatchObject({ sync_status: 'in_sync', objects: 2 });
  const stored = (await bed.cli('resources', 'wiring', '-o', 'json')).json<{ items: KubeObject[] }>().items;
  expect(stored.toSorted((a, b) => a.kind.localeCompare(b.kind)).map(given)).toEqual([node, vpc]);

  // A second one may use what the first one made.
  const again = new Demo(['--for', '2s', '--json'], env);
  await again.says(/^daemon: process/m);
  await bed.sql`update fabric set kubernetes_server = 'https://127.0.0.1:1' where name = 'lab'`;
  expect(await again.end(), again.said).toBe(1);
  const after = JSON.parse(again.stdout) as Ended;
  expect(after.fabrics.find(({ name }) => name === 'lab')?.sync_status).toMatch(/^(error|out_of_sync)$/);
});

test('in a database with fabrics of somebody else: it changes nothing, and says what to do', async () => {
  const bed = await openBed({ redis: 'none' });
  await bed.fabric('lab');
  const rows = () => bed.sql`select f.*, c.* from fabric f join fabric_cycle c on c.fabric_id = f.id`;
  const before = await rows();
  const demo = new Demo(['--for', '2s'], { DATABASE_URL: bed.databaseUrl, REDIS_URL: 'none' });
  expect(await demo.end()).toBe(1);
  expect(demo.said).toContain('has fabrics that this demo did not make (lab)');
  expect(demo.said).toContain('unset DATABASE_URL');
  expect(await rows()).toEqual(before);
});
