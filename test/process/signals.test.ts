// What the daemon does when it is told to stop, to hurry, or to look again, and what is left of it afterwards.

import { stat } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { hold } from '../support/hold.ts';
import { type Bed, bedsOfThisFile } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';
import { meddler, redisFound } from '../support/redis.ts';

const openBed = bedsOfThisFile();
const withRedis = test.skipIf(redisFound === null);

/** A lease that no stall of a busy machine outlives: what ends these runs is the signal. */
const env = { FABRIC_SYNCD_LEASE_TTL: '30s' };

/** A daemon with a run in hand that will not end by itself. */
async function stuck(bed: Bed, more: Readonly<Record<string, string>> = {}) {
  const patient = await bed.fabric('lab');
  const daemon = await bed.daemon(more).ready();
  const before = await patient.synced();
  await patient.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' }, times: 1 });
  const run = await vi.waitFor(async () => {
    const working = await patient.working();
    expect(patient.cluster.faults.list(), 'it has struck').toEqual([]);
    return working;
  }, eventually);
  const lastCommit = (await patient.runs()).findLast(({ outcome }) => outcome === 'complete') ?? before;
  return { patient, daemon, run, lastCommit };
}

/** The run is written down as stopped, the row says what it said before it, and the next daemon takes it up at once. */
async function expectResumed(
  bed: Bed,
  { patient, run, lastCommit }: Omit<Awaited<ReturnType<typeof stuck>>, 'daemon'>,
) {
  expect(await patient.run(run.id)).toMatchObject({ outcome: 'cancelled', failure: { code: 'SHUTDOWN' } });
  const row = await patient.row();
  expect(row).toMatchObject({
    lastSync: lastCommit.startedAt,
    syncStatus: 'in_sync',
    syncError: '',
    state: 'scheduled',
  });
  await bed.expectNothingLeft();
  await bed.daemon().ready();
  const next = await patient.synced(run.id);
  expect(next.dueAt?.getTime()).toBe(row.dueAtMs);
  await bed.check();
}

test.for(['SIGTERM', 'SIGINT'] as const)('%s: a run in hand is finished within the grace period', async (signal) => {
  const bed = await openBed({ env });
  const patient = await bed.fabric('lab');
  const changes = await hold(bed.sql, (tx) => tx`lock table fabric_change in exclusive mode`);
  const daemon = await bed.daemon().ready();
  const run = await patient.working();
  await changes.waitedFor();
  daemon.signal(signal);
  await daemon.says(/stopping: 1 run\(s\) in hand may finish/);
  await changes.letGo();
  expect(await daemon.ended()).toBe(0);
  expect(await patient.run(run.id)).toMatchObject({ outcome: 'complete' });
  expect(await patient.row()).toMatchObject({ state: 'scheduled', syncStatus: 'in_sync', lastSync: run.startedAt });
  expect(daemon.log.at(-1)).toMatchObject({ msg: 'stopped' });
  await bed.expectNothingLeft();
  await bed.check();
});

test('the grace is over: the run is aborted, written down, and resumed by the next daemon', async () => {
  const bed = await openBed({ env });
  const { daemon, ...rest } = await stuck(bed, { FABRIC_SYNCD_GRACE_PERIOD: '200ms' });
  expect(await daemon.stop()).toBe(0);
  expect(daemon.output).toMatch(/1 run\(s\) were aborted and will be resumed at the next start/);
  await expectResumed(bed, rest);
});

test('a second signal means now', async () => {
  const bed = await openBed({ env });
  const { daemon, ...rest } = await stuck(bed, { FABRIC_SYNCD_GRACE_PERIOD: '1h' });
  daemon.signal('SIGTERM');
  await daemon.says(/may finish within 3600 s/);
  daemon.signal('SIGINT');
  expect(await daemon.ended()).toBe(0);
  expect(daemon.output).toMatch(/SIGINT again: stopping now/);
  await expectResumed(bed, rest);
});

