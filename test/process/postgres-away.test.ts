// Postgres is absent at the start, goes away in the middle, or comes back as another: the daemon waits, says so, and goes on.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { askForText } from '../../src/admin/client.ts';
import { streamEvents } from '../../src/cli/inspect/feed.ts';
import { systemClock } from '../../src/clock.ts';
import { type PrivatePostgres, startPrivatePostgres } from '../../src/demo/servers/postgres.ts';
import type { FleetDocument } from '../../src/inspector/documents.ts';
import { hold } from '../support/hold.ts';
import { makeTemplate } from '../support/postgres.ts';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { type Daemon, eventually } from '../support/process/daemon.ts';

let folder: string;
let server: PrivatePostgres;
let postgres: { url: string; template: string };
let isDown = false;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-postgres-'));
  server = await startPrivatePostgres({ dir: folder });
  postgres = { url: server.url, template: (await makeTemplate(server.url)).name };
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const openBed = bedsOfThisFile();
// Hooks run backwards: the server is back before the bed is cleared away.
afterEach(async () => {
  if (isDown) await comeBack();
});

async function goAway() {
  isDown = true;
  await server.kill();
}

async function comeBack() {
  await server.restart();
  isDown = false;
}

/** Resolves when the daemon tells of no trouble any more. */
function well(daemon: Daemon) {
  return vi.waitFor(async () => expect(await daemon.health()).toMatchObject({ ok: true, why: '' }), eventually);
}

test('absent at the start: it is waited for, said once, and found when it comes', async () => {
  const bed = await openBed({ postgres });
  const patient = await bed.fabric('lab');
  await goAway();
  const daemon = bed.daemon();
  const said = await daemon.says(/waiting for Postgres/);
  expect(said).toMatchObject({ code: 'DATABASE_UNAVAILABLE', hint: expect.stringContaining('DATABASE_URL') });
  // A reload that comes too early ends nothing.
  daemon.signal('SIGHUP');
  await daemon.says(/not started yet: there is nothing to reload/);
  expect(await bed.cli('status')).toMatchObject({
    code: 6,
    stdout: expect.stringContaining('Postgres does not answer'),
  });
  await comeBack();
  await daemon.ready();
  await patient.synced();
  expect(daemon.log.filter(({ msg }) => msg.includes('waiting for Postgres'))).toHaveLength(1);
  expect(await daemon.stop()).toBe(0);
  await bed.check();
});

test('absent at the start: who looks is served from the start and told so, and sees everything come', async () => {
  const bed = await openBed({ postgres });
  const patient = await bed.fabric('lab');
  await goAway();
  const daemon = bed.daemon({ FABRIC_SYNCD_INSPECTOR: '127.0.0.1:0', FABRIC_SYNCD_METRICS_LISTEN: '127.0.0.1:0' });
  await daemon.says(/waiting for Postgres/);
  const problem = expect.stringContaining('DATABASE_UNAVAILABLE');
  expect(await daemon.health()).toMatchObject({ ok: false, postgres: problem, why: problem });
  const available = 'fabric_syncd_server_available{db_system_name="postgresql"}';
  const metrics = () => askForText(daemon.socketPath, '/metrics', AbortSignal.timeout(10_000));
  expect(await metrics()).toContain(`${available} 0`);
  expect(await metrics()).toMatch(/fabric_syncd_daemon_progress(?:\{[^}]*\})? 1/);
  const { url } = await daemon.says(/^the inspector is at /);
  expect((await fetch(`${url}/`)).status).toBe(200);
  const fleet = async () => (await (await fetch(`${url}/api/fleet`)).json()) as FleetDocument;
  const { parts, fabrics, daemon: itself } = await fleet();
  expect(fabrics).toEqual([]);
  expect(parts).toMatchObject({ daemon: { state: 'ok' }, postgres: { state: 'missing', problem } });
  expect(Date.parse(parts.postgres.since), 'since the start').toBeLessThanOrEqual(Date.parse(itself.started_at));
  expect(await bed.cli('inspect', 'lab', '--json')).toMatchObject({
    code: 6,
    stdout: expect.stringContaining('DATABASE_UNAVAILABLE'),
  });
  // Who has watched since then hears of everything that comes.
  const stream = streamEvents(daemon.socketPath, { fabric: null, clock: systemClock }, AbortSignal.timeout(60_000));
  expect(await stream.next()).toMatchObject({ value: { event: 'snapshot' } });
  await comeBack();
  const told = new Set<string>();
  for await (const { event, data } of stream) {
    if (event === 'parts' && data.postgres.state === 'ok') told.add('Postgres');
    if (event === 'fabric' && data.name === 'lab') told.add('lab');
    if (event === 'run' && data.fabric === 'lab') told.add('its run');
    if (told.size === 3) break;
  }
  await patient.synced();
  await daemon.ready();
  await well(daemon);
  expect(await metrics()).toContain(`${available} 1`);
});

