// What people have in their hands: a real kubectl against a simulated fabric.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { systemClock } from '../../../src/clock.ts';
import { type SimulatedFabric, startSimulatedFabric } from '../../../src/demo/fabrics/fabric.ts';
import { kindsOf } from '../../../src/demo/fabrics/kinds.ts';
import { systemDice } from '../../../src/dice.ts';

const program = '/usr/bin/kubectl';
const run = promisify(execFile);

describe.skipIf(!existsSync(program))('kubectl (skipped where /usr/bin/kubectl is not installed)', () => {
  let folder: string;
  let fabric: SimulatedFabric;
  const kubectl = async (...words: string[]) => {
    const { stdout } = await run(
      program,
      ['--kubeconfig', join(folder, 'config'), '--cache-dir', join(folder, 'cache'), ...words],
      {
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    return stdout;
  };
  const lines = (text: string) => text.trimEnd().split('\n');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubectl-'));
    fabric = await startSimulatedFabric({ name: 'pod', shape: 'medium', clock: systemClock, dice: systemDice });
    await writeFile(join(folder, 'config'), fabric.kubeconfig(), { mode: 0o600 });
  });
  afterAll(async () => {
    await fabric.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('api-resources names every kind with its short names', async () => {
    const text = await kubectl('api-resources', '--no-headers');
    const kinds = lines(text).map((line) => line.split(/\s+/).at(-1));
    expect(kinds.toSorted()).toEqual(['Namespace', ...kindsOf('v0.113+').map(({ kind }) => kind)].toSorted());
    expect(text).toMatch(
      /^externalpeerings\s+extpeering,extpeer\s+vpc\.githedgehog\.com\/v1beta1\s+true\s+ExternalPeering$/m,
    );
  });

  test('get switches,vpcs,connections -A prints the columns of each kind', async () => {
    const text = await kubectl('get', 'switches,vpcs,connections', '-A');
    expect(text).toMatch(/^NAMESPACE\s+NAME\s+PROFILE\s+ROLE\s+DESCR\s+GROUPS\s+AGE$/m);
    expect(text).toMatch(
      /^default\s+switch\.wiring\.githedgehog\.com\/leaf-16\s+celestica-ds3000\s+border-leaf\s+leaf-16\s+\["eslag-8"\]\s+41d$/m,
    );
    expect(text).toMatch(/^default\s+vpc\.vpc\.githedgehog\.com\/vpc-20\s+ipns-02\s+default\s+41d$/m);
    expect(text).toMatch(
      /^default\s+connection\.wiring\.githedgehog\.com\/spine-01--gateway--gateway-1\s+gateway\s+41d$/m,
    );
    expect(text.match(/^default/gm)).toHaveLength(20 + 20 + 196);
  });

  test('-o yaml gives the whole objects', async () => {
    const { kind, items } = parse(await kubectl('get', 'vpcs', '-o', 'yaml'));
    expect(kind).toBe('List');
    expect(items).toHaveLength(20);
    expect(items[0]).toMatchObject({
      kind: 'VPC',
      metadata: { name: 'vpc-01', generation: 1 },
      spec: { ipv4Namespace: 'default' },
      status: {},
    });
  });

  test('-o wide prints the columns of lower priority too', async () => {
    const [header = ''] = lines(await kubectl('get', 'externalattachments', '-o', 'wide'));
    expect(header.split(/\s+/)).toEqual([
      'NAME',
      'EXTERNAL',
      'CONNECTION',
      'SWVLAN',
      'SWIP',
      'NEIGHASN',
      'NEIGHIP',
      'AGE',
    ]);
  });

  test('one object by name, by short name and by category', async () => {
    expect(lines(await kubectl('get', 'sw', 'leaf-01', '--no-headers'))).toHaveLength(1);
    expect(
      parse(await kubectl('get', 'conn', 'spine-01--fabric--leaf-01', '-o', 'yaml')).spec.fabric.links,
    ).toHaveLength(2);
    const external = await kubectl('get', 'external', '-o', 'name');
    const kinds = lines(external).map((line) => line.split('.')[0]);
    expect(kinds.toSorted()).toEqual([
      ...Array(2).fill('external'),
      ...Array(4).fill('externalattachment'),
      ...Array(4).fill('externalpeering'),
    ]);
    await expect(kubectl('get', 'switch', 'leaf-99')).rejects.toMatchObject({
      stderr: expect.stringContaining('switches.wiring.githedgehog.com "leaf-99" not found'),
    });
  });

  test('--chunk-size follows the pages', async () => {
    fabric.forgetAccesses();
    expect(lines(await kubectl('get', 'connections', '--chunk-size=50', '--no-headers'))).toHaveLength(196);
    const statuses = () => fabric.accesses.filter(({ kind }) => kind === 'Connection').map(({ status }) => status);
    await expect.poll(statuses).toEqual([200, 200, 200, 200]);
  });

  test('selectors, labels and describe work', async () => {
    const gateways = await kubectl(
      'get',
      'connections',
      '-l',
      'fabric.githedgehog.com/connection-type=gateway',
      '-o',
      'name',
    );
    expect(lines(gateways)).toHaveLength(8);
    expect(await kubectl('get', 'vpcs', '-L', 'fabric.githedgehog.com/ipv4ns')).toContain('IPV4NS');
    expect(await kubectl('describe', 'vpc', 'vpc-05')).toMatch(/ipv4Namespace:\s+default/i);
  });

  test('a person can label and delete', async () => {
    await kubectl('label', 'vpc', 'vpc-19', 'who=me');
    expect(lines(await kubectl('get', 'vpc', '-l', 'who=me', '-o', 'name'))).toEqual([
      'vpc.vpc.githedgehog.com/vpc-19',
    ]);
    await kubectl('delete', 'vpc', 'vpc-19', '--wait=false');
    expect(await kubectl('get', 'vpcs', '-o', 'name')).not.toContain('vpc-19');
  });
});
