// Redis is absent, goes away, comes back, comes back empty, or is done without: due times come from the rows then, exclusion
// from the database, and everybody who looks is told.

import { test as anyTest, expect, vi } from 'vitest';
import { type Bed, bedsOfThisFile, type Patient } from '../support/process/bed.ts';
import { type Daemon, eventually } from '../support/process/daemon.ts';
import { meddler, redisFound } from '../support/redis.ts';

const openBed = bedsOfThisFile();
const test = anyTest.skipIf(redisFound === null);

/** A port that nobody listens on. */
const nobody = { url: 'redis://127.0.0.1:1' };

/** Resolves when it was synced twice more from here on. */
async function goesOn(patient: Patient) {
  const [last] = (await patient.runs()).slice(-1);
  const next = await patient.synced(last?.id);
  return patient.synced(next.id);
}

function tells(daemon: Daemon, health: object) {
  return vi.waitFor(async () => expect(await daemon.health()).toMatchObject(health), eventually);
}

async function flush(bed: Bed) {
  const client = await meddler(bed.redisUrl);
  await client.flushall();
  client.disconnect();
}

anyTest(
  'absent at the start: every fabric is in sync all the same, and the daemon says that it is degraded',
  async () => {
    const bed = await openBed({ redis: nobody });
    const patient = await bed.fabric('lab');
    const daemon = await bed.daemon().ready();
    expect(await daemon.says(/going on without it/)).toMatchObject({ level: 'warn', code: 'REDIS_UNAVAILABLE' });
    await goesOn(patient);
    await tells(daemon, { ok: false, redis: expect.stringContaining('degraded') });
    const status = await bed.cli('status');
    expect(status.code).toBe(0);
    expect(status.stdout).toMatch(/degraded/);
    expect(await daemon.stop()).toBe(0);
    const [runs] = await bed.sql<
      [{ outcomes: string[] }]
    >`select array_agg(distinct outcome) as outcomes from fabric_run`;
    expect(runs.outcomes).toEqual(['complete']);
  },
);

test('absent at the start, it comes later: the daemon returns to it, with every timer', async () => {
  const bed = await openBed({ redis: 'own' });
  await bed.redis.kill();
  const patient = await bed.fabric('lab');
  const daemon = await bed.daemon().ready();
  await daemon.says(/going on without it/);
  await patient.synced();
  await bed.redis.start();
  await daemon.says(/back to it/);
  await goesOn(patient);
  await tells(daemon, { ok: true, redis: 'ok' });
  await bed.check();
});

test('killed and started again: no tick is lost on the way there, without it, or on the way back', async () => {
  const bed = await openBed({ redis: 'own' });
  const patients = await Promise.all(['north', 'south'].map((name) => bed.fabric(name)));
  const daemon = await bed.daemon().ready();
  await Promise.all(patients.map(goesOn));
  await bed.redis.kill();
  await tells(daemon, { ok: false, redis: expect.stringContaining('degraded') });
  await Promise.all(patients.map(goesOn));
  await bed.redis.start();
  await tells(daemon, { ok: true, redis: 'ok' });
  await Promise.all(patients.map(goesOn));
  await bed.check();
});

test('hanging: the daemon goes on without it, and back when it answers', async () => {
  const bed = await openBed({ redis: 'own', env: { FABRIC_SYNCD_LEASE_TTL: '10s' } });
  const patient = await bed.fabric('lab');
  const daemon = await bed.daemon().ready();
  await patient.synced();
  bed.redis.pause();
  await tells(daemon, { ok: false, redis: expect.stringContaining('degraded') });
  await goesOn(patient);
  bed.redis.resume();
  await tells(daemon, { ok: true, redis: 'ok' });
  await goesOn(patient);
  await bed.check();
});

test('come back empty: the sweep arms every timer again, for the due time that its row says', async () => {
  const bed = await openBed({ redis: 'own' });
  const patient = await bed.fabric('lab', { sync_interval: 5 });
  const daemon = await bed.daemon().ready();
  const before = await patient.synced();
  const { dueAtMs } = await patient.until((row) => row.state === 'scheduled', 'at rest');
  // The row comes first: a timer that is armed after the flush needs no sweep.
  await vi.waitFor(async () => expect(await bed.timer(patient.id)).toMatchObject({ dueAtMs }), eventually);
  await flush(bed);
  await daemon.says((line) => line.level === 'warn' && /repaired|got one/.test(line.msg));
  expect(await bed.timer(patient.id)).toMatchObject({ dueAtMs });
  const after = await patient.synced(before.id);
  expect(after.dueAt?.getTime()).toBe(dueAtMs);
  await bed.check();
});

test('come back empty in the middle of a run: the run, whose lock is gone, is given up and made again', async () => {
  const bed = await openBed({ redis: 'own' });
  const patient = await bed.fabric('lab');
  const daemons = await Promise.all([bed.daemon(), bed.daemon()].map((daemon) => daemon.ready()));
  await patient.synced();
  await patient.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' }, times: 1 });
  const run = await vi.waitFor(async () => {
    const working = await patient.working();
    expect(patient.cluster.faults.list(), 'it has struck').toEqual([]);
    return working;
  }, eventually);
  await flush(bed);
  await patient.synced(run.id);
  expect(await patient.run(run.id)).toMatchObject({ outcome: 'failed', failure: { code: 'LEASE_LOST' } });
  await Promise.all(daemons.map((daemon) => tells(daemon, { ok: true })));
  await bed.check();
});

anyTest('none, by choice: two daemons keep apart by the database alone, and nothing is degraded', async () => {
  const bed = await openBed({ redis: 'none', env: { FABRIC_SYNCD_LEASE_TTL: '30s' } });
  const first = await bed.daemon().ready();
  const patients = await Promise.all(['a', 'b', 'c'].map((name) => bed.fabric(name)));
  await Promise.all(patients.map((patient) => patient.synced()));
  const second = await bed.daemon().ready();
  await Promise.all(patients.map(goesOn));
  await Promise.all([first, second].map((daemon) => tells(daemon, { ok: true, why: '', redis: 'ok' })));
  expect(await Promise.all([first.stop(), second.stop()])).toEqual([0, 0]);
  const [runs] = await bed.sql<
    [{ outcomes: string[] }]
  >`select array_agg(distinct outcome) as outcomes from fabric_run`;
  expect(runs.outcomes).toEqual(['complete']);
  await bed.check();
  await bed.expectNothingLeft();
});

test('seen by one daemon and not by the other: the claim in the database keeps them apart', async () => {
  const bed = await openBed({ env: { FABRIC_SYNCD_LEASE_TTL: '30s' } });
  const seeing = await bed.daemon().ready();
  const patients = await Promise.all(['a', 'b', 'c'].map((name) => bed.fabric(name)));
  await Promise.all(patients.map((patient) => patient.synced()));
  const blind = await bed.daemon({ REDIS_URL: nobody.url }).ready();
  await tells(blind, { redis: expect.stringContaining('degraded') });
  await Promise.all(patients.map(goesOn));
  expect(await Promise.all([seeing.stop(), blind.stop()])).toEqual([0, 0]);
  const doubled = await bed.sql`
    select fabric_id, due_at from fabric_run where due_at is not null group by 1, 2 having count(*) > 1`;
  expect([...doubled]).toEqual([]);
});
