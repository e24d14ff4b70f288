import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claimFolder } from '../../src/demo/servers/folder-owner.ts';
import { runFabricSyncd } from '../support/run-program.ts';

describe('a demo in the folder of one that runs', () => {
  let dir: string;
  let release: () => Promise<void>;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'fabric-syncd-demo-'));
    release = await claimFolder(dir, 'The demo');
  });
  afterEach(async () => {
    await release();
    await rm(dir, { recursive: true, force: true });
  });

  test('is told who has it, and is not called a defect', async () => {
    const { code, stdout, stderr } = await runFabricSyncd(['demo', '--state-dir', dir, '--for', '5s']);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(`The demo in ${dir} is in use by process ${process.pid}`);
    expect(stderr).not.toContain('defect');
  });

  test('says so in JSON', async () => {
    const run = await runFabricSyncd(['demo', '--state-dir', dir, '--json']);
    expect(run.json()).toMatchObject({ error: { code: 'NOT_STARTED' } });
  });
});

describe('a demo that is to tell its traces', () => {
  const wrong = [
    ['localhost:4318', 'Expected the URL of an OTLP/HTTP receiver, such as http://localhost:4318'],
    ['grpc://localhost:4317', 'Expected the URL of an OTLP/HTTP receiver'],
    ['http://localhost:4318/v1/traces', 'Leave out /v1/traces'],
    ['http://ann:secret@localhost:4318', 'say it by OTEL_EXPORTER_OTLP_HEADERS'],
    ['http://localhost:4318/?key=1', 'Expected a URL without "?" and "#"'],
  ] as const;

  test.each(wrong)('to %s: is told what was expected, before anything starts', async (url, says) => {
    const { code, stdout, stderr } = await runFabricSyncd(['demo', '--otlp', url, '--for', '5s']);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('--otlp');
    expect(stderr).toContain(says);
  });
});

describe('a demo of given manifests', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'fabric-syncd-demo-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  test('that are wrong: every problem is told, before a server starts', async () => {
    const wiring = join(dir, 'wiring.yaml');
    await writeFile(wiring, 'apiVersion: vpc.githedgehog.com/v1beta1\nkind: VPC\n---\na: [\n');
    const argv = ['demo', '--manifests', wiring, '--state-dir', join(dir, 'state')];
    const told = await runFabricSyncd(argv);
    expect(told).toMatchObject({ code: 2, stdout: '' });
    expect(told.stderr).toContain('the manifests have 2 problems');
    expect(told.stderr).toContain(`${wiring}, document 1: VPC: metadata.name is not set`);
    expect(told.stderr).toMatch(/wiring\.yaml, document 2: not YAML/);
    expect(told.stderr).not.toMatch(/defect|Postgres:/);
    const { error, problems } = (await runFabricSyncd([...argv, '--json'])).json<{
      error: object;
      problems: string[];
    }>();
    expect(error).toMatchObject({ code: 'MANIFESTS_INVALID' });
    expect(problems).toHaveLength(2);
  });

  test('that are not there: is told so', async () => {
    const none = join(dir, 'none');
    const told = await runFabricSyncd(['demo', '--manifests', none, '--state-dir', join(dir, 'state')]);
    expect(told.code).toBe(2);
    expect(told.stderr).toContain(`${none}: no such file or folder`);
  });
});
