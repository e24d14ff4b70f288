import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  addFabric,
  claimNow,
  commitRequest,
  neverAborted,
  openStorePlace,
  report,
  rowOf,
  type StorePlace,
  settleRequest,
  wholeDatabase,
} from '../../support/fabric-store.ts';

let place: StorePlace;

beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
});

afterAll(() => place.close());

const fabric = (id: string) => rowOf(place.sql, 'fabric', { id });
const cycle = (id: string) => rowOf(place.sql, 'fabric_cycle', { fabric_id: id });
const synced = async (id: string) => {
  const claimed = await claimNow(place, id);
  await place.store.commit(commitRequest(claimed), neverAborted);
};

describe('a failed run', () => {
  test('leaves a fabric that never synced without a last sync, in error, with cause and remedy', async () => {
    const id = await addFabric(place.sql);
    const claimed = await claimNow(place, id);
    const figures = { kinds: { Switch: report({ listed: 3 }) }, requests: 4, bytesRead: 99 };
    const failure = {
      code: 'THROTTLED',
      message: 'too many requests.',
      hint: 'Wait.',
      retryAfterMs: 7_000,
      facts: { status: 429, odd: 'n\0ul \ud800' },
    } as const;
    const answer = await place.store.settle(
      settleRequest(claimed, { attempts: 2, failure, figures, connection: 'error' }),
    );

    const stored = { ...failure, facts: { status: 429, odd: 'n\ufffdul \ufffd' } };
    expect(answer).toEqual({
      kind: 'settled',
      row: {
        ...claimed.row,
        state: 'backoff',
        lastSyncMs: null,
        dueAtMs: 2_000_000_000_000,
        dueKind: 'retry',
        attempts: 2,
        failure: stored,
        leaseHolder: null,
        leaseUntilMs: null,
      },
    });
    expect(await fabric(id)).toMatchObject({
      last_sync: null,
      sync_status: 'error',
      sync_error: 'too many requests. Wait.',
      connection_status: 'error',
      connection_error: 'too many requests.',
    });
    expect(await rowOf(place.sql, 'fabric_run', { id: claimed.claim.runId })).toMatchObject({
      outcome: 'failed',
      failure: { ...stored, at: expect.any(String) },
      unchanged: 3,
      requests: 4,
      bytes_read: '99',
    });
  });

  test('puts back the last sync of the last run that was one', async () => {
    const id = await addFabric(place.sql);
    await synced(id);
    const { last_sync } = await fabric(id);
    await place.store.settle(settleRequest(await claimNow(place, id)));
    await place.store.settle(
      settleRequest(await claimNow(place, id), { rest: 'errored', due: { kind: 'probe', dueAtMs: 3 } }),
    );
    expect((await fabric(id)).last_sync).toEqual(last_sync);
    expect(await cycle(id)).toMatchObject({ state: 'errored', due_kind: 'probe' });
  });

  test('says nothing of the connection where the failure does not', async () => {
    const id = await addFabric(place.sql);
    await synced(id);
    await place.store.settle(settleRequest(await claimNow(place, id), { connection: null }));
    expect(await fabric(id)).toMatchObject({ connection_status: 'connected', connection_error: '' });
  });

  test('keeps what waits for a person, unless it has something newer to show', async () => {
    const id = await addFabric(place.sql);
    const approval = { kind: 'cluster', runId: '4', sinceMs: 9, pinned: 'a', found: 'b' } as const;
    await place.store.settle(settleRequest(await claimNow(place, id), { approval }));
    await place.sql`update fabric_cycle set approved_by = 'ann', approved_at = now() where fabric_id = ${id}`;
    await place.store.settle(settleRequest(await claimNow(place, id)));
    expect((await claimNow(place, id)).settings).toMatchObject({ approval, approved: true });
    const newer = { ...approval, found: 'c' };
    await place.store.settle(settleRequest(await claimNow(place, id), { approval: newer }));
    expect((await claimNow(place, id)).settings).toMatchObject({ approval: newer, approved: false });
  });

  test('settling again after the answer was lost says the same and writes nothing', async () => {
    const id = await addFabric(place.sql);
    const request = settleRequest(await claimNow(place, id));
    const first = await place.store.settle(request);
    const before = await wholeDatabase(place.sql);
    expect(await place.store.settle(request)).toEqual(first);
    expect(await wholeDatabase(place.sql)).toBe(before);
  });
});

