// One sync after another against a fabric in memory: what is stored, what is said, and what is left alone.

import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../machines/fabric/failure.ts';
import { always, served, troubleOn } from './support/fake-fabric-api.ts';
import { FakeInventory } from './support/fake-inventory.ts';
import { committed, failed, inSync, lab, some } from './support/sync-endings.ts';

describe('a healthy fabric', () => {
  test('is stored whole by the first sync, under its own plurals', async () => {
    const { inventory } = await inSync();
    expect(inventory.objects.size).toBe(19);
    expect(inventory.object('Switch', 'leaf-01')).toMatchObject({ plural: 'switches', version: 'v1beta1' });
    const { figures, clusterUid, stagedCount, next, remark, kindsComplete, approval } = inventory.lastCommit;
    expect(figures.kinds.Server).toEqual({
      answer: 'complete',
      listed: 12,
      created: 12,
      updated: 0,
      deleted: 0,
      touched: 0,
      quarantined: 0,
    });
    expect(Object.keys(figures.kinds)).toHaveLength(15);
    // Groups, three groups' kinds, the identity before and after, and fifteen lists.
    expect(figures.requests).toBe(21);
    expect(figures.bytesRead).toBeGreaterThan(3000);
    expect({ clusterUid, stagedCount, next, remark, approval }).toEqual({
      clusterUid: 'c1a55e77-0000-4000-8000-000000000001',
      stagedCount: 19,
      next: { tickMs: 1, dueAtMs: 2, intervalMs: 60_000 },
      remark: '',
      approval: null,
    });
    expect(kindsComplete).toHaveLength(15);
    expect(kindsComplete).toContain('wiring.githedgehog.com/Switch');
  });

  test('that did not change writes nothing, asks nothing of discovery, and pins nothing again', async () => {
    const { fabric, inventory } = await inSync();
    fabric.asked.length = 0;
    expect(committed(await inventory.sync(fabric)).changes).toBe(0);
    expect(inventory.lastCommit).toMatchObject({ staged: [], touched: [], deletions: [], clusterUid: null });
    expect(fabric.asked.filter((each) => !each.startsWith('page'))).toEqual(['clusterUid']);
  });

  test('that is known to fit in a page is asked for one list at a time, a larger one and an unknown one for more', async () => {
    const { fabric, inventory } = await inSync();
    expect(fabric.pagesInFlightMax).toBe(4);
    const atOnce = async (pageLimit: number) => {
      fabric.pagesInFlightMax = 0;
      committed(await inventory.sync(fabric, { limits: { pageLimit } }));
      return fabric.pagesInFlightMax;
    };
    expect(await atOnce(500)).toBe(1);
    expect(await atOnce(10)).toBe(2);
    expect(await atOnce(2)).toBe(4);
  });

  test('that changed writes what changed', async () => {
    const { fabric, inventory } = await inSync();
    fabric.put('VPC', 'vpc-03');
    fabric.edit('Switch', 'leaf-01', { spec: { role: 'spine' } });
    fabric.edit('Switch', 'leaf-02', {});
    fabric.drop('Server', 'server-0003');
    committed(await inventory.sync(fabric));
    const { staged, touched, deletions, figures } = inventory.lastCommit;
    expect(staged.map(({ name }) => name).toSorted()).toEqual(['leaf-01', 'vpc-03']);
    expect({ touched: touched.length, deletions: deletions.length }).toEqual({ touched: 1, deletions: 1 });
    expect(figures.kinds).toMatchObject({
      VPC: { created: 1, updated: 0 },
      Switch: { updated: 1, touched: 1 },
      Server: { deleted: 1, listed: 11 },
    });
    expect(inventory.names('Server')).not.toContain('server-0003');
  });

  test('whose objects an upgrade rewrote is touched, not changed', async () => {
    const { fabric, inventory } = await inSync();
    for (const name of some(12)) fabric.edit('Server', name, { metadata: { generation: 2 } });
    committed(await inventory.sync(fabric));
    expect(inventory.lastCommit).toMatchObject({ staged: [], stagedCount: 0, deletions: [] });
    expect(inventory.lastCommit.touched).toHaveLength(12);
  });

  test('is read page by page, the largest kinds first, a few lists at once', async () => {
    const fabric = lab();
    const inventory = new FakeInventory();
    await inventory.sync(fabric, { limits: { pageLimit: 5, kindsAtOnce: 3 } });
    expect(fabric.pagesInFlightMax).toBe(3);
    const servers = fabric.pages.filter(({ kind }) => kind === 'Server');
    expect(servers.map(({ limit, continueToken, namespace }) => [limit, continueToken, namespace])).toEqual([
      [5, null, 'default'],
      [5, '5', 'default'],
      [5, '10', 'default'],
    ]);
    expect(inventory.names('Server')).toHaveLength(12);
    fabric.pages.length = 0;
    await inventory.sync(fabric, { limits: { kindsAtOnce: 1 } });
    expect(fabric.pages.slice(0, 3).map(({ kind }) => kind)).toEqual(['Server', 'Switch', 'VPC']);
  });

  test('tells how far each list has come', async () => {
    const fabric = lab();
    fabric.trouble = always({ kind: 'forbidden', message: 'no' }, 'External');
    const inventory = new FakeInventory();
    await inventory.sync(fabric, { limits: { pageLimit: 5 } });
    expect(inventory.progress.filter(({ kind }) => kind === 'Server')).toEqual([
      { fabricId: '7', runId: 'run-1', kind: 'Server', state: 'reading', listed: 0 },
      { fabricId: '7', runId: 'run-1', kind: 'Server', state: 'reading', listed: 5 },
      { fabricId: '7', runId: 'run-1', kind: 'Server', state: 'reading', listed: 10 },
      { fabricId: '7', runId: 'run-1', kind: 'Server', state: 'complete', listed: 12 },
    ]);
    expect(inventory.progress.findLast(({ kind }) => kind === 'External')).toMatchObject({
      state: 'forbidden',
      listed: 0,
    });
  });

  test('with an object that cannot be stored is complete without it, and keeps the row of before', async () => {
    const { fabric, inventory } = await inSync();
    fabric.edit('Switch', 'leaf-01', { spec: { note: '\0' } });
    expect(committed(await inventory.sync(fabric))).toMatchObject({ outcome: 'complete', remark: '' });
    expect(inventory.lastCommit.quarantined).toMatchObject([{ kind: 'Switch', name: 'leaf-01' }]);
    expect(inventory.lastCommit.figures.kinds.Switch).toMatchObject({ quarantined: 1, deleted: 0, listed: 5 });
    expect(inventory.names('Switch')).toContain('leaf-01');
  });

  test('with an object nobody can name deletes nothing of that kind, and says so', async () => {
    const { fabric, inventory } = await inSync();
    fabric.drop('Server', 'server-0001');
    fabric.putRaw('Server', { metadata: {} });
    const { outcome, remark } = committed(await inventory.sync(fabric));
    expect(outcome).toBe('partial');
    expect(remark).toMatch(/nothing is deleted .*: Server \(12 kept\)/);
    expect(inventory.names('Server')).toHaveLength(12);
  });
});

