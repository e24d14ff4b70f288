// Answers that would empty an inventory, and clusters that are not the one they were.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { eventually, openStation, type Patient, type Station } from './station.ts';
import { expectNothingLost, expectUndisturbed, newestRun } from './storm.ts';

let station: Station;
beforeAll(async () => {
  station = await openStation();
});
afterAll(() => station.close());

const byHand = () => station.byHand();

/** Says yes to what waits, and waits for the run that this asks for. */
async function approve(patient: Patient): Promise<void> {
  const since = await newestRun(station);
  const answer = await station.verb('approve', patient.name, '--yes', '--json');
  expect(answer.code, answer.stdout).toBe(0);
  const { request } = answer.json<{ request: string | null }>();
  expect(request).not.toBeNull();
  await vi.waitFor(async () => {
    expect(Number((await patient.seen()).last_run?.id)).toBeGreaterThan(since);
  }, eventually);
}

/** The first so many objects of a kind go away for good. */
function destroy({ cluster }: Patient, kind: string, count: number): void {
  const doomed = cluster.store.all(cluster.store.kind(kind)).slice(0, count);
  expect(doomed).toHaveLength(count);
  for (const stored of doomed) cluster.store.delete(stored);
}

const lists = { on: 'list' } as const;
const waits = (deletions: Record<string, number>, total: number, of: number) => ({
  sync_status: 'out_of_sync',
  state: 'scheduled',
  error_code: null,
  connection_status: 'connected',
  sync_error: expect.stringContaining(`waits for approval: ${total} of ${of} objects would be deleted`),
  hint: expect.stringContaining('fabric-syncd approve lab-'),
  approval: { kind: 'deletions', deletions, total, of, approved_by: null },
});

describe.concurrent('an empty list', () => {
  test.each([
    ['of one kind', { kind: 'Connection', ...lists }, { Connection: 14 }, 14],
    [
      'of every kind',
      lists,
      // biome-ignore format: a table
      { Connection: 14, Gateway: 1, GatewayGroup: 1, IPv4Namespace: 1, Server: 6, Switch: 5, SwitchGroup: 2, VLANNamespace: 1, VPC: 2, VPCAttachment: 4, VPCPeering: 1 },
      38,
    ],
  ])('%s waits for a person, and is forgotten when it was a mistake', async (_, where, deletions, total) => {
    const patient = await byHand();
    const before = await patient.kept();
    const since = await newestRun(station);
    await patient.cluster.faults.set({ does: 'empty', where });
    expect(await patient.sync()).toMatchObject({ outcome: 'awaiting_approval', deleted: 0 });
    const seen = await patient.seen();
    expect(seen).toMatchObject({ ...waits(deletions, total, 38), objects: 38 });
    expectNothingLost(await patient.kept(), before);
    // The same question again stays the same question.
    expect(await patient.sync()).toMatchObject({ outcome: 'awaiting_approval', deleted: 0 });
    expect((await patient.seen()).approval).toEqual(seen.approval);
    await expectUndisturbed(station, since);
    await station.check();

    await patient.cluster.faults.clear();
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', unchanged: 38 });
    expect(await patient.seen()).toMatchObject({ sync_status: 'in_sync', approval: null, hint: '', sync_error: '' });
    expectNothingLost(await patient.kept(), before);
    await station.check();
    await patient.remove();
  });
});

