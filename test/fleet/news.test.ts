// What others do, and what gets lost on the way: notices, the sweep, and several daemons on the same rows.

import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { Vitals } from '../../src/admin/vitals.ts';
import { MemoryTimers } from '../../src/fleet/memory-timers.ts';
import { memoryDaemon, memoryPlace, pass, quiet, until } from '../support/memory-daemon.ts';

const ready = async (env: Record<string, string> = {}) => {
  const place = memoryPlace();
  const row = place.database.add('7');
  const daemon = memoryDaemon(place, 'one', { env });
  await daemon.start();
  const path = () => daemon.fleet.member('7')?.path;
  await pass(place.clock, 5_000);
  await until(() => row.status === 'in_sync' && path() === 'scheduled.waiting');
  const settings = (change: Partial<typeof row>) => {
    Object.assign(row, change);
    place.database.tell({ what: 'settings', fabricId: '7' });
  };
  return { ...place, row, daemon, path, settings };
};

const timerOf = async (timers: MemoryTimers, fabricId: string) =>
  (await timers.all()).find((timer) => timer.fabricId === fabricId);

const warnings = ({ lines }: { lines: readonly string[] }) => lines.filter((line) => line.startsWith('warn'));

describe('settings', () => {
  test('take effect at once: a new interval, a pause, its end', async () => {
    const { clock, row, timers, path, settings } = await ready();
    settings({ intervalMs: 10_000 });
    await until(() => row.tickIntervalMs === 10_000);
    await quiet();
    expect(await timerOf(timers, '7')).toMatchObject({ dueAtMs: (row.lastSyncMs ?? 0) + 10_000 });
    settings({ paused: { untilMs: clock.nowMs() + 60_000 } });
    await until(() => path() === 'idle');
    await quiet();
    expect(await timerOf(timers, '7')).toBeUndefined();
    await pass(clock, 65_000);
    await until(() => path() === 'scheduled.waiting' && row.lastSyncMs === clock.nowMs() - 5_000);
  });

  test('that change during a run are read again when it rests', async () => {
    const { clock, row, gate, path, settings } = await ready();
    gate.shut();
    await pass(clock, 60_250);
    await until(() => path() === 'syncing.running');
    settings({ syncEnabled: false });
    await quiet();
    expect(path()).toBe('syncing.running');
    gate.open();
    await until(() => path() === 'idle');
    expect(row).toMatchObject({ state: 'idle', dueAtMs: null, status: 'in_sync' });
  });

  test('that make a fabric in trouble due now need no sweep', async () => {
    const { clock, row, settings, database } = await ready();
    const trouble = { state: 'errored', dueKind: 'probe', attempts: 6, status: 'error' } as const;
    settings({ ...trouble, dueAtMs: clock.nowMs() + 600_000 });
    await quiet();
    // As the schema's trigger does it for a new token.
    settings({ dueAtMs: clock.nowMs() });
    await until(() => row.status === 'in_sync');
    expect(database.runs.at(-1)).toMatchObject({ trigger: 'probe', outcome: 'complete' });
  });
});

describe('a timer', () => {
  test('that comes before the news of its fabric is not thrown away', async () => {
    const { clock, row, timers, database, path } = await ready();
    Object.assign(row, { syncEnabled: false });
    database.tell({ what: 'settings', fabricId: '7' });
    await until(() => path() === 'idle');
    // Another daemon heard first that it is enabled again, and armed it.
    const dueAtMs = clock.nowMs();
    Object.assign(row, { syncEnabled: true, state: 'scheduled', dueAtMs, dueKind: 'sync', tickIntervalMs: 60_000 });
    await timers.arm({ fabricId: '7', kind: 'sync', dueAtMs, traceparent: null });
    await until(() => database.runs.length === 2 && row.status === 'in_sync');
    expect(clock.nowMs()).toBe(dueAtMs);
  });

  test('of a fabric that is gone is removed', async () => {
    const { clock, timers } = await ready();
    await timers.arm({ fabricId: '99', kind: 'sync', dueAtMs: clock.nowMs(), traceparent: null });
    await quiet();
    expect(await timerOf(timers, '99')).toBeUndefined();
  });

  test('that was lost, or is older than its row, is made right by the sweep', async () => {
    const { clock, row, timers, daemon } = await ready();
    timers.clear();
    await pass(clock, 5_000);
    expect(await timerOf(timers, '7')).toMatchObject({ dueAtMs: row.dueAtMs });
    const old = { fabricId: '7', kind: 'sync', dueAtMs: clock.nowMs() + 1e6, traceparent: null } as const;
    await timers.arm(old);
    await pass(clock, 5_000);
    expect(await timerOf(timers, '7')).toMatchObject({ dueAtMs: row.dueAtMs });
    expect(warnings(daemon)).toHaveLength(2);
  });

  test('that was claimed while Postgres was away shows again when it is back, not when its hold ends', async () => {
    const { clock, row, database, daemon } = await ready();
    database.before = () => {
      throw new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres does not answer');
    };
    await pass(clock, 63_000);
    expect(daemon.lines.some((line) => line.includes('not run: DATABASE_UNAVAILABLE'))).toBe(true);
    database.before = () => {};
    await pass(clock, 6_000);
    expect(row).toMatchObject({ status: 'in_sync', attempts: 0 });
    expect(database.runs.map(({ outcome }) => outcome)).toEqual(['complete', 'complete']);
  });
});

