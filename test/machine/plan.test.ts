import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffDefault, probeDelayMs, retryDelayMs } from '../../machines/fabric/backoff.ts';
import { FabricFailure, hintByCode, oneLine, verdictByCode } from '../../machines/fabric/failure.ts';
import { type FabricState, nextTick, type PlanRow, plan, stableOffset } from '../../machines/fabric/plan.ts';

const now = Date.UTC(2026, 0, 1, 12);
const minute = 60_000;

const row = (over: Partial<PlanRow> = {}): PlanRow => ({
  fabricId: '7',
  configured: true,
  syncEnabled: true,
  schedulerEnabled: true,
  intervalMs: minute,
  paused: null,
  lastSyncMs: null,
  createdMs: now,
  state: 'idle',
  dueAtMs: null,
  dueKind: null,
  tickMs: null,
  tickIntervalMs: null,
  attempts: 0,
  failure: null,
  leaseUntilMs: null,
  ...over,
});

describe('plan', () => {
  test.each([
    ['not_configured', { configured: false, syncEnabled: false }],
    ['sync_disabled', { syncEnabled: false }],
    ['paused', { paused: { untilMs: null } }],
    ['paused', { paused: { untilMs: now + 1 } }],
    ['scheduler_disabled', { schedulerEnabled: false }],
    ['interval_zero', { intervalMs: 0 }],
  ] as const)('a fabric that may not sync by itself is idle and says %s', (reason, over) => {
    expect(plan(row(over), now)).toEqual({ state: 'idle', reason });
  });

  test('a pause whose time has come is no pause', () => {
    expect(plan(row({ paused: { untilMs: now } }), now).state).toBe('scheduled');
  });

  test('never synced: due five seconds after it was added', () => {
    expect(plan(row(), now)).toMatchObject({
      state: 'scheduled',
      kind: 'sync',
      dueAtMs: now + 5_000,
      why: 'never_synced',
    });
  });

  test('fabrics that were added at once are not due at once: the ramp begins where they become due', () => {
    const ramp = { firstSyncMs: 5_000, rampMs: 10_000 };
    const due = ['1', '2', '3', '4', '5'].map((fabricId) => plan(row({ fabricId }), now, ramp));
    expect(due).toMatchObject(
      ['1', '2', '3', '4', '5'].map((fabricId) => ({
        dueAtMs: now + 5_000 + Math.round(10_000 * stableOffset(fabricId)),
      })),
    );
  });

  test('synced before, nothing remembered: due one interval after the last sync', () => {
    expect(plan(row({ lastSyncMs: now - 20_000 }), now)).toMatchObject({
      dueAtMs: now + 40_000,
      why: 'after_last_sync',
    });
  });

  test('overdue with nothing remembered: due now, spread by the ramp at an offset that is always the same', () => {
    const late = row({ lastSyncMs: now - 10 * minute });
    expect(plan(late, now)).toMatchObject({ dueAtMs: now, why: 'overdue' });
    const spread = plan(late, now, { firstSyncMs: 5_000, rampMs: 10_000 });
    expect(spread).toMatchObject({ dueAtMs: now + Math.round(10_000 * stableOffset('7')) });
  });

  test('a remembered due time stands even when it is past: moving it would refuse whoever is about to serve it', () => {
    const remembered = row({
      state: 'scheduled',
      dueAtMs: now - 1,
      dueKind: 'sync',
      tickMs: now,
      tickIntervalMs: minute,
    });
    expect(plan(remembered, now)).toMatchObject({ dueAtMs: now - 1, why: 'overdue' });
  });

  test('a changed interval plans anew from the last sync', () => {
    const changed = row({
      state: 'scheduled',
      dueAtMs: now + 50_000,
      dueKind: 'sync',
      tickMs: now,
      tickIntervalMs: 3_600_000,
      lastSyncMs: now - 10_000,
    });
    expect(plan(changed, now)).toMatchObject({ dueAtMs: now + 50_000, why: 'interval_changed' });
  });

  test.each([
    ['scheduled', 'sync', minute],
    ['backoff', 'retry', 0],
    ['errored', 'probe', 0],
  ] as const)('%s far ahead of its time, after the clock was set back, it is not silenced', (state, kind, waitMs) => {
    const yearsMs = 10 * 365 * 86_400_000;
    const ahead = row({
      state,
      dueAtMs: now + yearsMs,
      dueKind: kind,
      tickMs: now + yearsMs,
      tickIntervalMs: minute,
      lastSyncMs: now + yearsMs - minute,
      createdMs: now + yearsMs,
    });
    const planned = plan(ahead, now);
    expect(planned).toMatchObject({ state, kind, why: 'clock_set_back' });
    expect(planned.state !== 'idle' && planned.dueAtMs).toBeLessThanOrEqual(now + waitMs);
    for (const lastSyncMs of [null, ahead.lastSyncMs]) {
      const fresh = plan({ ...ahead, state: 'idle', dueAtMs: null, dueKind: null, lastSyncMs }, now);
      expect(fresh.state !== 'idle' && fresh.dueAtMs).toBeLessThanOrEqual(now + minute);
    }
  });

  test('an interval of ten years and the longest waits for trouble are no clocks that were set back', () => {
    const intervalMs = 315_360_000_000;
    const far = { intervalMs, tickIntervalMs: intervalMs, tickMs: now, lastSyncMs: now };
    expect(
      plan(row({ ...far, state: 'scheduled', dueAtMs: now + intervalMs + 500, dueKind: 'sync' }), now),
    ).toMatchObject({
      dueAtMs: now + intervalMs + 500,
      why: 'remembered',
    });
    const probeMs = Math.round(intervalMs * 1.1);
    expect(plan(row({ ...far, state: 'errored', dueAtMs: now + probeMs, dueKind: 'probe' }), now)).toMatchObject({
      dueAtMs: now + probeMs,
      why: 'remembered',
    });
  });

  test.each([
    ['syncing', 'backoff'],
    ['locked', 'backoff'],
    ['backoff', 'backoff'],
    ['errored', 'errored'],
    ['scheduled', 'scheduled'],
    ['idle', 'scheduled'],
  ] as [FabricState, string][])('a process that died while %s comes back %s', (state, back) => {
    const died = row({
      state,
      dueAtMs: now + 1,
      dueKind: state === 'backoff' ? 'retry' : state === 'errored' ? 'probe' : 'sync',
      tickIntervalMs: minute,
      leaseUntilMs: now - 1,
    });
    expect(plan(died, now).state).toBe(back);
  });

  test('while somebody holds the lease the due time being served stands', () => {
    const running = row({ state: 'syncing', dueAtMs: now - 3_000, dueKind: 'sync', leaseUntilMs: now + 20_000 });
    expect(plan(running, now)).toMatchObject({ state: 'scheduled', dueAtMs: now - 3_000, why: 'running_elsewhere' });
  });

  test('whose lease ran out: due when the dead run was, so that all who plan it agree', () => {
    for (const dueKind of ['sync', 'retry', 'probe'] as const) {
      const dead = row({ state: 'syncing', dueAtMs: now - 3_000, dueKind, leaseUntilMs: now - 1 });
      const expected = { state: 'backoff', kind: 'retry', dueAtMs: now - 3_000, why: 'interrupted' };
      expect(plan(dead, now)).toMatchObject(expected);
      expect(plan(dead, now + 777)).toMatchObject(expected);
    }
  });

  test('whatever the row says: idle with a reason, or exactly one finite due time; and planning twice changes nothing', () => {
    const time = fc.integer({ min: now - 1e10, max: now + 1e10 });
    fc.assert(
      fc.property(
        fc.record({
          configured: fc.boolean(),
          syncEnabled: fc.boolean(),
          schedulerEnabled: fc.boolean(),
          intervalMs: fc.constantFrom(0, 1_000, minute, 3_650 * 86_400_000),
          paused: fc.option(fc.record({ untilMs: fc.option(time) })),
          lastSyncMs: fc.option(time),
          state: fc.constantFrom<FabricState>('idle', 'scheduled', 'locked', 'syncing', 'backoff', 'errored'),
          dueAtMs: fc.option(time),
          tickIntervalMs: fc.constantFrom(null, 1_000, minute),
          attempts: fc.nat(9),
          leaseUntilMs: fc.option(time),
        }),
        (over) => {
          const before = row({ ...over, dueKind: over.dueAtMs === null ? null : 'retry' });
          const first = plan(before, now);
          if (first.state === 'idle') return;
          expect(Number.isFinite(first.dueAtMs)).toBe(true);
          if (first.why === 'running_elsewhere') return;
          const remembered = {
            ...before,
            state: first.state,
            dueAtMs: first.dueAtMs,
            dueKind: first.kind,
            tickIntervalMs: before.intervalMs,
          };
          const second = plan(remembered, now);
          expect(second).toMatchObject({ state: first.state, dueAtMs: first.dueAtMs });
        },
      ),
    );
  });
});