test('told to stop while it waits: it ends at once, in order', async () => {
  const bed = await openBed({ postgres });
  await goAway();
  const daemon = bed.daemon();
  await daemon.says(/waiting for Postgres/);
  expect(await daemon.stop()).toBe(0);
});

test('gone in the middle of a list: the run is given up, told when Postgres is back, and made again', async () => {
  const bed = await openBed({ postgres });
  const patient = await bed.fabric('lab');
  const daemon = await bed.daemon().ready();
  await patient.synced();
  await patient.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' }, times: 1 });
  const run = await vi.waitFor(async () => {
    const working = await patient.working();
    expect(patient.cluster.faults.list(), 'it has struck').toEqual([]);
    return working;
  }, eventually);
  await goAway();
  await daemon.says((line) => line.level === 'error' && /sweep failed.*Postgres/.test(line.msg));
  await vi.waitFor(async () => {
    const health = await daemon.health();
    expect(health).toMatchObject({ ok: false, postgres: expect.stringContaining('DATABASE_UNAVAILABLE') });
    expect(health.running, 'the run is given up').toBe(0);
  }, eventually);
  await comeBack();

  await daemon.says(/Postgres answers again/);
  await patient.synced(run.id);
  // Told by the daemon itself, or by a sweep that came before it.
  const { outcome, failure } = await patient.run(run.id);
  expect([outcome, failure?.code]).toBeOneOf([
    ['failed', 'LEASE_LOST'],
    ['interrupted', 'INTERRUPTED'],
  ]);
  await well(daemon);
  await bed.check();
});

test('gone in the middle of the merge: nothing of it is stored, and it is made again', async () => {
  const bed = await openBed({ postgres });
  const patient = await bed.fabric('lab');
  const changes = await hold(bed.sql, (tx) => tx`lock table fabric_change in exclusive mode`);
  const daemon = await bed.daemon().ready();
  const run = await patient.working();
  await changes.waitedFor();
  await goAway();
  await comeBack();

  const after = await patient.synced();
  expect(after.id).not.toBe(run.id);
  const byRun = await bed.sql`select created_run::text as run, count(*)::int as n from fabric_resource group by 1`;
  expect([...byRun]).toEqual([{ run: after.id, n: 38 }]);
  await well(daemon);
  await bed.check();
});

test('gone and back while nothing was to do: settings that are changed afterwards are heard of again', async () => {
  const bed = await openBed({ postgres, env: { FABRIC_SYNCD_SWEEP_INTERVAL: '1h' } });
  const patient = await bed.fabric('lab', { sync_interval: 3600 });
  const daemon = await bed.daemon().ready();
  const first = await patient.synced();
  await goAway();
  await comeBack();
  await vi.waitFor(async () => {
    const listening = await bed.sql`
      select from pg_stat_activity where datname = current_database() and query ilike 'listen%'`;
    expect(listening.count, 'it listens again').toBe(1);
  }, eventually);
  await bed.sql`insert into fabric_request (fabric_id, asked_by) values (${patient.id}, 'ann')`;
  expect(await patient.synced(first.id)).toMatchObject({ trigger: 'manual' });
  await well(daemon);
});

test('the schema is gone: it is said plainly, nothing crashes, and after a migration it goes on with what is there', async () => {
  const bed = await openBed({ postgres });
  const patient = await bed.fabric('lab');
  const daemon = await bed.daemon().ready();
  await patient.synced();
  await bed.sql.unsafe('drop schema public cascade; create schema public');
  const said = await daemon.says((line) => line.level === 'error' && /sweep failed/.test(line.msg));
  expect(said.msg).toMatch(/does not exist/);
  expect(said.hint, 'what to do').toMatch(/fabric-syncd (?:migrate|doctor)/);
  await vi.waitFor(
    async () =>
      expect(await daemon.health()).toMatchObject({ ok: false, postgres: expect.stringContaining('does not exist') }),
    eventually,
  );
  expect(daemon.running).toBe(true);

  expect(await bed.cli('migrate')).toMatchObject({ code: 0 });
  const newcomer = await bed.fabric('newcomer');
  await newcomer.synced();
  await well(daemon);
  expect((await daemon.fleet()).fabrics.map(({ name }) => name)).toEqual(['newcomer']);
  await bed.checkInvariants();
});

test('a schema of a newer program: it refuses to start, and says why', async () => {
  const bed = await openBed({ postgres });
  await bed.sql`insert into fabric_migration (number, name, hash) values (9999, '9999_later.sql', '')`;
  const daemon = bed.daemon();
  expect(await daemon.ended()).toBe(7);
  expect(daemon.output).toMatch(/newer/);
});
