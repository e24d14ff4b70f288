// One sync after another against a fabric in memory: what is stored, what is said, and what is left alone.

import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../machines/fabric/failure.ts';
import type { SyncEnding } from '../src/sync/run.ts';
import { always, FakeFabric, hang, served, troubleOn } from './support/fake-fabric-api.ts';
import { FakeInventory } from './support/fake-inventory.ts';

const some = (count: number, prefix = 'server') =>
  Array.from({ length: count }, (_, at) => `${prefix}-${String(at).padStart(4, '0')}`);

function lab(): FakeFabric {
  const fabric = new FakeFabric();
  fabric.put('Switch', 'spine-01', 'spine-02', 'leaf-01', 'leaf-02', 'leaf-03');
  fabric.put('Server', ...some(12));
  fabric.put('VPC', 'vpc-01', 'vpc-02');
  return fabric;
}

function committed(ending: SyncEnding): Extract<SyncEnding, { kind: 'committed' }> {
  if (ending.kind === 'failed') throw ending.failure;
  return ending;
}

function failed(ending: SyncEnding): Extract<SyncEnding, { kind: 'failed' }> {
  if (ending.kind !== 'failed') throw new Error(`it committed: ${ending.outcome}`);
  return ending;
}

/** A fabric and an inventory that is in sync with it. */
async function inSync(fabric = lab()): Promise<{ fabric: FakeFabric; inventory: FakeInventory }> {
  const inventory = new FakeInventory();
  expect(committed(await inventory.sync(fabric)).outcome).toBe('complete');
  return { fabric, inventory };
}

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
    // Groups, three groups' kinds, the identity and fifteen lists.
    expect(figures.requests).toBe(20);
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
      { fabricId: '7', runId: 'run-1', kind: 'Server', state: 'reading', listed: 5 },
      { fabricId: '7', runId: 'run-1', kind: 'Server', state: 'reading', listed: 10 },
      { fabricId: '7', runId: 'run-1', kind: 'Server', state: 'complete', listed: 12 },
    ]);
    expect(inventory.progress.find(({ kind }) => kind === 'External')).toMatchObject({ state: 'forbidden', listed: 0 });
  });

  test('with an object that can not be stored is complete without it, and keeps the row of before', async () => {
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

describe('a kind that can not be read', () => {
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

  test('that was removed from the choice is not asked for, and its rows stay', async () => {
    const { fabric, inventory } = await inSync();
    inventory.set({ kindsRemoved: ['Server'] });
    fabric.asked.length = 0;
    expect(committed(await inventory.sync(fabric)).outcome).toBe('complete');
    expect(fabric.asked).not.toContain('page Server');
    expect(inventory.names('Server')).toHaveLength(12);
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

describe('a list that breaks', () => {
  test('with 410 begins again without a token, and nothing of the broken pass is kept', async () => {
    const { fabric, inventory } = await inSync();
    fabric.edit('Server', 'server-0000', { spec: { soon: 'gone' } });
    let pages = 0;
    fabric.trouble = ({ kind }) => {
      if (kind !== 'Server') return undefined;
      pages += 1;
      if (pages !== 2) return undefined;
      fabric.drop('Server', 'server-0000');
      return { kind: 'expired' };
    };
    fabric.pages.length = 0;
    expect(committed(await inventory.sync(fabric, { limits: { pageLimit: 6 } })).outcome).toBe('complete');
    const tokens = fabric.pages.filter(({ kind }) => kind === 'Server').map(({ continueToken }) => continueToken);
    expect(tokens).toEqual([null, '6', null, '6']);
    expect(inventory.lastCommit.staged).toEqual([]);
    expect(inventory.names('Server')).toHaveLength(11);
    expect(inventory.lastCommit.figures.kinds.Server).toMatchObject({ listed: 11, deleted: 1 });
  });

  test('again and again is a failure that writes nothing', async () => {
    const { fabric, inventory } = await inSync();
    fabric.trouble = always({ kind: 'expired' }, 'Server');
    fabric.pages.length = 0;
    const { failure } = failed(await inventory.sync(fabric, { limits: { restartsMax: 2 } }));
    expect(failure).toMatchObject({ code: 'LIST_UNSTABLE', facts: { kind: 'Server', passes: 3 } });
    expect(fabric.pages.filter(({ kind }) => kind === 'Server')).toHaveLength(3);
    expect(inventory.commits).toHaveLength(1);
  });

  test('because its pages overlap begins again', async () => {
    const { fabric, inventory } = await inSync();
    const servers = fabric.served.find(({ kind }) => kind === 'Server');
    if (!servers) throw new Error('servers are served');
    let pages = 0;
    fabric.trouble = ({ kind, limit }) => {
      if (kind !== 'Server') return undefined;
      pages += 1;
      // The second page comes from one object too early.
      return pages === 2 ? fabric.pageOf(servers, { limit, continueToken: '5' }) : undefined;
    };
    expect(committed(await inventory.sync(fabric, { limits: { pageLimit: 6 } })).outcome).toBe('complete');
    expect(pages).toBe(4);
    expect(inventory.lastCommit.figures.kinds.Server).toMatchObject({ listed: 12, deleted: 0 });
  });

  test('because its token never moves on is stopped', async () => {
    const { fabric, inventory } = await inSync();
    fabric.trouble = ({ kind, continueToken }) =>
      kind === 'Server' && continueToken !== null
        ? { kind: 'page', page: { items: [], continueToken, resourceVersion: '1', bytes: 2 } }
        : undefined;
    const { failure } = failed(await inventory.sync(fabric, { limits: { pageLimit: 5 } }));
    expect(failure).toMatchObject({
      code: 'NOT_KUBERNETES',
      message: 'the list of Server has no end: stopped after 2 pages',
    });
  });

  test('because there is always another page is stopped', async () => {
    const fabric = lab();
    let token = 0;
    fabric.trouble = ({ kind }) => {
      if (kind !== 'Server') return undefined;
      token += 1;
      return { kind: 'page', page: { items: [], continueToken: `t${token}`, resourceVersion: '1', bytes: 2 } };
    };
    const { failure } = failed(await new FakeInventory().sync(fabric, { limits: { pagesMax: 20 } }));
    expect(failure).toMatchObject({ code: 'NOT_KUBERNETES', facts: { kind: 'Server', pages: 21 } });
  });
});

describe('a failure', () => {
  test('on page three ends the whole run at once, and nothing of it runs any more', async () => {
    const { fabric, inventory } = await inSync();
    const usual = troubleOn('Server', 'page', 'page', new FabricFailure('SERVER_ERROR', '500 on page 3'));
    const aborted: string[] = [];
    fabric.trouble = async (request, signal) => {
      if (request.kind !== 'Switch') return await usual(request, signal);
      await hang(signal).catch((reason: unknown) => {
        aborted.push(request.kind);
        throw reason;
      });
      return undefined;
    };
    const { failure, figures, approval } = failed(await inventory.sync(fabric, { limits: { pageLimit: 5 } }));
    expect(failure.message).toBe('500 on page 3');
    expect(aborted).toEqual(['Switch']);
    expect(fabric.pagesInFlight).toBe(0);
    expect(approval).toBeNull();
    expect(figures.kinds.Server).toBeUndefined();
    expect(figures.requests).toBeGreaterThan(3);
    expect(inventory.commits).toHaveLength(1);
  });

  test('counts nothing as changed: nothing was written', async () => {
    const fabric = lab();
    fabric.trouble = troubleOn('GatewayPeering', new FabricFailure('TIMED_OUT', 'no answer'));
    const { figures } = failed(await new FakeInventory().sync(fabric, { limits: { kindsAtOnce: 1 } }));
    expect(figures.kinds.Server).toMatchObject({ answer: 'complete', listed: 12, created: 0 });
  });

  test('of our own making is told as one', async () => {
    const fabric = lab();
    fabric.trouble = () => {
      throw new TypeError('x is not a function');
    };
    expect(failed(await new FakeInventory().sync(fabric)).failure).toMatchObject({
      code: 'INTERNAL',
      message: 'TypeError: x is not a function',
    });
  });

  test('to commit under an epoch that is not the newest writes nothing', async () => {
    const inventory = new FakeInventory();
    inventory.stale = true;
    expect(failed(await inventory.sync(lab())).failure.code).toBe('FENCE_STALE');
    expect(inventory.objects.size).toBe(0);
  });

  test('keeps the patience that the server asked for', async () => {
    const fabric = lab();
    fabric.trouble = troubleOn('VPC', new FabricFailure('THROTTLED', 'busy', { retryAfterMs: 7000 }));
    expect(failed(await new FakeInventory().sync(fabric)).failure.retryAfterMs).toBe(7000);
  });
});

describe('a run that is stopped', () => {
  test('ends with the reason it was given, in the middle of a list', async () => {
    const fabric = lab();
    const stop = new AbortController();
    fabric.trouble = (_request, signal) => {
      stop.abort(new FabricFailure('SHUTDOWN', 'the daemon stops'));
      return hang(signal);
    };
    const inventory = new FakeInventory();
    expect(failed(await inventory.sync(fabric, { signal: stop.signal })).failure.code).toBe('SHUTDOWN');
    expect({ inFlight: fabric.pagesInFlight, commits: inventory.commits }).toEqual({ inFlight: 0, commits: [] });
  });

  test('without a reason was cancelled', async () => {
    const inventory = new FakeInventory();
    const { failure } = failed(await inventory.sync(lab(), { signal: AbortSignal.abort() }));
    expect(failure.code).toBe('CANCELLED');
    expect(inventory.commits).toEqual([]);
  });

  test('after the last page and before the commit writes nothing', async () => {
    const fabric = lab();
    const stop = new AbortController();
    const inventory = new FakeInventory();
    fabric.trouble = ({ kind }) => {
      if (kind === 'GatewayPeering') stop.abort();
      return undefined;
    };
    failed(await inventory.sync(fabric, { signal: stop.signal, limits: { kindsAtOnce: 1 } }));
    expect(inventory.commits).toEqual([]);
  });
});

describe('the guard', () => {
  test('holds back the deletions of a fabric that is suddenly empty, until exactly they are approved', async () => {
    const { fabric, inventory } = await inSync();
    for (const kind of ['Switch', 'Server', 'VPC']) fabric.empty(kind);
    const first = committed(await inventory.sync(fabric));
    expect(first).toMatchObject({
      outcome: 'awaiting_approval',
      changes: 0,
      remark: 'waits for approval: 19 of 19 objects would be deleted (5 Switch, 12 Server, 2 VPC)',
    });
    expect(first.figures.kinds.Server).toMatchObject({ answer: 'complete', deleted: 0 });
    expect(inventory.objects.size).toBe(19);

    // It waits, as the same question, however often it is looked at.
    committed(await inventory.sync(fabric));
    expect(inventory.settings.approval?.runId).toBe('run-2');

    inventory.approve();
    const done = committed(await inventory.sync(fabric));
    expect(done).toMatchObject({ outcome: 'complete', remark: '', changes: 19 });
    expect(done.figures.kinds.Server).toMatchObject({ deleted: 12 });
    expect(inventory.objects.size).toBe(0);
    expect(inventory.settings.approval).toBeNull();
  });

  test('lets everything else be written meanwhile', async () => {
    const { fabric, inventory } = await inSync();
    fabric.empty('Server');
    fabric.put('VPC', 'vpc-03');
    committed(await inventory.sync(fabric));
    expect(inventory.names('VPC')).toContain('vpc-03');
    expect(inventory.names('Server')).toHaveLength(12);
  });

  test('asks no more when what was gone is back', async () => {
    const { fabric, inventory } = await inSync();
    const empty = new FakeFabric();
    empty.uid = fabric.uid;
    committed(await inventory.sync(empty));
    expect(inventory.settings.approval).not.toBeNull();
    expect(committed(await inventory.sync(fabric)).outcome).toBe('complete');
    expect(inventory.settings.approval).toBeNull();
  });

  test('says beside it what could not be read', async () => {
    const { fabric, inventory } = await inSync();
    fabric.empty('Server');
    fabric.trouble = always({ kind: 'forbidden', message: 'no' }, 'VPC');
    const { outcome, remark } = committed(await inventory.sync(fabric));
    expect(outcome).toBe('awaiting_approval');
    expect(remark).toBe(
      'waits for approval: 12 of 17 objects would be deleted (12 Server); the token may not list: VPC (2 kept)',
    );
  });
});

describe('another cluster behind the address', () => {
  test('stops the run before a list is read, and goes on when a person says so', async () => {
    const { inventory } = await inSync();
    const other = lab();
    for (const name of some(12)) other.edit('Server', name, { metadata: { uid: `other-${name}` } });
    other.uid = 'another';
    const { failure, approval } = failed(await inventory.sync(other));
    expect(failure.code).toBe('CLUSTER_CHANGED');
    expect(other.pages).toEqual([]);
    expect(approval).toMatchObject({
      kind: 'cluster',
      found: 'another',
      pinned: 'c1a55e77-0000-4000-8000-000000000001',
    });

    failed(await inventory.sync(other));
    expect(inventory.settings.approval).toEqual(approval);
    inventory.approve();
    expect(committed(await inventory.sync(other)).outcome).toBe('complete');
    expect(inventory.settings).toMatchObject({ clusterUid: 'another', approval: null });
    expect(inventory.object('Server', 'server-0000')?.uid).toBe('other-server-0000');
    expect(committed(await inventory.sync(other)).changes).toBe(0);
  });

  test('is told by its objects where the token may not read the uid', async () => {
    const fabric = lab();
    fabric.uid = null;
    const { inventory } = await inSync(fabric);
    expect(inventory.settings.clusterUid).toBeNull();
    const other = new FakeFabric();
    other.uid = null;
    other.put('Switch', { name: 'leaf-01', uid: 'b-1' }, { name: 'leaf-02', uid: 'b-2' });
    const { failure, approval, figures } = failed(await inventory.sync(other));
    expect(failure.code).toBe('CLUSTER_CHANGED');
    expect(approval).toMatchObject({ found: 'objects:b-1' });
    expect(figures.kinds.Switch).toMatchObject({ listed: 2 });
    expect(inventory.commits).toHaveLength(1);

    // It is the right one now; what it lost is a question of its own.
    inventory.approve();
    expect(committed(await inventory.sync(other)).outcome).toBe('awaiting_approval');
    expect(inventory.object('Switch', 'leaf-01')?.uid).toBe('b-1');
    expect(inventory.settings.approval).toMatchObject({ kind: 'deletions' });
    inventory.approve();
    expect(committed(await inventory.sync(other)).outcome).toBe('complete');
    expect(inventory.objects.size).toBe(2);
  });

  test('is not feared where a token that could read the uid may not any more', async () => {
    const { fabric, inventory } = await inSync();
    fabric.uid = null;
    expect(committed(await inventory.sync(fabric)).outcome).toBe('complete');
    expect(inventory.settings.clusterUid).toBe('c1a55e77-0000-4000-8000-000000000001');
  });
});
