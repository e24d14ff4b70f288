// A change of settings takes effect at once, whoever writes it. The sweep comes once an hour here: what happens, happens
// because the daemon heard of it.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { type Bed, bedsOfThisFile, type Patient } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';

const openBed = bedsOfThisFile();
const env = { FABRIC_SYNCD_LEASE_TTL: '30s', FABRIC_SYNCD_SWEEP_INTERVAL: '1h' };

/** The timer is where the row says, and the row says what this asks for; `null`: there is none. */
function expectDue(bed: Bed, patient: Patient, fits: (dueAtMs: number | null) => boolean) {
  return vi.waitFor(async () => {
    const { dueAtMs, leaseHolder } = await patient.row();
    expect({ leaseHolder, fits: fits(dueAtMs), dueAtMs }).toMatchObject({ leaseHolder: null, fits: true });
    if (bed.redisUrl === 'none') return;
    expect((await bed.timer(patient.id))?.dueAtMs ?? null, 'its timer').toBe(dueAtMs);
  }, eventually);
}

const none = (dueAtMs: number | null) => dueAtMs === null;

/** Written by the program, or by hand. */
const writers = [
  {
    by: 'the program',
    setInterval: (bed: Bed, seconds: number) => said(bed, 'fabric', 'set', 'lab', '--interval', `${seconds}s`),
    disable: (bed: Bed) => said(bed, 'fabric', 'set', 'lab', '--disable'),
    enable: (bed: Bed) => said(bed, 'fabric', 'set', 'lab', '--enable'),
    schedulerOff: (bed: Bed) => said(bed, 'fabric', 'set', 'lab', '--scheduler', 'off'),
    remove: (bed: Bed) => said(bed, 'fabric', 'remove', 'lab', '--yes'),
  },
  {
    by: 'plain SQL',
    setInterval: (bed: Bed, seconds: number) => bed.sql`update fabric set sync_interval = ${seconds}`,
    disable: (bed: Bed) => bed.sql`update fabric set sync_enabled = false`,
    enable: (bed: Bed) => bed.sql`update fabric set sync_enabled = true`,
    schedulerOff: (bed: Bed) => bed.sql`update fabric set scheduler_enabled = false`,
    remove: (bed: Bed) => bed.sql`delete from fabric`,
  },
] as const;

async function said(bed: Bed, ...argv: readonly string[]) {
  const answer = await bed.cli(...argv);
  expect(answer.code, answer.stderr).toBe(0);
}

test.for(writers)('the interval, written by $by', async ({ setInterval }) => {
  const bed = await openBed({ env });
  const patient = await bed.fabric('lab', { sync_interval: 3600 });
  await bed.daemon().ready();
  const first = await patient.synced();
  const startedMs = first.startedAt.getTime();
  await expectDue(bed, patient, (dueAtMs) => dueAtMs !== null && dueAtMs > startedMs + 3_000_000);
  await setInterval(bed, 1);
  const second = await patient.synced(first.id);
  await patient.synced(second.id);
  await setInterval(bed, 7200);
  await expectDue(bed, patient, (dueAtMs) => dueAtMs !== null && dueAtMs > startedMs + 7_000_000);
  await setInterval(bed, 0);
  await expectDue(bed, patient, none);
  await bed.checkInvariants();
});

test.for(writers)('disabled, enabled, without a schedule, and removed, written by $by', async (write) => {
  const bed = await openBed({ env });
  const patient = await bed.fabric('lab');
  const daemon = await bed.daemon().ready();
  const first = await patient.synced();
  await write.disable(bed);
  await expectDue(bed, patient, none);
  const [last] = (await patient.runs()).slice(-1);
  await write.enable(bed);
  await patient.synced(last?.id ?? first.id);
  await write.schedulerOff(bed);
  await expectDue(bed, patient, none);
  await write.remove(bed);
  await vi.waitFor(async () => expect((await daemon.fleet()).fabrics).toEqual([]), eventually);
  await daemon.says(/the fabric was removed/);
  expect(await bed.timer(patient.id)).toBeNull();
  expect(await daemon.stop()).toBe(0);
  await bed.expectNothingLeft();
});

test('removed in the middle of a run: the run ends, no timer stays, and others are synced as before', async () => {
  const bed = await openBed({ env });
  const [doomed, neighbour] = [await bed.fabric('doomed'), await bed.fabric('neighbour')];
  const daemon = await bed.daemon().ready();
  await doomed.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' } });
  await vi.waitFor(async () => {
    await doomed.working();
    expect(doomed.cluster.counts.inFlight).toBeGreaterThan(0);
  }, eventually);
  await said(bed, 'fabric', 'remove', 'doomed', '--yes');
  await vi.waitFor(async () => {
    expect((await daemon.fleet()).fabrics.map(({ name }) => name)).toEqual(['neighbour']);
    expect(doomed.cluster.counts.inFlight, 'requests that are still waited for').toBe(0);
  }, eventually);
  const [last] = (await neighbour.runs()).slice(-1);
  await neighbour.synced(last?.id);
  expect(await bed.timer(doomed.id)).toBeNull();
  expect(await daemon.stop()).toBe(0);
  await bed.expectNothingLeft();
});

test('a pause stops it at once, says who and why, and is over by itself', async () => {
  const bed = await openBed({ env: { ...env, FABRIC_SYNCD_SWEEP_INTERVAL: '300ms' } });
  const patient = await bed.fabric('lab');
  await bed.daemon().ready();
  await patient.synced();
  await said(bed, 'pause', 'lab', '--reason', 'switch upgrade', '--until', '1h');
  await expectDue(bed, patient, none);
  const { stdout } = await bed.cli('status', 'lab');
  expect(stdout).toContain('switch upgrade');
  expect(stdout).toContain('ann');
  const [last] = (await patient.runs()).slice(-1);
  await said(bed, 'resume', 'lab');
  const resumed = await patient.synced(last?.id);

  await said(bed, 'pause', 'lab', '--reason', 'a moment', '--until', '2s');
  const [newest] = (await patient.runs()).slice(-1);
  await patient.synced(newest?.id ?? resumed.id);
  await bed.checkInvariants();
});

test.for(['the program', 'plain SQL'])('a new token mends an errored fabric at once, written by %s', async (by) => {
  const bed = await openBed({ env });
  const patient = await bed.fabric('lab', { sync_interval: 3600 });
  await writeFile(patient.tokenFile, 'not-the-token');
  await bed.daemon().ready();
  await patient.until((row) => row.state === 'errored' && row.dueKind === 'probe', 'errored');
  const good = join(bed.folder, 'good.token');
  await writeFile(good, patient.cluster.token);
  if (by === 'plain SQL') await bed.sql`update fabric set credential_ref = ${`file:${good}`}`;
  else await said(bed, 'fabric', 'set', 'lab', '--token-ref', `file:${good}`);
  await patient.synced();
  expect(await patient.row()).toMatchObject({ syncStatus: 'in_sync', syncError: '' });
});