describe('however much is told at once', () => {
  test('what waits to be looked at is looked at once for each reason, after the last word of it', async () => {
    const { database, daemon } = await ready();
    const looks = (act: string) => database.acts.filter((one) => one === act).length;
    const gate = Promise.withResolvers<void>();
    database.before = (act) => (act === 'interruptExpired' || act === 'fabric' ? gate.promise : undefined);
    const before = { passes: looks('interruptExpired'), rows: looks('fabric 7') };
    const passes: Promise<unknown>[] = [];
    for (let i = 0; i < 5; i++) {
      passes.push(daemon.sweep.now('reload'));
      daemon.post.hear({ what: 'everything' });
      daemon.post.hear({ what: 'changed', fabricId: '7' });
      daemon.post.hear({ what: 'settings', fabricId: '7' });
      await quiet();
    }
    gate.resolve();
    await Promise.all(passes);
    await quiet();
    // One was under way already when the others asked; one for the reloads, and one for the news.
    expect(looks('interruptExpired') - before.passes).toBe(3);
    expect(looks('fabric 7') - before.rows).toBe(3);
  });
});

describe('two daemons', () => {
  test('share the runs, agree on every due time, and repair nothing of each other', async () => {
    const place = memoryPlace();
    for (let id = 1; id <= 20; id++) place.database.add(String(id), { intervalMs: 10_000 });
    const daemons = ['one', 'two'].map((name) => memoryDaemon(place, name));
    await Promise.all(daemons.map((daemon) => daemon.start()));
    await pass(place.clock, 120_000, 500);
    const { rows, runs } = place.database;
    for (const { outcome } of runs) expect(outcome).toBe('complete');
    for (const [fabricId, row] of rows) {
      expect(row.status).toBe('in_sync');
      // One run a tick, none doubled and none lost.
      const starts = runs.filter((run) => run.fabricId === fabricId).map(({ startedMs }) => startedMs);
      for (const [i, ms] of starts.slice(1).entries())
        expect(Math.abs(ms - (starts[i] ?? 0) - 10_000)).toBeLessThan(1_100);
      expect(starts.length).toBeGreaterThanOrEqual(11);
      for (const { fleet } of daemons)
        expect(fleet.member(fabricId)?.context.plan).toMatchObject({ dueAtMs: row.dueAtMs });
    }
    expect(new Set(runs.map(({ daemon }) => daemon)).size).toBe(2);
    expect(daemons.flatMap(warnings)).toEqual([]);
    expect(daemons.map(({ fleet }) => fleet.slots.running)).toEqual([0, 0]);
  });

  test('without Redis each keeps its own timers right by what it hears, and no run is doubled', async () => {
    const place = memoryPlace();
    for (let id = 1; id <= 5; id++) place.database.add(String(id), { intervalMs: 10_000 });
    const daemons = ['one', 'two'].map((name) => memoryDaemon(place, name, { timers: new MemoryTimers() }));
    await Promise.all(daemons.map((daemon) => daemon.start()));
    await pass(place.clock, 60_000, 500);
    const { runs } = place.database;
    for (let id = 1; id <= 5; id++) {
      const mine = runs.filter(({ fabricId }) => fabricId === String(id));
      expect(mine.length).toBeGreaterThanOrEqual(5);
      expect(mine.length).toBeLessThanOrEqual(6);
    }
    for (const { outcome } of runs) expect(outcome).toBe('complete');
    expect(daemons.flatMap(warnings)).toEqual([]);
  });

  test('one sees what the other ran into', async () => {
    const { clock, fabric, database, row, timers, ...place } = await ready();
    const other = memoryDaemon({ clock, fabric, database, timers, ...place }, 'two');
    await other.start();
    fabric.troubleElsewhere = async () => {
      throw new FabricFailure('UNAUTHORIZED', 'the token was refused');
    };
    await pass(clock, 60_250);
    await until(() => row.state === 'errored');
    await quiet();
    for (const { fleet } of [place.daemon, other]) {
      expect(fleet.member('7')).toMatchObject({
        path: 'errored.waiting',
        context: { failure: { code: 'UNAUTHORIZED' } },
      });
    }
  });
});

