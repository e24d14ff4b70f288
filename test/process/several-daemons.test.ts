// Several daemons on the same servers: they share the work, never run one fabric twice at a time, and need no leader.

import { expect, test, vi } from 'vitest';
import { type Bed, bedsOfThisFile, type Patient } from '../support/process/bed.ts';
import { type Daemon, eventually } from '../support/process/daemon.ts';

const openBed = bedsOfThisFile();

/** A lease that outlives every stall of a busy machine: nobody is dead here, and nobody may be taken for dead. */
const patience = { FABRIC_SYNCD_LEASE_TTL: '30s', FABRIC_SYNCD_CONCURRENCY: '1' };

/** One daemon alone plans the fabrics and syncs each once; then the others come. */
async function together(bed: Bed, count: number, fabrics: readonly string[]) {
  const first = await bed.daemon().ready();
  const patients = await Promise.all(fabrics.map((name) => bed.fabric(name)));
  await Promise.all(patients.map((patient) => patient.synced()));
  const others = Array.from({ length: count - 1 }, () => bed.daemon());
  return { patients, daemons: await Promise.all([first, ...others].map((daemon) => daemon.ready())) };
}

async function stopAll(daemons: readonly Daemon[]) {
  expect(await Promise.all(daemons.map((daemon) => daemon.stop()))).toEqual(daemons.map(() => 0));
}

test.for([2, 3])(
  '%i daemons share the work, and no fabric is run twice at a time or for one due time',
  async (count) => {
    const bed = await openBed({ env: patience });
    const { patients, daemons } = await together(bed, count, ['a', 'b', 'c', 'd', 'e', 'f']);
    // Each has room for one at a time, and one cannot do them all within a second.
    for (const { cluster } of patients) await cluster.faults.set({ does: 'slow', ms: 100 });
    await vi.waitFor(async () => {
      const [done] = await bed.sql<[{ daemons: number; least: number }]>`
      select count(distinct daemon)::int as daemons,
             (select min(n)::int from (select count(*) as n from fabric_run where outcome = 'complete' group by fabric_id) x) as least
        from fabric_run`;
      expect(done.daemons, 'every daemon has run something').toBe(count);
      expect(done.least, 'every fabric was run several times').toBeGreaterThanOrEqual(4);
    }, eventually);
    await stopAll(daemons);

    const outcomes = await bed.sql`select distinct outcome from fabric_run`;
    expect([...outcomes]).toEqual([{ outcome: 'complete' }]);
    // What the clusters saw is what the rows say: nobody read a fabric in secret.
    for (const patient of patients) {
      const [said] = await bed.sql<[{ requests: number }]>`
      select sum(requests)::int as requests from fabric_run where fabric_id = ${patient.id}`;
      expect(patient.cluster.counts.requests).toBe(said.requests);
    }
    await bed.check();
    await bed.expectNothingLeft();
  },
);

test('two that start in the same moment agree on what is due, and on who runs it', async () => {
  const bed = await openBed({ env: { FABRIC_SYNCD_LEASE_TTL: '30s' } });
  const patients = await Promise.all(['a', 'b', 'c'].map((name) => bed.fabric(name)));
  const daemons = await Promise.all([bed.daemon(), bed.daemon()].map((daemon) => daemon.ready()));
  await Promise.all(
    patients.map(async (patient) => {
      const first = await patient.synced();
      await patient.synced(first.id);
    }),
  );
  await stopAll(daemons);
  const runs = await bed.sql`
    select fabric_id, due_at, count(*)::int as runs from fabric_run group by fabric_id, due_at having count(*) > 1`;
  expect([...runs], 'due times that were served twice').toEqual([]);
  await bed.checkInvariants();
});

