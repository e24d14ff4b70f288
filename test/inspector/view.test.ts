import { describe, expect, test } from 'vitest';
import { readStatus } from '../../src/inspector/read.ts';
import type { DaemonWord, ViewInput } from '../../src/inspector/view.ts';
import { statusView } from '../../src/inspector/view.ts';
import type { StatusRow } from '../../src/ports/operator.ts';
import type { StoredTimer } from '../../src/ports/timers.ts';
import { nowMs, sampleRow, sampleRun } from './sample.ts';

const timer = (other: Partial<StoredTimer> = {}): StoredTimer => ({
  fabricId: '1',
  kind: 'sync',
  dueAtMs: nowMs + 40_000,
  showsAtMs: nowMs + 40_000,
  traceparent: null,
  ...other,
});

const viewOf = (row: Partial<StatusRow> = {}, other: Partial<ViewInput> = {}) =>
  statusView({
    rows: { nowMs, fabrics: [sampleRow(row)] },
    timers: { state: 'answers', timers: [timer()] },
    daemon: null,
    nowMs,
    ...other,
  });

const only = (...input: Parameters<typeof viewOf>) => {
  const [fabric] = viewOf(...input).fabrics;
  if (!fabric) throw new Error('the view has no fabric');
  return fabric;
};

const failure = {
  code: 'UNAUTHORIZED',
  message: 'the token was refused',
  hint: 'fabric-syncd fabric set NAME --x',
} as const;

describe('sync_status', () => {
  test('an inventory is in_sync up to twice the interval, and out_of_sync from then on', () => {
    expect(only({ lastSyncMs: nowMs - 120_000 }).sync_status).toBe('in_sync');
    const stale = only({ lastSyncMs: nowMs - 120_001 });
    expect(stale).toMatchObject({
      sync_status: 'out_of_sync',
      sync_error: 'the last sync is older than twice the interval',
    });
    expect(stale.hint).toContain('fabric-syncd trigger lab');
  });

  test('a fabric without periodic syncs does not grow stale', () => {
    const old = { lastSyncMs: nowMs - 86_400_000, dueAtMs: null, dueKind: null, state: 'idle' } as const;
    expect(only({ ...old, intervalMs: 0 }).sync_status).toBe('in_sync');
    expect(only({ ...old, schedulerEnabled: false }).sync_status).toBe('in_sync');
  });

  test('a paused fabric grows stale like any other', () => {
    const pause = { by: 'ann@noc', reason: 'upgrade', sinceMs: nowMs, untilMs: null };
    expect(only({ pause, lastSyncMs: nowMs - 500_000 }).sync_status).toBe('out_of_sync');
  });

  test('syncing is said only while the lease is alive', () => {
    const working = { state: 'syncing', syncStatus: 'syncing', leaseHolder: 'host/1/a' } as const;
    expect(only({ ...working, leaseUntilMs: nowMs + 1 })).toMatchObject({ state: 'syncing', sync_status: 'syncing' });
    expect(only({ ...working, leaseUntilMs: nowMs })).toMatchObject({
      state: 'backoff',
      sync_status: 'error',
      error_code: 'INTERRUPTED',
      sync_error: 'the daemon that ran it ended in the middle',
    });
  });

  test('a run that died in a fabric that is disabled now is neither syncing nor an error', () => {
    const died = { state: 'syncing', syncStatus: 'syncing', leaseUntilMs: nowMs - 1, syncEnabled: false } as const;
    expect(only({ ...died, previousSyncMs: null }).sync_status).toBe('never_synced');
    expect(only({ ...died, previousSyncMs: nowMs - 1000 }).sync_status).toBe('out_of_sync');
  });

  test('a failure is an error with its code, its cause, and its hint with the fabric’s own name', () => {
    expect(
      only({
        state: 'errored',
        dueKind: 'probe',
        failure,
        syncStatus: 'error',
        syncError: failure.message,
        name: 'a b',
      }),
    ).toMatchObject({
      sync_status: 'error',
      error_code: 'UNAUTHORIZED',
      sync_error: 'the token was refused',
      hint: "fabric-syncd fabric set 'a b' --x",
    });
  });
});

