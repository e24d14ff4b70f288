// What people do by hand: sync now, stop that, let go of it. With a daemon and without one.

import { writeFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { hold } from '../support/hold.ts';
import { type Answer, type Bed, bedsOfThisFile, type Patient } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';

const openBed = bedsOfThisFile();
const env = { FABRIC_SYNCD_LEASE_TTL: '30s' };

interface Triggered {
  readonly requests: readonly {
    readonly answer: string;
    readonly outcome: string | null;
    readonly run: { readonly id: string } | null;
  }[];
}

const runOf = (answer: Answer) => answer.json<Triggered>().requests[0]?.run?.id;

/** A run in hand that will not end by itself. */
async function stuck(patient: Patient) {
  await patient.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' }, times: 1 });
  return vi.waitFor(async () => {
    const working = await patient.working();
    expect(patient.cluster.faults.list(), 'it has struck').toEqual([]);
    return working;
  }, eventually);
}

/** Each brings the fabric into a state, and says what the answer to a trigger is there. */
const states = [
  { state: 'scheduled', more: { sync_interval: 3600 }, fault: null, refused: false },
  { state: 'backoff', more: { sync_interval: 3600 }, fault: 503, refused: false },
  { state: 'errored', more: { sync_interval: 3600 }, fault: 401, refused: false },
  { state: 'idle', more: { scheduler_enabled: false }, fault: null, refused: false },
  { state: 'idle', more: { sync_interval: 0 }, fault: null, refused: false },
  { state: 'idle', more: { sync_enabled: false }, fault: null, refused: true },
  { state: 'idle', more: { credential_ref: '' }, fault: null, refused: true },
] as const;

test.for(states)('sync now, from $state ($more, $fault)', async ({ state, more, fault, refused }) => {
  const patience = { FABRIC_SYNCD_BACKOFF_BASE: '1h', FABRIC_SYNCD_BACKOFF_CAP: '1h' };
  const bed = await openBed({ env: { ...env, ...patience } });
  const patient = await bed.fabric('lab', more);
  if (fault === 503) await patient.cluster.faults.set({ does: 'status', status: 503 });
  if (fault === 401) await writeFile(patient.tokenFile, 'not-the-token');
  const daemon = await bed.daemon().ready();
  if (state === 'scheduled') await patient.synced();
  const before = await vi.waitFor(async () => {
    expect((await daemon.fleet()).fabrics).toMatchObject([{ state }]);
    const row = await patient.row();
    // While the failed run is being recorded it is still in hand, and whoever asks then joins it.
    expect(row.leaseHolder).toBeNull();
    return row;
  }, eventually);
  await patient.cluster.faults.clear();
  await writeFile(patient.tokenFile, patient.cluster.token);

  const answer = await bed.cli('trigger', 'lab', '--json');
  if (refused) {
    expect(answer.code).toBe(4);
    expect(await patient.runs()).toEqual([]);
    return;
  }
  expect(answer.code, answer.stdout).toBe(0);
  const run = await patient.run(runOf(answer) ?? '');
  expect(run).toMatchObject({ trigger: 'manual', dueAt: null, outcome: 'complete' });
  expect(await patient.row()).toMatchObject({ syncStatus: 'in_sync', syncError: '' });
  if (state === 'scheduled') expect((await patient.row()).dueAtMs, 'the schedule').toBe(before.dueAtMs);
  if (state === 'idle') expect((await patient.row()).state).toBe('idle');
  await bed.checkInvariants();
});

test('sync now, while it is being synced: whoever asks joins the run in hand', async () => {
  const bed = await openBed({ env });
  const patient = await bed.fabric('lab', { sync_interval: 3600 });
  const changes = await hold(bed.sql, (tx) => tx`lock table fabric_change in exclusive mode`);
  await bed.daemon().ready();
  const run = await patient.working();
  await changes.waitedFor();
  const asking = [bed.cli('trigger', 'lab', '--json'), bed.cli('trigger', '--all', '--json')];
  await vi.waitFor(async () => {
    const [asked] = await bed.sql<[{ n: number }]>`select count(*)::int as n from fabric_request`;
    expect(asked.n).toBe(2);
  }, eventually);
  await changes.letGo();
  for (const answer of await Promise.all(asking)) {
    expect(answer.code, answer.stdout).toBe(0);
    expect(runOf(answer)).toBe(run.id);
  }
  expect((await patient.runs()).map(({ id }) => id)).toEqual([run.id]);
});

test('sync now, without any daemon: it is done here, under the same lock, by one of those who ask', async () => {
  const bed = await openBed({ env });
  const patient = await bed.fabric('lab', { sync_interval: 3600 });
  const askers = [bed.cliStoppable('trigger', 'lab', '--json'), bed.cliStoppable('trigger', 'lab', '--json')];
  for (const { answer } of askers) {
    const { code, stdout } = await answer;
    expect(code, stdout).toBe(0);
  }
  const runs = await patient.runs();
  for (const run of runs) {
    expect(run).toMatchObject({ trigger: 'manual', outcome: 'complete' });
    expect(
      askers.map(({ pid }) => `${pid}`),
      'who ran it',
    ).toContain(run.daemon.split('/')[1]);
  }
  for (const [index, run] of runs.entries()) {
    const before = runs[index - 1];
    if (before)
      expect(run.startedAt.getTime()).toBeGreaterThanOrEqual(before.finishedAt?.getTime() ?? Number.POSITIVE_INFINITY);
  }
  await bed.checkInvariants();
  await bed.expectNothingLeft();

  await bed.daemon().ready();
  const { dueAtMs } = await patient.row();
  expect(dueAtMs, 'the daemon that comes later keeps the schedule').not.toBeNull();
});

test('sync now here, told to stop: the run is put back, and nothing is left of it', async () => {
  const bed = await openBed({ env });
  const patient = await bed.fabric('lab', { sync_interval: 3600 });
  await patient.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' } });
  const asking = bed.cliStoppable('trigger', 'lab');
  const run = await vi.waitFor(async () => {
    const working = await patient.working();
    expect(patient.cluster.counts.inFlight).toBeGreaterThan(0);
    return working;
  }, eventually);
  asking.signal('SIGINT');
  expect((await asking.answer).code).toBe(130);
  expect(await patient.run(run.id)).toMatchObject({ outcome: 'cancelled' });
  expect(await patient.row()).toMatchObject({ syncStatus: 'never_synced', lastSync: null, leaseHolder: null });
  await bed.expectNothingLeft();
});

test('cancel: the run stops, the row says what it said before, and the next one comes as scheduled', async () => {
  const bed = await openBed({ env });
  const patient = await bed.fabric('lab', { sync_interval: 2 });
  await bed.daemon().ready();
  await patient.synced();
  const run = await stuck(patient);
  const answer = await bed.cli('cancel', 'lab', '--json');
  expect(answer.code, answer.stdout).toBe(0);
  expect(answer.json()).toMatchObject({ cancelled: true, run: run.id, outcome: 'cancelled' });
  expect(await patient.run(run.id)).toMatchObject({
    failure: { code: 'CANCELLED', message: expect.stringContaining('ann') },
  });
  expect(await patient.synced(run.id)).toMatchObject({ trigger: 'sync' });
  await bed.check();
});

test('unlock in the middle of the merge: the run that was cut off changes nothing', async () => {
  const bed = await openBed({ env });
  const patient = await bed.fabric('lab');
  const daemon = await bed.daemon().ready();
  const before = await patient.synced();
  const run = await stuck(patient);
  const unlocked = await bed.cli('unlock', 'lab', '--json');
  expect(unlocked.code, unlocked.stdout).toBe(0);
  expect(unlocked.json()).toMatchObject({ fenced_run: run.id, holder: run.daemon });
  const after = await patient.synced(run.id);
  expect(after.dueAt, 'what the fenced run had served is still due').toEqual(run.dueAt);
  expect(await patient.run(run.id)).toMatchObject({ outcome: 'fenced', failure: { code: 'FENCE_STALE' } });
  expect(BigInt(before.id) < BigInt(run.id)).toBe(true);
  expect(await daemon.health()).toMatchObject({ ok: true });
  await bed.check();
});

test('unlock while the daemon stands still: when it goes on, its commit is refused', async () => {
  const bed = await openBed({ env });
  const patient = await bed.fabric('lab', { sync_interval: 3600 });
  await patient.cluster.faults.set({ does: 'slow', ms: 1_000, where: { kind: 'Switch' }, times: 1 });
  const daemon = await bed.daemon().ready();
  const run = await vi.waitFor(async () => {
    const working = await patient.working();
    expect(patient.cluster.faults.list(), 'it has struck').toEqual([]);
    return working;
  }, eventually);
  daemon.signal('SIGSTOP');
  await expectFenced(bed, patient, run.id);
  daemon.signal('SIGCONT');
  const after = await patient.synced(run.id);
  expect(after.id).not.toBe(run.id);
  expect(await patient.run(run.id)).toMatchObject({ outcome: 'fenced' });
  const changes = await bed.sql`select from fabric_change where run_id = ${run.id}`;
  expect(changes.count, 'changes of the fenced run').toBe(0);
  await bed.check();
});

async function expectFenced(bed: Bed, patient: Patient, runId: string) {
  const unlocked = await bed.cli('unlock', 'lab', '--json');
  expect(unlocked.json()).toMatchObject({ fenced_run: runId });
  expect(await patient.row()).toMatchObject({ leaseHolder: null, lastSync: null, syncStatus: 'never_synced' });
}