test('a kind of the installer is listed in the namespace that the product keeps it in', async () => {
  const fabric = lab();
  fabric.served.push(served('fabricator.githedgehog.com', 'v1beta1', 'FabNode', 'fabnodes'));
  fabric.put('FabNode', { name: 'gateway-1', namespace: 'fab' });
  const inventory = new FakeInventory({ kindsAdded: ['FabNode'], namespace: 'default' });
  expect(committed(await inventory.sync(fabric)).outcome).toBe('complete');
  expect(fabric.pages.filter(({ namespace }) => namespace === 'fab').map(({ kind }) => kind)).toEqual(['FabNode']);
  expect(inventory.object('FabNode', 'gateway-1')).toMatchObject({ namespace: 'fab' });
});

describe('a kind that cannot be read', () => {
  test('for want of rights keeps its rows, and the run is partial', async () => {
    const { fabric, inventory } = await inSync();
    fabric.trouble = always({ kind: 'forbidden', message: 'vpcs is forbidden' }, 'VPC', 'External');
    fabric.drop('Server', 'server-0001');
    const { outcome, remark } = committed(await inventory.sync(fabric));
    expect({ outcome, remark }).toEqual({
      outcome: 'partial',
      remark: 'the token may not list: VPC (2 kept), External',
    });
    expect(inventory.names('VPC')).toHaveLength(2);
    expect(inventory.names('Server')).toHaveLength(11);
    expect(inventory.lastCommit.kindsComplete).not.toContain('vpc.githedgehog.com/VPC');
    expect(inventory.lastCommit.figures.kinds.VPC).toMatchObject({ answer: 'forbidden', listed: 0 });
  });

  test('in mid-list keeps its rows as they were: nothing of the first pages is written', async () => {
    const { fabric, inventory } = await inSync();
    fabric.edit('Server', 'server-0000', { spec: { changed: true } });
    fabric.trouble = troubleOn('Server', 'page', { kind: 'forbidden', message: 'no' });
    expect(committed(await inventory.sync(fabric, { limits: { pageLimit: 5 } })).outcome).toBe('partial');
    expect(inventory.lastCommit).toMatchObject({ staged: [], deletions: [] });
  });

  test('because this product generation does not have it is no trouble', async () => {
    const fabric = lab();
    fabric.unserve('GatewayPeering', 'GatewayGroup', 'Gateway');
    const inventory = new FakeInventory();
    expect(committed(await inventory.sync(fabric))).toMatchObject({ outcome: 'complete', remark: '' });
    expect(inventory.lastCommit.figures.kinds.Gateway).toMatchObject({ answer: 'not_served', listed: 0 });
  });

  test('because it is not served any more keeps its rows, and the run is partial', async () => {
    const { fabric, inventory } = await inSync();
    fabric.unserve('VPC');
    const { outcome, remark } = committed(await inventory.sync(fabric));
    expect({ outcome, remark }).toEqual({ outcome: 'partial', remark: 'not served: VPC (2 kept)' });
    expect(inventory.names('VPC')).toHaveLength(2);
  });

  test('though a person added it makes the run partial', async () => {
    const inventory = new FakeInventory({ kindsAdded: ['SwitchProfile'] });
    const { outcome, remark } = committed(await inventory.sync(lab()));
    expect({ outcome, remark }).toEqual({ outcome: 'partial', remark: 'not served: SwitchProfile' });
  });

  test('where none can be read is a failure', async () => {
    const { fabric, inventory } = await inSync();
    fabric.trouble = always({ kind: 'forbidden', message: 'User "x" cannot list' });
    const { failure, figures } = failed(await inventory.sync(fabric));
    expect(failure).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('User "x" cannot list') });
    expect(figures.kinds.VPC).toMatchObject({ answer: 'forbidden' });

    fabric.trouble = () => undefined;
    fabric.served = [served('apps', 'v1', 'Deployment', 'deployments')];
    expect(failed(await inventory.sync(fabric)).failure.code).toBe('NO_KINDS_SERVED');
    expect(inventory.objects.size).toBe(19);
  });

  test('that was removed from the choice is not asked for, and its rows leave', async () => {
    const { fabric, inventory } = await inSync();
    inventory.set({ kindsRemoved: ['Server'] });
    fabric.asked.length = 0;
    expect(committed(await inventory.sync(fabric)).outcome).toBe('complete');
    expect(fabric.asked).not.toContain('page Server');
    expect(inventory.names('Server')).toHaveLength(0);
  });

  test('by a choice that makes no sense fails before anything is asked', async () => {
    const fabric = lab();
    const { failure } = failed(await new FakeInventory({ kindsAdded: ['Agent'] }).sync(fabric));
    expect(failure.code).toBe('SETTINGS_INVALID');
    expect(fabric.asked).toEqual([]);
  });
});

