// Weather that a run lives through: it commits what it could read, or waits for as long as it was asked to.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { eventually, openStation, type Station } from './station.ts';
import { expectNothingLost, expectUndisturbed, newestRun } from './storm.ts';

let station: Station;
beforeAll(async () => {
  station = await openStation();
});
afterAll(() => station.close());

const byHand = () => station.byHand();
const connections = { kind: 'Connection', on: 'list' } as const;

describe.concurrent('one kind of many', () => {
  test.each([
    [403, 'the token may not list: Connection (14 kept)', 'Apply the rights printed by: fabric-syncd rbac NAME.'],
    [404, 'not served: Connection (14 kept)', 'fabric-syncd fabric set NAME --kinds=-Connection'],
  ])(
    'answers %i: its rows are kept, the others go on, and it is caught up with later',
    async (status, says, advice) => {
      const patient = await byHand();
      const { cluster, name } = patient;
      const since = await newestRun(station);
      await cluster.faults.set({ does: 'status', status, where: connections });
      const [doomed] = cluster.store.all(cluster.store.kind('Connection'));
      if (!doomed) throw new Error('a lab has connections');
      cluster.store.delete(doomed);
      cluster.edits.updateVpc();

      expect(await patient.sync()).toMatchObject({ outcome: 'partial', created: 0, updated: 1, deleted: 0 });
      const seen = await patient.seen();
      expect(seen).toMatchObject({ state: 'scheduled', sync_status: 'out_of_sync', sync_error: says, objects: 38 });
      expect(seen).toMatchObject({ connection_status: 'connected', counts: { Connection: 14, VPC: 2 } });
      expect(seen.hint).toContain(advice.replace('NAME', name));
      await expectUndisturbed(station, since);
      await station.check();

      await cluster.faults.clear();
      expect(await patient.sync()).toMatchObject({ outcome: 'complete', created: 0, updated: 0, deleted: 1 });
      expect(await patient.seen()).toMatchObject({ sync_status: 'in_sync', sync_error: '', hint: '', objects: 37 });
      await station.check();
      await patient.remove();
    },
  );

  test('that the fabric never had is no trouble where it is not served', async () => {
    const patient = await byHand();
    await patient.cluster.faults.set({ does: 'status', status: 404, where: { kind: 'External', on: 'list' } });
    expect(await patient.sync()).toMatchObject({ outcome: 'complete' });
    await patient.remove();
  });
});

describe.concurrent('a run gets over', () => {
  test('410 in mid-list: that kind is read again from its beginning', async () => {
    const patient = await byHand();
    const { cluster } = patient;
    const before = await patient.kept();
    cluster.forgetAccesses();
    await cluster.faults.set({ does: 'expire', where: { ...connections, page: 3 }, times: 1 });
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', unchanged: 38 });
    const pages = cluster.accesses.filter(({ kind }) => kind === 'Connection').map(({ page }) => page);
    expect(pages).toEqual([1, 2, 3, 1, 2, 3]);
    expectNothingLost(await patient.kept(), before);
    await station.check();
    await patient.remove();
  });

  test('a single 401: the credential is read again, and the run goes on', async () => {
    const patient = await byHand();
    await patient.cluster.faults.set({ does: 'status', status: 401, where: connections, times: 1 });
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', unchanged: 38 });
    await patient.remove();
  });

  test('a cluster that does not say who it is: its objects do', async () => {
    const patient = await byHand();
    await patient.cluster.faults.set({ does: 'status', status: 403, where: { kind: 'Namespace' } });
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', unchanged: 38 });
    await patient.remove();
  });
});

describe.concurrent('a server that asks for patience', () => {
  test.each([
    [429, 'THROTTLED', /asks for patience \(429\)/],
    [503, 'SERVER_ERROR', /answered 503/],
  ] as const)('with %i and Retry-After is left alone for so long, and then asked again', async (status, code, says) => {
    const patient = await byHand();
    const { cluster, id } = patient;
    const before = await patient.kept();
    const since = await newestRun(station);
    await cluster.faults.set({ does: 'status', status, retryAfterS: 3, where: connections, times: 1 });
    const failed = await patient.sync();
    expect(failed).toMatchObject({ outcome: 'failed', error_code: code, error: expect.stringMatching(says) });
    const seen = await patient.inTrouble(code);
    expect(seen).toMatchObject({ state: 'backoff', due_kind: 'retry', connection_status: 'error', attempts: 1 });
    const dueMs = Date.parse(seen.due_at ?? '');
    // What was asked, and the first retry's jitter on top.
    expect(dueMs - Date.parse(failed.started_at)).toBeGreaterThanOrEqual(3_000);
    expect(dueMs - Date.parse(failed.finished_at ?? '')).toBeLessThanOrEqual(3_300);
    expectNothingLost(await patient.kept(), before);

    await expectUndisturbed(station, since);
    await vi.waitFor(async () => expect(await patient.seen()).toMatchObject({ sync_status: 'in_sync' }), eventually);
    const [retry] = (await patient.seen()).runs;
    expect(retry).toMatchObject({ trigger: 'retry', outcome: 'complete', due_at: seen.due_at });
    expect(Date.parse(retry?.started_at ?? '')).toBeGreaterThanOrEqual(dueMs);
    const asked = await station.sql<{ n: number }[]>`
      select count(*)::int as n from fabric_run where fabric_id = ${id} and id > ${failed.id}`;
    expect(asked).toEqual([{ n: 1 }]);
    await station.check();
    await patient.remove();
  });
});