describe('the next tick', () => {
  test('keeps the phase: the last tick plus whole intervals, missed ones coalesced', () => {
    expect(nextTick(now, minute, now + 5_000, 0)).toEqual({ tickMs: now + minute, dueAtMs: now + minute });
    expect(nextTick(now, minute, now + 3 * minute + 1, 0).tickMs).toBe(now + 4 * minute);
  });

  test('is never more than one interval ahead, whatever clock the last tick was made by', () => {
    expect(nextTick(now + 100 * minute + 7, minute, now, 0).tickMs).toBe(now + 7);
    expect(nextTick(now + minute, minute, now, 0).tickMs).toBe(now + minute);
  });

  test('a manual run before the tick does not move it', () => {
    expect(nextTick(now + 30_000, minute, now, 0).tickMs).toBe(now + 30_000);
  });

  test('the jitter is at most a hundredth of the interval and half a second, and does not accumulate', () => {
    expect(nextTick(now, minute, now, 0.999).dueAtMs - now - minute).toBeLessThanOrEqual(500);
    expect(nextTick(now, 2_000, now, 0.999).dueAtMs - now - 2_000).toBeLessThanOrEqual(20);
  });

  test('is always in the future and on the grid', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 1e9 }), fc.integer({ min: -1e12, max: 1e6 }), (intervalMs, ago) => {
        const { tickMs } = nextTick(now + ago, intervalMs, now, 0);
        expect(tickMs).toBeGreaterThan(now - (ago > 0 ? 1 : 0));
        expect(Math.abs((tickMs - (now + ago)) % intervalMs)).toBe(0);
      }),
    );
  });
});