describe('a cancelled run', () => {
  const failure = { code: 'CANCELLED', message: 'ann stopped it', hint: '' } as const;
  const cancelled = { rest: 'scheduled', outcome: 'cancelled', attempts: 0, connection: null, failure } as const;

  test('leaves status and error as they were before it', async () => {
    const id = await addFabric(place.sql);
    await synced(id);
    const before = await fabric(id);
    const due = { kind: 'sync', dueAtMs: 2_000_000_060_000 } as const;
    await place.store.settle(settleRequest(await claimNow(place, id), { ...cancelled, due }));
    expect(await fabric(id)).toEqual(before);
    expect(await cycle(id)).toMatchObject({ state: 'scheduled', failure: null, due_at: new Date(2_000_000_060_000) });
  });

  test('is idle where it has no next tick', async () => {
    const id = await addFabric(place.sql);
    await place.store.settle(settleRequest(await claimNow(place, id), { ...cancelled, due: null }));
    expect(await cycle(id)).toMatchObject({ state: 'idle', due_at: null, due_kind: null });
    expect(await fabric(id)).toMatchObject({ sync_status: 'never_synced' });
  });

  test('of a fabric in trouble leaves it there, with its attempts and its failure', async () => {
    const id = await addFabric(place.sql);
    await place.store.settle(settleRequest(await claimNow(place, id), { attempts: 3 }));
    const before = await cycle(id);
    const retry = await claimNow(place, id, { trigger: 'retry' });
    const due = { kind: 'retry', dueAtMs: 2_000_000_060_000 } as const;
    await place.store.settle(settleRequest(retry, { ...cancelled, rest: 'backoff', attempts: 3, due }));
    expect(await cycle(id)).toMatchObject({
      state: 'backoff',
      attempts: 3,
      failure: before.failure,
      due_kind: 'retry',
    });
    expect(await fabric(id)).toMatchObject({ sync_status: 'error' });
  });

  test.each(['SHUTDOWN', 'DATABASE_UNAVAILABLE'] as const)(
    'answers those who asked where a person stopped it; %s leaves them to the next run',
    async (code) => {
      const id = await addFabric(place.sql);
      await place.sql`insert into fabric_request (fabric_id, asked_by) values (${id}, 'ann')`;
      const cut = { ...cancelled, failure: { code, message: 'it was cut short', hint: '' } };
      const first = await place.store.settle(settleRequest(await claimNow(place, id), cut));
      expect(first).toMatchObject({ row: { requestsOpen: 1 } });
      const second = await place.store.settle(settleRequest(await claimNow(place, id), cancelled));
      expect(second).toMatchObject({ row: { requestsOpen: 0 } });
      expect(await place.store.openRequests()).toEqual([]);
    },
  );
});

describe('a new way in, written by whoever can write SQL', () => {
  const inTrouble = async (rest: 'backoff' | 'errored') => {
    const id = await addFabric(place.sql);
    const due = { kind: rest === 'backoff' ? 'retry' : 'probe', dueAtMs: 2_000_000_000_000 } as const;
    await place.store.settle(settleRequest(await claimNow(place, id), { rest, due }));
    return id;
  };
  const dueInMs = async (id: string) => ((await place.store.fabric(id))?.dueAtMs ?? 0) - Date.now();

  test.each([
    ['kubernetes_server', 'https://192.0.2.2:6443'],
    ['kubernetes_ca_cert', 'PEM'],
    ['tls_server_name', 'control-1'],
    ['kubernetes_namespace', 'fab'],
    ['credential_ref', 'file:/another'],
    ['kinds_removed', ['VPC']],
  ])('%s: a fabric in trouble is due now', async (column, value) => {
    for (const rest of ['backoff', 'errored'] as const) {
      const id = await inTrouble(rest);
      expect(await dueInMs(id)).toBeGreaterThan(1e9);
      await place.sql`update fabric set ${place.sql({ [column]: value })} where id = ${id}`;
      expect(await dueInMs(id)).toBeLessThan(10_000);
      expect(await cycle(id)).toMatchObject({ state: rest, attempts: 1 });
    }
  });

  test('what is no way in, or is written again as it was, changes nothing', async () => {
    const id = await inTrouble('errored');
    await place.sql`update fabric set guard_count = 99, credential_ref = credential_ref where id = ${id}`;
    expect(await dueInMs(id)).toBeGreaterThan(1e9);
  });

  test('a run in hand is left alone; where it fails, what was set meanwhile is tried at once', async () => {
    const id = await addFabric(place.sql);
    const claimed = await claimNow(place, id);
    const before = await cycle(id);
    await place.sql`update fabric set credential_ref = 'file:/another' where id = ${id}`;
    expect(await cycle(id)).toMatchObject({ ...before, way_in_at: expect.any(Date) });
    const due = { kind: 'probe', dueAtMs: 2_000_000_000_000 } as const;
    await place.store.settle(settleRequest(claimed, { rest: 'errored', due }));
    expect(await dueInMs(id)).toBeLessThan(10_000);
    // Only once: the next run knew of it.
    await place.store.settle(settleRequest(await claimNow(place, id), { rest: 'errored', due }));
    expect(await dueInMs(id)).toBeGreaterThan(1e9);
  });
});
