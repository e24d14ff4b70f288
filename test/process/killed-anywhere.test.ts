// kill -9 at each place where a daemon can be: whatever it had in hand is taken up by the next one, once.

import { expect, test, vi } from 'vitest';
import { hold } from '../support/hold.ts';
import { type Bed, bedsOfThisFile, type Patient, type Run } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';
import { saidOf, syncBefore } from '../support/process/witness.ts';
import { meddler, ownRedis, redisFound } from '../support/redis.ts';

const openBed = bedsOfThisFile();
const withRedis = test.skipIf(redisFound === null);

/** The run is marked, and the one that took up its work knew what `last_sync` was before. */
async function expectTakenUp(bed: Bed, patient: Patient, interrupted: Run, next: Run, before: Date | null) {
  expect(await patient.run(interrupted.id)).toMatchObject({ outcome: 'interrupted', failure: { code: 'INTERRUPTED' } });
  expect(await syncBefore(bed.sql, patient.id, next.epoch)).toEqual(before);
}

/** Resolves when the lease of a dead daemon has run out. */
async function leaseRunsOut(bed: Bed, patient: Patient) {
  await vi.waitFor(async () => {
    const live = await bed.sql`select from fabric_cycle where fabric_id = ${patient.id} and lease_until > now()`;
    expect(live.count, 'live leases').toBe(0);
  }, eventually);
}

test('killed while nothing was to do: the tick that was promised is served by the next daemon', async () => {
  const bed = await openBed();
  const patient = await bed.fabric('lab', { sync_interval: 3 });
  const first = await bed.daemon({}, 1).ready();
  const before = await patient.synced();
  const { dueAtMs } = await patient.until((row) => row.state === 'scheduled', 'at rest');
  await first.kill();

  await bed.daemon({}, 1).ready();
  const after = await patient.synced(before.id);
  expect(after.dueAt?.getTime()).toBe(dueAtMs);
  await bed.check();
});

withRedis('killed while a claimed timer waited for the lock: the timer comes back after its hold', async () => {
  const bed = await openBed();
  const lockRedis = await ownRedis();
  bed.onClose(() => lockRedis.remove());
  const patient = await bed.fabric('lab', { sync_interval: 3 });
  const env = { FABRIC_SYNCD_LOCK_REDIS_URLS: lockRedis.url };
  const first = await bed.daemon(env, 1).ready();
  const before = await patient.synced();
  await patient.until((row) => row.state === 'scheduled', 'at rest');
  // The commit comes before the arming: until then the store still has the claimed timer of the run that has ended.
  await vi.waitFor(async () => {
    const { dueAtMs } = await patient.row();
    expect(await bed.timer(patient.id), 'armed anew').toMatchObject({ dueAtMs, showsAtMs: dueAtMs });
  }, eventually);
  lockRedis.pause();
  const hidden = await vi.waitFor(async () => {
    const timer = await bed.timer(patient.id);
    expect(timer?.showsAtMs, 'the timer is claimed').toBeGreaterThan(timer?.dueAtMs ?? Number.POSITIVE_INFINITY);
    return timer;
  }, eventually);
  await first.kill();
  const { leaseHolder, dueAtMs } = await patient.row();
  expect({ leaseHolder, dueAtMs }, 'the claim was not made').toEqual({ leaseHolder: null, dueAtMs: hidden?.dueAtMs });
  lockRedis.resume();

  await bed.daemon(env, 1).ready();
  const after = await patient.synced(before.id);
  expect(after.dueAt?.getTime()).toBe(hidden?.dueAtMs);
  await bed.check();
});

withRedis(
  'killed while it held the lock and asked for the claim: a claim that a dead daemon was granted runs out',
  async () => {
    const bed = await openBed();
    const patient = await bed.fabric('lab');
    const first = await bed.daemon({}, 1).ready();
    const before = await patient.synced();
    const row = await hold(bed.sql, (tx) => tx`select from fabric_cycle where fabric_id = ${patient.id} for update`);
    await row.waitedFor();
    const client = await meddler(bed.redisUrl);
    await vi.waitFor(async () => expect(await client.exists(bed.keys.lock(patient.id))).toBe(1), eventually);
    client.disconnect();
    await first.kill();
    await row.letGo();

    await bed.daemon({}, 1).ready();
    await patient.synced(before.id);
    await bed.check();
  },
);