describe('backoff', () => {
  test('the ceiling doubles from 2 s to 5 min, and the wait is anywhere below it', () => {
    const ceilings = [1, 2, 3, 4, 5, 9, 40, 2_000].map((attempt) => retryDelayMs(backoffDefault, attempt, 1));
    expect(ceilings).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 300_000, 300_000, 300_000]);
    expect(retryDelayMs(backoffDefault, 3, 0)).toBe(0);
  });

  test('Retry-After is a floor, and no server can silence a fabric for more than an hour', () => {
    expect(retryDelayMs(backoffDefault, 1, 0, 30_000)).toBe(30_000);
    expect(retryDelayMs(backoffDefault, 1, 0, 1e12)).toBe(3_600_000);
  });

  test('an errored fabric is probed every ten minutes, or at its interval where that is longer', () => {
    expect(probeDelayMs(backoffDefault, minute, 0)).toBe(600_000);
    expect(probeDelayMs(backoffDefault, 3_600_000, 0)).toBe(3_600_000);
  });
});

describe('failures', () => {
  test('every code has a verdict and says what the operator can do', () => {
    expect(Object.keys(hintByCode).sort()).toEqual(Object.keys(verdictByCode).sort());
    for (const hint of Object.values(hintByCode)) expect(hint.length).toBeGreaterThan(15);
  });

  test('a note is one line of plain JSON, whatever was thrown', () => {
    fc.assert(
      fc.property(fc.anything(), (thrown) => {
        const note = FabricFailure.note(thrown);
        expect(JSON.parse(JSON.stringify(note))).toEqual(note);
        expect(note.message).not.toMatch(/[\n\r\0]/);
        expect(note.message.length).toBeLessThanOrEqual(500);
      }),
    );
    expect(oneLine('a\u001b[31mb\r\nc')).toBe('a [31mb c');
  });
});