describe('discovery', () => {
  test('finds the version that the fabric has', async () => {
    const fabric = lab();
    fabric.served = fabric.served.map((kind) => ({ ...kind, version: 'v1alpha2' }));
    const inventory = new FakeInventory();
    fabric.put('Switch', 'leaf-09');
    await inventory.sync(fabric);
    expect(inventory.object('Switch', 'leaf-09')).toMatchObject({ version: 'v1alpha2' });
  });

  test('prefers the version it knows, and takes another for what only that has', async () => {
    const fabric = lab();
    fabric.served.unshift(
      served('wiring.githedgehog.com', 'v9', 'Switch', 'switches'),
      served('wiring.githedgehog.com', 'v9', 'Fabric', 'fabrics'),
    );
    const inventory = new FakeInventory({ kindsAdded: ['Fabric'] });
    expect(committed(await inventory.sync(fabric)).outcome).toBe('complete');
    expect(fabric.asked.filter((each) => each.startsWith('kinds wiring'))).toEqual([
      'kinds wiring.githedgehog.com/v1beta1',
      'kinds wiring.githedgehog.com/v9',
    ]);
    expect(inventory.object('Switch', 'leaf-01')).toMatchObject({ version: 'v1beta1' });
  });

  test('is asked again after a while, for another choice of kinds, and for another address', async () => {
    const { fabric, inventory } = await inSync();
    const asked = async () => {
      fabric.asked.length = 0;
      await inventory.sync(fabric);
      return fabric.asked.includes('groups');
    };
    expect(await asked()).toBe(false);
    inventory.monotonicMs += 5 * 60_000;
    expect(await asked()).toBe(true);
    inventory.set({ kindsAdded: ['Catalog'] });
    expect(await asked()).toBe(true);
    inventory.set({ server: 'https://elsewhere:6443' });
    expect(await asked()).toBe(true);
    expect(await asked()).toBe(false);
  });

  test('is asked again in the same run when a list is gone, and a kind that moved is read where it is now', async () => {
    const { fabric, inventory } = await inSync();
    fabric.served = fabric.served.map((kind) => (kind.kind === 'VPC' ? { ...kind, version: 'v2' } : kind));
    fabric.drop('VPC', 'vpc-01', 'vpc-02');
    fabric.put('VPC', 'vpc-01', 'vpc-02', 'vpc-03');
    expect(committed(await inventory.sync(fabric)).outcome).toBe('complete');
    expect(inventory.object('VPC', 'vpc-03')).toMatchObject({ version: 'v2' });
    expect(fabric.asked.filter((each) => each === 'page Server')).toHaveLength(2);
  });

  test('that fails fails the run', async () => {
    const fabric = lab();
    fabric.troubleElsewhere = async (request) => {
      if (request.startsWith('kinds vpc')) throw new FabricFailure('SERVER_ERROR', 'etcd is away');
    };
    const inventory = new FakeInventory();
    expect(failed(await inventory.sync(fabric)).failure.code).toBe('SERVER_ERROR');
    fabric.troubleElsewhere = async () => {};
    committed(await inventory.sync(fabric));
  });
});