describe('while it is tried again', () => {
  const trying = { state: 'syncing', syncStatus: 'syncing', leaseUntilMs: nowMs + 5000, failure } as const;

  test('what is wrong is still said: a server that is silent may take long to fail again', () => {
    expect(only({ ...trying, attempts: 3 })).toMatchObject({
      state: 'syncing',
      sync_status: 'syncing',
      sync_error: failure.message,
      error_code: failure.code,
    });
    expect(only({ ...trying, attempts: 3 }).hint).not.toBe('');
  });

  test('nothing is wrong with a run that follows a good one', () => {
    const well = { ...trying, failure: null, attempts: 0, syncError: 'the line of a partial run' };
    expect(only(well)).toMatchObject({ sync_status: 'syncing', sync_error: '', error_code: null, hint: '' });
  });
});

describe('what stands beside the status', () => {
  test('while a run is in hand the age is that of the inventory, not of the attempt', () => {
    const fabric = only({
      state: 'syncing',
      leaseUntilMs: nowMs + 5000,
      lastSyncMs: nowMs - 100,
      previousSyncMs: nowMs - 60_000,
      runInHand: sampleRun({ runId: '13', startedMs: nowMs - 100, finishedMs: null, outcome: null }),
    });
    expect(fabric.age_ms).toBe(60_000);
    expect(fabric.due_in_ms).toBeNull();
    expect(fabric.run).toMatchObject({ id: '13', outcome: null, duration_ms: 100 });
  });

  test('the lateness and the duration of the last run are told in milliseconds', () => {
    expect(only().last_run).toMatchObject({ lateness_ms: 2, duration_ms: 200, created: 1, updated: 2, deleted: 3 });
  });

  test('a pause says who, why and until when, and one whose time has come is none', () => {
    const pause = { by: 'ann@noc', reason: 'upgrade', sinceMs: nowMs - 1000, untilMs: nowMs + 1 };
    const paused = only({ pause });
    expect(paused).toMatchObject({ state: 'idle', reason: 'paused', due_at: null });
    expect(paused.pause).toMatchObject({ by: 'ann@noc', reason: 'upgrade', until: '2026-01-02T03:04:05.001Z' });
    expect(only({ pause: { ...pause, untilMs: nowMs } })).toMatchObject({ state: 'scheduled', pause: null });
  });

  test('what waits for approval says how much, and what to type', () => {
    const fabric = only({
      syncStatus: 'out_of_sync',
      approval: {
        kind: 'deletions',
        runId: '12',
        sinceMs: nowMs,
        deletions: { VPC: 4, Switch: 1 },
        of: 36,
        resources: ['1', '2'],
      },
    });
    expect(fabric.approval).toMatchObject({ total: 5, of: 36, approved_by: null });
    expect(fabric.hint).toContain('fabric-syncd approve lab');
  });

  test('a fabric that nobody has planned yet is told as such', () => {
    const fabric = only({ state: 'idle', dueAtMs: null, dueKind: null, lastSyncMs: null, syncStatus: 'never_synced' });
    expect(fabric).toMatchObject({ state: 'scheduled', due_at: null });
    expect(fabric.hint).toContain('fabric-syncd bootstrap');
  });
});

describe('the timers beside the rows', () => {
  const timerOf = (row: Partial<StatusRow>, timers: readonly StoredTimer[]) => {
    const view = viewOf(row, { timers: { state: 'answers', timers } });
    return { state: view.fabrics[0]?.timer.state, disagreements: view.disagreements };
  };

  test('one that stands where the row says is armed', () => {
    expect(timerOf({}, [timer()])).toEqual({ state: 'armed', disagreements: 0 });
  });

  test('one that a daemon has taken is claimed, which is no disagreement', () => {
    const due = { dueAtMs: nowMs - 5 };
    expect(timerOf(due, [timer({ ...due, showsAtMs: nowMs + 30_000 })])).toEqual({
      state: 'claimed',
      disagreements: 0,
    });
  });

  test('none at all is missing', () => {
    expect(timerOf({}, [])).toEqual({ state: 'missing', disagreements: 1 });
  });

  test('another due time and another kind are different', () => {
    expect(timerOf({}, [timer({ dueAtMs: nowMs + 39_000 })])).toEqual({ state: 'different', disagreements: 1 });
    expect(timerOf({}, [timer({ kind: 'retry' })])).toEqual({ state: 'different', disagreements: 1 });
  });

  test('one of a fabric at rest is extra', () => {
    expect(timerOf({ syncEnabled: false }, [timer()])).toEqual({ state: 'extra', disagreements: 1 });
    expect(timerOf({ syncEnabled: false }, [])).toEqual({ state: 'none', disagreements: 0 });
  });

  test('while a run is in hand whatever stands there is right', () => {
    const running = { state: 'syncing', leaseUntilMs: nowMs + 1000 } as const;
    expect(timerOf(running, [])).toEqual({ state: 'none', disagreements: 0 });
    expect(timerOf(running, [timer({ dueAtMs: 5 })])).toEqual({ state: 'claimed', disagreements: 0 });
  });

  test('one of a fabric that is gone is an orphan', () => {
    const view = viewOf({}, { timers: { state: 'answers', timers: [timer(), timer({ fabricId: '99' })] } });
    expect(view).toMatchObject({ orphan_timers: ['99'], disagreements: 1 });
  });
});