describe.concurrent('objects that are removed', () => {
  test('within the bounds are deleted at once, and what they were is kept', async () => {
    const patient = await byHand();
    destroy(patient, 'Connection', 10);
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', deleted: 10 });
    expect(await patient.seen()).toMatchObject({ sync_status: 'in_sync', objects: 28, counts: { Connection: 4 } });
    const { rows, changes } = await patient.kept();
    expect(rows).toHaveLength(38);
    expect(changes.filter((change) => 'change' in change && change.change === 'deleted')).toHaveLength(10);
    await station.check();
    await patient.remove();
  });

  test('beyond the bounds wait, are deleted once approved, and the next ones are asked about anew', async () => {
    const patient = await byHand();
    const nothing = await station.verb('approve', patient.name, '--yes', '--json');
    expect(nothing.code).toBe(4);
    expect(nothing.json()).toMatchObject({ error: { code: 'NOTHING_WAITS' } });

    destroy(patient, 'Connection', 11);
    expect(await patient.sync()).toMatchObject({ outcome: 'awaiting_approval', deleted: 0 });
    const first = await patient.seen();
    expect(first).toMatchObject(waits({ Connection: 11 }, 11, 38));
    await approve(patient);
    const done = await patient.seen();
    expect(done).toMatchObject({ sync_status: 'in_sync', objects: 27, approval: null });
    expect(done.last_run).toMatchObject({ outcome: 'complete', deleted: 11 });

    destroy(patient, 'Server', 6);
    destroy(patient, 'Switch', 5);
    expect(await patient.sync()).toMatchObject({ outcome: 'awaiting_approval', deleted: 0 });
    const second = await patient.seen();
    expect(second).toMatchObject(waits({ Server: 6, Switch: 5 }, 11, 27));
    expect(second.approval?.run).not.toBe(first.approval?.run);
    await station.check();
    await approve(patient);
    expect(await patient.seen()).toMatchObject({ sync_status: 'in_sync', objects: 16, approval: null });
    await station.check();
    await patient.remove();
  });

  test('beside what was approved wait by themselves', async () => {
    const patient = await byHand();
    destroy(patient, 'Connection', 11);
    await patient.sync();
    // Between the look and the word, everything else is gone as well.
    await patient.cluster.faults.set({ does: 'empty', where: lists });
    await approve(patient);
    expect(await patient.seen()).toMatchObject({
      last_run: { outcome: 'awaiting_approval', deleted: 11 },
      objects: 27,
      approval: { total: 27, of: 27, approved_by: null },
    });
    await station.check();
    await patient.remove();
  });
});

describe.concurrent('another cluster behind the address', () => {
  const strikes = [
    ['by its uid', [{ does: 'other_cluster' }]],
    [
      'by its objects, where its uid may not be read',
      // In this order: a run between the two would read the uid of the old cluster beside the objects of the new one.
      [
        { does: 'status', status: 403, where: { kind: 'Namespace' } },
        { does: 'other_cluster', where: lists },
      ],
    ],
  ] as const;

  test.each(strikes)('is told %s: nothing is written, and it is well once the old one is back', async (_, faults) => {
    const patient = await station.patient();
    const before = await patient.kept();
    const since = await newestRun(station);
    for (const fault of faults) await patient.cluster.faults.set(fault);
    const seen = await patient.inTrouble('CLUSTER_CHANGED');
    expect(seen.sync_error).toMatch(/another cluster answers there: it was .+, it is .+/);
    expect(seen).toMatchObject({
      connection_status: 'error',
      connection_error: seen.sync_error,
      hint: `Look at it and approve it: fabric-syncd approve ${patient.name}.`,
      approval: { kind: 'cluster', approved_by: null },
    });
    expectNothingLost(await patient.kept(), before);
    await expectUndisturbed(station, since);
    await station.check();

    await patient.cluster.faults.clear();
    expect(await patient.wellAgain()).toMatchObject({ approval: null, objects: 38 });
    expectNothingLost(await patient.kept(), before);
    await station.check();
    await patient.remove();
  });

  test.each(strikes)('is told %s: once approved, the inventory follows it', async (_, faults) => {
    const patient = await byHand();
    for (const fault of faults) await patient.cluster.faults.set(fault);
    expect(await patient.sync()).toMatchObject({ outcome: 'failed', error_code: 'CLUSTER_CHANGED' });
    await approve(patient);
    expect(await patient.seen()).toMatchObject({
      sync_status: 'in_sync',
      approval: null,
      objects: 38,
      last_run: { outcome: 'complete', created: 0, updated: 38, deleted: 0 },
    });
    // It is the one from now on.
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', unchanged: 38 });
    await station.check();
    await patient.remove();
  });
});
