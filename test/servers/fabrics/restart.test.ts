import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { SimulatedFabric } from '../../../src/demo/fabrics/fabric.ts';
import { startFabricProcess } from '../../../src/demo/fabrics/process.ts';
import { servedText } from '../../../src/demo/fabrics/stored-object.ts';
import { ask, listPage } from '../../support/kube-client.ts';
import { fabricsOfThisFile } from '../../support/simulated-fabric.ts';

const start = fabricsOfThisFile();
let stateDir: string;
beforeEach(async () => {
  stateDir = join(await mkdtemp(join(tmpdir(), 'fabric-state-')), 'lab');
});
afterEach(() => rm(join(stateDir, '..'), { recursive: true, force: true }));

const users = ({ store }: SimulatedFabric) =>
  [...store.everything()].filter(({ kind }) => kind.role !== 'internal').map(servedText);

describe('a fabric that is started again', () => {
  test('is the same one: address, CA, token, cluster, every object with its uid and version', async () => {
    const first = await start({ shape: 'lab', stateDir });
    for (let turn = 0; turn < 40; turn += 1) first.edits.userEdit();
    const before = users(first);
    await first.stop();
    const second = await start({ shape: 'lab', stateDir });
    for (const field of ['url', 'caPem', 'token', 'clusterUid'] as const) expect(second[field]).toBe(first[field]);
    expect(users(second)).toEqual(before);
    expect((await ask(first, '/version')).status).toBe(200);
  });

  test('gives no version twice, though agents had moved the counter without being remembered', async () => {
    const first = await start({ shape: 'lab', stateDir });
    for (let turn = 0; turn < 25_000; turn += 1) first.edits.heartbeat();
    const last = first.store.revision;
    await first.stop();
    const second = await start({ shape: 'lab', stateDir });
    expect(second.store.revision).toBeGreaterThan(last);
    const agents = second.store.all(second.store.kind('Agent'));
    expect(agents).toHaveLength(5);
    expect(Math.min(...agents.map(({ revision }) => revision))).toBeGreaterThan(last);
    const uids = (fabric: SimulatedFabric) => fabric.store.all(fabric.store.kind('Agent')).map(({ uid }) => uid);
    expect(uids(second)).toEqual(uids(first));
  });

  test('takes another port where its own is taken by now, and says the new address', async () => {
    const first = await start({ shape: 'tiny', stateDir });
    await first.stop();
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(first.port, '127.0.0.1', resolve));
    try {
      const second = await start({ shape: 'tiny', stateDir });
      expect(second.port).not.toBe(first.port);
      expect((await ask(second, '/version')).status).toBe(200);
    } finally {
      squatter.close();
    }
  });

  test('with another shape is filled anew, and its versions go on from where they were', async () => {
    const first = await start({ shape: 'lab', stateDir });
    await first.stop();
    const second = await start({ shape: 'tiny', stateDir });
    expect(second.store.count(second.store.kind('Switch'))).toBe(1);
    const uids = (fabric: SimulatedFabric) => [...fabric.store.everything()].map(({ uid }) => uid);
    expect(uids(second).filter((uid) => uids(first).includes(uid))).toEqual([]);
    expect(second.store.revision).toBeGreaterThan(first.store.revision);
  });

  test('comes back though its file was cut in the middle of a line', async () => {
    const first = await start({ shape: 'lab', stateDir });
    const before = users(first);
    await first.stop();
    await appendFile(join(stateDir, 'objects.jsonl'), '{"revision":99999,"put":{"kind":"Swi');
    expect(users(await start({ shape: 'lab', stateDir }))).toEqual(before);
  });

  test('keeps its key and token from other eyes', async () => {
    await start({ shape: 'tiny', stateDir });
    for (const name of ['identity.json', 'objects.jsonl']) {
      expect([name, (await stat(join(stateDir, name))).mode & 0o777]).toEqual([name, 0o600]);
    }
    expect(await readFile(join(stateDir, 'objects.jsonl'), 'utf8')).not.toContain('PRIVATE KEY');
  });
});