test('killed in the middle of a list: the run is marked, last_sync put back, the fabric read again', async () => {
  const bed = await openBed();
  const patient = await bed.fabric('lab');
  const first = await bed.daemon({}, 1).ready();
  const before = await patient.synced();
  await patient.cluster.faults.set({ does: 'stall', where: { kind: 'Connection', page: 1 } });
  const interrupted = await vi.waitFor(async () => {
    const run = await patient.working();
    expect(patient.cluster.counts.inFlight, 'one page stands still').toBe(1);
    return run;
  }, eventually);
  await first.kill();
  await leaseRunsOut(bed, patient);
  const lastCommit = (await patient.runs()).findLast(({ outcome }) => outcome === 'complete') ?? before;
  await patient.cluster.faults.clear();

  await bed.daemon({}, 1).ready();
  const after = await patient.synced(interrupted.id);
  expect(after, 'it came back by way of backoff').toMatchObject({ trigger: 'retry' });
  await expectTakenUp(bed, patient, interrupted, after, lastCommit.startedAt);
  expect(await saidOf(bed.sql, patient.id)).toContainEqual({
    lastSync: lastCommit.startedAt,
    syncStatus: 'error',
    syncError: expect.stringContaining(`the daemon ${interrupted.daemon} ended in the middle of a run`),
  });
  await bed.check();
});

test('killed in the middle of a list that was the first: it has never been synced, and then it is', async () => {
  const bed = await openBed();
  const patient = await bed.fabric('lab');
  await patient.cluster.faults.set({ does: 'hang', where: { kind: 'Switch', page: 1 } });
  const first = await bed.daemon({}, 1).ready();
  const interrupted = await patient.working();
  await first.kill();
  await patient.cluster.faults.clear();

  await bed.daemon({}, 1).ready();
  await expectTakenUp(bed, patient, interrupted, await patient.synced(), null);
  await bed.check();
});

test('killed in the middle of the merge: nothing of it is in the inventory', async () => {
  const bed = await openBed();
  const patient = await bed.fabric('lab');
  const changes = await hold(bed.sql, (tx) => tx`lock table fabric_change in exclusive mode`);
  const first = await bed.daemon({}, 1).ready();
  const interrupted = await patient.working();
  await changes.waitedFor();
  await first.kill();
  await changes.letGo();

  await bed.daemon({}, 1).ready();
  const after = await patient.synced();
  await expectTakenUp(bed, patient, interrupted, after, null);
  const byRun = await bed.sql`select created_run::text as run, count(*)::int as n from fabric_resource group by 1`;
  expect([...byRun]).toEqual([{ run: after.id, n: 38 }]);
  await bed.check();
});

withRedis(
  'killed after the commit and before the timer was armed: the due time that was committed is served',
  async () => {
    const bed = await openBed({ redis: 'own' });
    const patient = await bed.fabric('lab', { sync_interval: 3 });
    const first = await bed.daemon({}, 1).ready();
    const before = await patient.synced();
    const { dueAtMs: servedMs } = await patient.until((row) => row.state === 'scheduled', 'at rest');
    const row = await hold(bed.sql, (tx) => tx`lock table fabric_quarantine in exclusive mode`);
    const run = await patient.working();
    await row.waitedFor();
    bed.redis.pause();
    await row.letGo();
    const committed = await patient.until(
      ({ runId, leaseHolder }) => runId === null && leaseHolder === null,
      'committed',
    );
    await first.kill();
    bed.redis.resume();
    expect(await patient.run(run.id)).toMatchObject({ outcome: 'complete' });
    expect(committed.dueAtMs).toBeGreaterThan(servedMs ?? Number.POSITIVE_INFINITY);
    expect(await bed.timer(patient.id), 'the timer still says the old due time').toMatchObject({ dueAtMs: servedMs });

    await bed.daemon({}, 1).ready();
    const after = await patient.synced(run.id);
    expect(after.dueAt?.getTime()).toBe(committed.dueAtMs);
    expect(before.id).not.toBe(run.id);
    await bed.check();
  },
);

test('killed again and again at any moment: every due time is served once, and all fabrics are in sync', async () => {
  const bed = await openBed();
  const patients = await Promise.all(['north', 'south', 'west'].map((name) => bed.fabric(name)));
  for (const [death, patient] of [...patients, ...patients].entries()) {
    const daemon = bed.daemon({}, 1);
    // Each death a little further on than the one before: at its first claim, its second, ...
    const enough = (await patient.runs()).length + 1 + Math.floor(death / 2);
    await vi.waitFor(async () => expect((await patient.runs()).length).toBeGreaterThanOrEqual(enough), eventually);
    await daemon.kill();
  }
  await bed.daemon({}, 1).ready();
  await Promise.all(
    patients.map(async (patient) => {
      const [last] = (await patient.runs()).slice(-1);
      await patient.synced(last?.id);
    }),
  );
  await bed.check();
});