test('a change of settings by anybody reaches all of them', async () => {
  const bed = await openBed({ env: { ...patience, FABRIC_SYNCD_SWEEP_INTERVAL: '1h' } });
  const { patients, daemons } = await together(bed, 3, ['lab']);
  const [patient] = patients as [Patient];
  const states = () =>
    Promise.all(
      daemons.map(async (daemon) => (await daemon.fleet()).fabrics.map(({ name, state }) => `${name} ${state}`)),
    );
  const all = (seen: readonly string[]) =>
    vi.waitFor(async () => expect(await states()).toEqual(daemons.map(() => seen)), eventually);

  await bed.sql`update fabric set sync_interval = 3600`;
  await all(['lab scheduled']);
  await bed.sql`update fabric set sync_enabled = false`;
  await all(['lab idle']);
  const second = await bed.fabric('barn', { sync_enabled: false });
  await all(['lab idle', 'barn idle']);
  await bed.sql`update fabric set sync_enabled = true, name = 'shed' where id = ${second.id}`;
  await second.synced();
  await all(['lab idle', 'shed scheduled']);
  await bed.sql`delete from fabric where id = ${patient.id}`;
  await all(['shed scheduled']);
  await stopAll(daemons);
});

test('one is killed in the middle of a run: another takes the fabric over, and all the others go on meanwhile', async () => {
  const bed = await openBed({ env: { FABRIC_SYNCD_LEASE_TTL: '4s' } });
  const { patients, daemons } = await together(bed, 2, ['a', 'b', 'c']);
  const [struck, ...healthy] = patients as [Patient, ...Patient[]];
  await struck.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' } });
  const run = await vi.waitFor(async () => {
    const working = await struck.working();
    expect(struck.cluster.counts.inFlight).toBeGreaterThan(0);
    return working;
  }, eventually);
  const doomed = daemons.find((daemon) => run.daemon.includes(`/${daemon.pid}/`));
  if (!doomed) throw new Error(`nobody here is ${run.daemon}`);
  await doomed.kill();
  await struck.cluster.faults.clear();

  const next = await struck.synced(run.id);
  expect(next.daemon).not.toBe(run.daemon);
  expect(await struck.run(run.id)).toMatchObject({ outcome: 'interrupted', failure: { code: 'INTERRUPTED' } });
  for (const patient of healthy) {
    const [last] = (await patient.runs()).slice(-1);
    expect((await patient.synced(last?.id)).daemon).toBe(next.daemon);
  }
  await bed.check();
});

test('one that stood still for longer than its lease finds itself fenced, and writes nothing', async () => {
  const bed = await openBed({ env: { FABRIC_SYNCD_LEASE_TTL: '3s' } });
  const { patients, daemons } = await together(bed, 2, ['lab']);
  const [patient] = patients as [Patient];
  patient.cluster.edits.createVpc();
  await patient.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' }, times: 1 });
  const run = await vi.waitFor(async () => {
    const working = await patient.working();
    expect(patient.cluster.faults.list(), 'it has struck').toEqual([]);
    return working;
  }, eventually);
  const frozen = daemons.find((daemon) => run.daemon.includes(`/${daemon.pid}/`));
  if (!frozen) throw new Error(`nobody here is ${run.daemon}`);
  frozen.signal('SIGSTOP');
  const next = await patient.synced(run.id);
  expect(next.daemon).not.toBe(run.daemon);
  frozen.signal('SIGCONT');

  await vi.waitFor(async () => {
    const states = (await frozen.fleet()).fabrics.map(({ path }) => path);
    expect(states[0], 'the run is over there too').not.toMatch(/^(?:syncing|locked)/);
    expect((await frozen.health()).running).toBe(0);
  }, eventually);
  const changes = await bed.sql`select from fabric_change where run_id = ${run.id}`;
  expect(changes.count, 'changes of the fenced run').toBe(0);
  expect(await patient.run(run.id)).toMatchObject({ outcome: 'interrupted' });
  const [last] = (await patient.runs()).slice(-1);
  await patient.synced(last?.id);
  await bed.check();
});