describe('a second look', () => {
  const looks = (...timers: (readonly StoredTimer[])[]) => {
    let look = 0;
    let sleptMs = 0;
    const view = readStatus({
      operator: { status: async () => ({ nowMs, fabrics: [sampleRow()] }) },
      readTimers: async () => ({ state: 'answers', timers: timers[look++] ?? [] }),
      daemon: async () => null,
      clock: {
        nowMs: () => nowMs,
        monotonicMs: () => 0,
        after: () => () => {},
        sleep: async (ms) => {
          sleptMs += ms;
        },
      },
    });
    return view.then(({ fabrics, disagreements, orphan_timers }) => ({
      state: fabrics[0]?.timer.state,
      disagreements,
      orphans: orphan_timers,
      looks: look,
      sleptMs,
    }));
  };

  test('is not taken where the first one finds nothing wrong', async () => {
    expect(await looks([timer()])).toMatchObject({ state: 'armed', looks: 1, sleptMs: 0 });
  });

  test('a disagreement that is gone by then is none: a run ended between the two readings', async () => {
    expect(await looks([], [timer()])).toMatchObject({ state: 'armed', disagreements: 0, looks: 2, sleptMs: 300 });
  });

  test('one that lasts is told', async () => {
    expect(await looks([], [])).toMatchObject({ state: 'missing', disagreements: 1, looks: 2 });
  });

  test('one that appears only then is told as moving, and is no disagreement yet', async () => {
    const orphan = timer({ fabricId: '99' });
    expect(await looks([timer(), orphan], [orphan])).toMatchObject({
      state: 'moving',
      disagreements: 1,
      orphans: ['99'],
    });
    expect(await looks([], [timer(), orphan])).toMatchObject({ disagreements: 0, orphans: [] });
  });
});

describe('with a part down', () => {
  const daemon: DaemonWord = {
    daemon: 'host/1/a',
    version: '0.1.0',
    pid: 1,
    uptimeMs: 1000,
    ok: false,
    why: 'Postgres does not answer',
    redis: 'answers',
    postgres: 'away',
    fabrics: [{ id: '1', name: 'lab', state: 'locked', attempts: 0 }],
  };

  test('without Redis everything but the timers is said, and nothing is a disagreement', () => {
    const view = viewOf({}, { timers: { state: 'unavailable', problem: 'connection refused' } });
    expect(view.redis).toEqual({ state: 'unavailable', problem: 'connection refused', timers: null });
    expect(view.fabrics[0]).toMatchObject({ sync_status: 'in_sync', timer: { state: 'unknown' } });
    expect(view.disagreements).toBe(0);
  });

  test('without Postgres the daemon’s word is shown, and no timer is called an orphan', () => {
    const view = viewOf({}, { rows: { problem: 'connection refused' }, daemon });
    expect(view.postgres).toEqual({ answers: false, problem: 'connection refused' });
    expect(view.fabrics).toMatchObject([{ name: 'lab', state: 'locked', sync_status: null, objects: null }]);
    expect(view.disagreements).toBe(0);
  });

  test('without Postgres and without a daemon there is a view that says so', () => {
    const view = viewOf({}, { rows: { problem: 'connection refused' } });
    expect(view).toMatchObject({ postgres: { answers: false }, daemon: { answers: false }, fabrics: [] });
  });

  test('the database does not know `locked`; the daemon does', () => {
    expect(only({}, { daemon }).state).toBe('locked');
  });
});