describe('the watchdog', () => {
  const vitals = ({ clock, daemon }: Pick<Awaited<ReturnType<typeof ready>>, 'clock' | 'daemon'>) =>
    new Vitals({
      daemon: 'one',
      version: '0',
      pid: 1,
      clock,
      fleet: daemon.fleet,
      pump: daemon.pump,
      servers: { degraded: () => null },
      databaseTrouble: () => null,
      keyIds: () => [],
    });

  test('does not mind a hundred dead fabrics that stand in line for the few slots of theirs', async () => {
    const place = await ready({ FABRIC_SYNCD_CONCURRENCY: '4', FABRIC_SYNCD_RUN_DEADLINE: '10m' });
    const { clock, database, daemon, gate } = place;
    gate.shut();
    for (let id = 100; id < 200; id++) {
      const due = { dueAtMs: clock.nowMs(), dueKind: 'retry', tickIntervalMs: 60_000 } as const;
      database.add(String(id), { state: 'backoff', attempts: 1, ...due });
      database.tell({ what: 'settings', fabricId: String(id) });
    }
    await until(() => daemon.fleet.slots.running === 2 && daemon.fleet.slots.waiting === 98);
    // The healthy one keeps its slot, though it hangs too here.
    await pass(clock, 200_000, 5_000);
    expect(vitals(place).progress()).toEqual({ ok: true });
  });

  test.each(['DATABASE_REFUSED', 'DATABASE_UNAVAILABLE'] as const)(
    'does not mind what Postgres refuses to one fabric (%s), but it is told wherever an operator looks',
    async (code) => {
      const place = await ready();
      const { clock, database } = place;
      database.before = (act) => {
        if (act === 'claim') throw new FabricFailure(code, 'Postgres did not claim a fabric: permission denied');
      };
      await pass(clock, 300_000, 5_000);
      const daemon = vitals(place);
      expect(daemon.progress()).toEqual({ ok: true });
      expect(daemon.overdueMs()).toBeGreaterThan(120_000);
      const why = `fabric-7 cannot be run: ${code}: Postgres did not claim a fabric: permission denied`;
      expect(daemon.statusLine()).toContain(`; ${why}`);
      expect(daemon.health()).toMatchObject({ ok: false, why, postgres: 'ok' });
      database.before = () => {};
      await pass(clock, 60_000, 5_000);
      expect(daemon.health()).toMatchObject({ ok: true, why: '' });
    },
  );

  test('barks where it is a defect that keeps a fabric from running', async () => {
    const place = await ready();
    const { clock, database } = place;
    database.before = (act) => {
      if (act === 'claim') throw new TypeError('undefined is not a function');
    };
    await pass(clock, 300_000, 5_000);
    expect(vitals(place).progress()).toMatchObject({ ok: false, why: expect.stringContaining('fabric-7') });
  });

  test('barks where something is long overdue and nobody works on it', async () => {
    const place = await ready();
    const { clock, daemon } = place;
    await daemon.pump.stop();
    daemon.pump.nudge();
    await pass(clock, 25_000, 5_000);
    expect(vitals(place).progress()).toEqual({ ok: true });
    await pass(clock, 20_000, 5_000);
    expect(vitals(place).progress()).toMatchObject({ ok: false, why: expect.stringContaining('timer loop') });
  });
});
