// A sync in trouble: lists that break, failures, a run that is stopped, deletions that wait, another cluster.

import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../machines/fabric/failure.ts';
import type { KubeObject, PageAnswer } from '../src/ports/fabric-api.ts';
import { always, FakeFabric, hang, troubleOn } from './support/fake-fabric-api.ts';
import { FakeInventory } from './support/fake-inventory.ts';
import { committed, failed, inSync, lab, some } from './support/sync-endings.ts';

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

describe('a fabric that would not end', () => {
  const page = (items: readonly KubeObject[], continueToken: string | null, bytes: number): PageAnswer => ({
    kind: 'page',
    page: { items, continueToken, resourceVersion: '1', bytes },
  });

  /** Answers each page of one kind with the next of these, and after them with none. */
  const serving = (kind: string, next: (page: number) => PageAnswer) => {
    const fabric = lab();
    let pages = 0;
    fabric.trouble = (request) => (request.kind === kind ? next(++pages) : undefined);
    return fabric;
  };

  test('is left where its lists together have more bytes than one run may read', async () => {
    const inventory = new FakeInventory();
    const fabric = serving('Server', (at) => page([], `t${at}`, 300_000));
    const { failure } = failed(await inventory.sync(fabric, { limits: { runBytesMax: 1_000_000 } }));
    expect(failure).toMatchObject({
      code: 'BODY_TOO_LARGE',
      message: 'the lists up to that of Server have more than 1000000 bytes together',
      hint: expect.stringContaining('FABRIC_SYNCD_RUN_BYTES_MAX'),
    });
    expect(fabric.pages.filter(({ kind }) => kind === 'Server')).toHaveLength(4);
    expect(inventory.commits).toEqual([]);
  });

  test('is left where it has more objects than one run may keep, however many a page was to have', async () => {
    const fabric = lab();
    fabric.put('Server', ...some(40));
    const { failure } = failed(await new FakeInventory().sync(fabric, { limits: { runBytesMax: 32 * 1024 } }));
    expect(failure).toMatchObject({
      code: 'BODY_TOO_LARGE',
      message: expect.stringMatching(/^the lists up to that of \w+ have more than 32 objects together$/),
    });
  });

  test('does not hold up the others by a page of all that it has', async () => {
    const fabric = lab();
    const all = fabric.make('Server', { name: 'x' });
    const items = Array.from({ length: 2_000 }, (_, at) => ({
      ...all,
      metadata: { ...(all.metadata as object), name: `server-${at}` },
    }));
    let turns = 0;
    let over = false;
    const others = () => {
      turns += 1;
      if (!over) setImmediate(others);
    };
    fabric.trouble = ({ kind }) => {
      if (kind !== 'Server') return undefined;
      others();
      return page(items, null, 1);
    };
    committed(await new FakeInventory().sync(fabric, { limits: { pageLimit: 5, kindsAtOnce: 1 } }));
    over = true;
    expect(turns).toBeGreaterThan(400);
  });

  test('gets no new budget by breaking its lists', async () => {
    const fabric = serving('Server', (at) => (at % 2 === 1 ? page([], 'more', 300_000) : { kind: 'expired' }));
    const { failure } = failed(
      await new FakeInventory().sync(fabric, { limits: { runBytesMax: 1_000_000, restartsMax: 9 } }),
    );
    expect(failure.code).toBe('BODY_TOO_LARGE');
  });

  test('is left where it wants a token carried that is none', async () => {
    const fabric = serving('Server', () => page([], 'x'.repeat(20_000), 1));
    expect(failed(await new FakeInventory().sync(fabric)).failure).toMatchObject({
      code: 'NOT_KUBERNETES',
      message: 'the list of Server goes on behind a token of 20000 characters',
    });
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

  test('that comes while the lists are read is seen before anything is stored, and asked about by the next run', async () => {
    const { fabric, inventory } = await inSync();
    // Every page is the other cluster's; only the first question was answered by the old one.
    fabric.trouble = () => {
      fabric.uid = 'another';
      return undefined;
    };
    fabric.edit('Server', 'server-0000', { metadata: { uid: 'other-server-0000' } });
    expect(failed(await inventory.sync(fabric)).failure.code).toBe('LIST_UNSTABLE');
    expect(inventory.commits).toHaveLength(1);
    const { failure, approval } = failed(await inventory.sync(fabric));
    expect(failure.code).toBe('CLUSTER_CHANGED');
    expect(approval).toMatchObject({ kind: 'cluster', found: 'another' });
  });

  test('costs an unchanged fabric no second question', async () => {
    const { fabric, inventory } = await inSync();
    fabric.asked.length = 0;
    committed(await inventory.sync(fabric));
    expect(fabric.asked.filter((each) => each === 'clusterUid')).toHaveLength(1);
    fabric.edit('Server', 'server-0000', { spec: { of: 'something else' } });
    committed(await inventory.sync(fabric));
    expect(fabric.asked.filter((each) => each === 'clusterUid')).toHaveLength(3);
  });

  test('is not feared where a token that could read the uid may not any more', async () => {
    const { fabric, inventory } = await inSync();
    fabric.uid = null;
    expect(committed(await inventory.sync(fabric)).outcome).toBe('complete');
    expect(inventory.settings.clusterUid).toBe('c1a55e77-0000-4000-8000-000000000001');
  });
});