test('told to stop while it starts: it ends in order', async () => {
  const bed = await openBed({ env });
  await bed.fabric('lab');
  // It waits here in the middle of its first look at the rows.
  const rows = await hold(bed.sql, (tx) => tx`lock table fabric_cycle in access exclusive mode`);
  const daemon = bed.daemon();
  await rows.waitedFor();
  daemon.signal('SIGTERM');
  await daemon.says(/SIGTERM: stopping/);
  await rows.letGo();
  expect(await daemon.ended()).toBe(0);
  await bed.expectNothingLeft();
});

test('while it stops it begins nothing, and a request is left for the next one', async () => {
  const bed = await openBed({ env });
  const { daemon, patient } = await stuck(bed, { FABRIC_SYNCD_GRACE_PERIOD: '1h' });
  const other = await bed.fabric('other', { sync_interval: 0 });
  daemon.signal('SIGTERM');
  await daemon.says(/may finish within/);
  await bed.sql`insert into fabric_request (fabric_id, asked_by) values (${other.id}, 'ann'), (${patient.id}, 'ann')`;
  daemon.signal('SIGTERM');
  expect(await daemon.ended()).toBe(0);
  expect(await other.runs()).toEqual([]);
  const open = await bed.sql`select fabric_id from fabric_request where settled_at is null`;
  expect(open.count, 'requests that wait').toBe(2);

  await bed.daemon().ready();
  expect(await other.synced()).toMatchObject({ trigger: 'manual' });
  await vi.waitFor(async () => {
    const answered = await bed.sql`
      select q.fabric_id from fabric_request q join fabric_run r on r.id = q.run_id where r.outcome = 'complete'`;
    expect(answered.count, 'requests that were answered').toBe(2);
  }, eventually);
});

withRedis('SIGHUP: every fabric is looked at again, now', async () => {
  const bed = await openBed({ env: { ...env, FABRIC_SYNCD_SWEEP_INTERVAL: '1h' } });
  const patient = await bed.fabric('lab', { sync_interval: 3600 });
  const daemon = await bed.daemon().ready();
  await patient.synced();
  const { dueAtMs } = await patient.until((row) => row.state === 'scheduled', 'at rest');
  await vi.waitFor(async () => expect(await bed.timer(patient.id)).toMatchObject({ dueAtMs }), eventually);
  const client = await meddler(bed.redisUrl);
  await client.del(bed.keys.timers, bed.keys.payloads);
  client.disconnect();
  daemon.signal('SIGHUP');
  await daemon.says(/^reloaded$/);
  expect(await bed.timer(patient.id)).toMatchObject({ dueAtMs });
  expect(await daemon.stop()).toBe(0);
});

test('exit codes: wrong settings, and a socket that another daemon listens on', async () => {
  const bed = await openBed({ env });
  const wrong = bed.daemon({ FABRIC_SYNCD_LEASE_TTL: 'soon', FABRIC_SYNCD_CONCURENCY: '3' });
  expect(await wrong.ended()).toBe(8);
  expect(wrong.output).toMatch(/FABRIC_SYNCD_LEASE_TTL/);
  expect(wrong.output).toMatch(/did you mean FABRIC_SYNCD_CONCURRENCY\?/);

  const first = await bed.daemon({}, 7).ready();
  const second = bed.daemon({}, 7);
  expect(await second.ended()).toBe(1);
  expect(second.output).toMatch(/the admin socket cannot be made at .*: somebody listens there already/);
  expect(second.output).not.toContain('defect');
  expect(await first.health()).toMatchObject({ ok: true });
  expect(await first.stop()).toBe(0);
  await bed.expectNothingLeft();
});

test('a socket file that a killed daemon left behind is taken over, and only who may sees it', async () => {
  const bed = await openBed({ env });
  const first = await bed.daemon({}, 1).ready();
  await first.kill();
  const second = await bed.daemon({}, 1).ready();
  expect(await second.health()).toMatchObject({ ok: true, pid: second.pid });
  const { mode } = await stat(second.socketPath);
  expect((mode & 0o007).toString(8), 'rights of others').toBe('0');
  expect(await second.stop()).toBe(0);
  await bed.expectNothingLeft();
});