describe('a kind that a person removes from what is read', () => {
  test('leaves the inventory with the next run, whatever the guard says of deletions, and comes back when it is added again', async () => {
    const { fabric, inventory } = await inSync();
    inventory.set({ guardCount: 0, guardShare: 0 });
    inventory.set({ kindsRemoved: ['Server'] });
    const ending = committed(await inventory.sync(fabric));
    expect(ending).toMatchObject({ outcome: 'complete', changes: 12, remark: '' });
    expect(inventory.names('Server')).toEqual([]);
    expect(inventory.lastCommit).toMatchObject({ deletions: [], approval: null });
    expect(inventory.lastCommit.unsynced).toHaveLength(12);
    expect(inventory.lastCommit.figures.kinds.Server).toMatchObject({ answer: 'unwanted', unsynced: 12, deleted: 0 });

    expect(committed(await inventory.sync(fabric)).changes).toBe(0);
    expect(inventory.lastCommit.figures.kinds).not.toHaveProperty('Server');

    inventory.set({ kindsRemoved: [] });
    expect(committed(await inventory.sync(fabric)).changes).toBe(12);
    expect(inventory.names('Server')).toHaveLength(12);
  });

  test('while another kind may not be listed leaves all the same, and the other one stays', async () => {
    const { fabric, inventory } = await inSync();
    const stored = inventory.names('Switch').length;
    fabric.trouble = troubleOn('Switch', { kind: 'forbidden', message: 'no' });
    inventory.set({ kindsRemoved: ['Server'] });
    expect(committed(await inventory.sync(fabric))).toMatchObject({ outcome: 'partial', changes: 12 });
    expect(inventory.names('Switch')).toHaveLength(stored);
  });

  test('takes what waited for approval of it along', async () => {
    const { fabric, inventory } = await inSync();
    inventory.set({ guardCount: 0, guardShare: 0 });
    fabric.drop('Server', 'server-0000');
    expect(committed(await inventory.sync(fabric)).outcome).toBe('awaiting_approval');
    inventory.set({ kindsRemoved: ['Server'] });
    expect(committed(await inventory.sync(fabric)).outcome).toBe('complete');
    expect(inventory.settings.approval).toBeNull();
  });

  test('loses nothing in a run that fails', async () => {
    const { fabric, inventory } = await inSync();
    inventory.set({ kindsRemoved: ['Server'] });
    fabric.uid = 'another';
    failed(await inventory.sync(fabric));
    expect(inventory.names('Server')).toHaveLength(12);
  });
});