describe('fabrics in a process of their own', () => {
  test('are killed in the middle and come back as they were', async () => {
    const order = { name: 'lab', shape: 'lab', stateDir } as const;
    const first = await startFabricProcess({ clock: systemClock });
    const facts = await first.start(order);
    await first.act('lab', 'userEdit', 30);
    const path = '/apis/vpc.githedgehog.com/v1beta1/vpcs';
    const before = await listPage(facts, path);
    process.kill(first.pid, 'SIGKILL');
    await first.ended;

    const second = await startFabricProcess({ clock: systemClock });
    try {
      const again = await second.start(order);
      expect(again.url).toBe(facts.url);
      expect((await listPage(again, path)).items).toEqual(before.items);
    } finally {
      await second.stop();
    }
  });

  test('take orders: faults, acts, figures, and a farm of many', async () => {
    const host = await startFabricProcess({ clock: systemClock });
    try {
      const lab = await host.start({ name: 'lab', shape: 'lab' });
      expect(lab.objects).toMatchObject({ Switch: 5, Server: 6 });
      const id = await host.setFault('lab', { does: 'status', status: 503 });
      expect((await ask(lab, '/version')).status).toBe(503);
      await host.clearFault('lab', id);
      await host.setFault('lab', { does: 'refuse' });
      await expect(ask(lab, '/version')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await host.clearFault('lab');
      expect((await ask(lab, '/version')).status).toBe(200);
      expect(await host.act('lab', 'describeServers', 4)).toBe(4);
      expect(await host.figures('lab')).toMatchObject({ site: { requests: 2 }, objects: { Server: 6 } });
      await expect.poll(async () => (await host.accesses('lab')).map(({ status }) => status)).toEqual([503, 200]);
      await host.accesses('lab', { forget: true });
      expect(await host.accesses('lab')).toEqual([]);
      await expect(host.start({ name: 'lab', shape: 'lab' })).rejects.toThrow('the fabric lab runs already');
      await expect(host.figures('nobody')).rejects.toThrow('no fabric nobody runs here');

      const farm = await host.startFarm({ count: 300 });
      expect(new Set(farm.urls).size).toBe(300);
      const plot = (index: number) => ({ url: farm.urls[index] ?? '', caPem: farm.caPem, token: farm.token });
      const { items } = await listPage(plot(299), '/apis/wiring.githedgehog.com/v1beta1/namespaces/default/switches');
      expect(items).toHaveLength(1);
      await host.setFault('farm/7', { does: 'status', status: 503 });
      expect((await ask(plot(7), '/version')).status).toBe(503);
      expect((await ask(plot(8), '/version')).status).toBe(200);
      await expect(host.setFault('farm/7', { does: 'refuse' })).rejects.toThrow('share their listener');
      expect((await host.usage()).rssBytes).toBeGreaterThan(1e6);
    } finally {
      await host.stop();
    }
    await expect(host.usage()).rejects.toThrow('the process of the simulated fabrics has ended');
  });

  test('end when they are told, also twice', async () => {
    const host = await startFabricProcess({ clock: systemClock });
    const lab = await host.start({ name: 'lab', shape: 'lab' });
    await Promise.all([host.stop(), host.stop()]);
    await host.ended;
    await expect(ask(lab, '/version')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('end with their parent, even where it is killed', async () => {
    const module = (name: string) => new URL(`../../../src/${name}.ts`, import.meta.url).href;
    const parent = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { startFabricProcess } from '${module('demo/fabrics/process')}';
         import { systemClock } from '${module('clock')}';
         const host = await startFabricProcess({ clock: systemClock });
         const { url, caPem, token } = await host.start({ name: 'lab', shape: 'lab' });
         process.stdout.write(JSON.stringify({ url, caPem, token }));`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [text] = await once(parent.stdout, 'data');
    const lab = JSON.parse(String(text));
    expect((await ask(lab, '/version')).status).toBe(200);
    parent.kill('SIGKILL');
    await expect.poll(() => ask(lab, '/version').catch(({ code }) => code), { timeout: 10_000 }).toBe('ECONNREFUSED');
  });
});
