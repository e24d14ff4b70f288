// Z1 and Z2 of `src/fleet/measure.ts`: what the fleet does moves the right numbers, and nothing that is wrapped answers
// otherwise than before.

import { resourceFromAttributes } from '@opentelemetry/resources';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { FabricContext } from '../../machines/fabric/context.ts';
import { startMeasuring } from '../../otel/metrics-start.ts';
import type { FabricTransition, FleetMember } from '../../src/fleet/fleet.ts';
import { Measure } from '../../src/fleet/measure.ts';
import { MemoryTimers } from '../../src/fleet/memory-timers.ts';
import type { FabricLock } from '../../src/ports/lock.ts';
import type { FabricRow, Store } from '../../src/ports/store.ts';
import { readExposition, seriesValue } from '../support/exposition.ts';

const nowMs = 1_800_000_000_000;

function opened() {
  const measuring = startMeasuring({
    env: {},
    resource: resourceFromAttributes({}),
    version: '0',
    after: () => () => {},
    warn: () => {},
  });
  onTestFinished(() => measuring.stop());
  const measure = new Measure(measuring.metrics, { nowMs: () => nowMs });
  const told = async (name: string, labels: Record<string, string> = {}) =>
    seriesValue(readExposition((await measuring.scrape?.()) ?? ''), `fabric_syncd_${name}`, labels);
  const move = (from: string, to: string, context: Partial<FabricContext> = {}, event = 'x') =>
    measure.transition({
      fabricId: '7',
      name: 'lab',
      event,
      from,
      to,
      reason: null,
      stayedMs: 2_000,
      context: { trigger: 'sync', servedDueMs: nowMs - 4_000, failure: null, ...context },
    } as unknown as FabricTransition);
  return { measure, told, move };
}

const failure = (code: string) => ({ failure: { code, message: '', hint: '' } }) as Partial<FabricContext>;
const ended = (outcome: string) => ['run_duration_seconds_count', { fabric_run_outcome: outcome }] as const;

describe('runs', () => {
  test('begin late, or by hand', async () => {
    const { told, move } = opened();
    move('locked.claiming', 'syncing.running');
    move('locked.claiming', 'syncing.running', { trigger: 'manual', servedDueMs: null });
    move('locked.claiming', 'scheduled.waiting');
    expect(await told('run_starts_total', { fabric_run_trigger: 'sync' })).toBe(1);
    expect(await told('run_starts_total', { fabric_run_trigger: 'manual' })).toBe(1);
    expect(await told('run_lateness_seconds_sum', { fabric_run_trigger: 'sync' })).toBe(4);
  });

  test.each([
    ['backoff.recording', 'x', failure('TIMED_OUT'), 'failed', 'TIMED_OUT', 0],
    ['errored.recording', 'x', failure('UNAUTHORIZED'), 'failed', 'UNAUTHORIZED', 0],
    ['backoff.recording', 'LEASE_LOST', failure('LEASE_LOST'), 'failed', 'LEASE_LOST', 1],
  ])('that end in %s by %s are told', async (to, event, context, outcome, code, losses) => {
    const { told, move } = opened();
    move('syncing.running', to, context, event);
    expect(await told(...ended(outcome))).toBe(1);
    expect(await told('run_duration_seconds_sum', { fabric_run_outcome: outcome })).toBe(2);
    expect(await told('run_failures_total', { error_type: code })).toBe(1);
    expect(await told('lease_losses_total')).toBe(losses);
  });

  test.each([
    ['CANCELLED', 'scheduled.arming', 'cancelled'],
    ['DATABASE_UNAVAILABLE', 'scheduled.arming', 'cancelled'],
    ['FENCE_STALE', 'scheduled.arming', 'fenced'],
    ['CANCELLED', 'locked.returning', 'interrupted'],
  ])('that are stopped by %s and go to %s end as such', async (code, to, outcome) => {
    const { told, move } = opened();
    move('syncing.running', 'syncing.stopping', failure(code));
    move('syncing.stopping', to);
    expect(await told(...ended(outcome))).toBe(1);
    expect(await told('run_failures_total', { error_type: code })).toBe(1);
    expect(await told(...ended('complete'))).toBe(0);
  });

  test('that were committed end as they were, once', async () => {
    const { measure, told, move } = opened();
    const kind = {
      answer: 'complete',
      listed: 5,
      created: 1,
      updated: 2,
      deleted: 3,
      touched: 4,
      quarantined: 1,
    } as const;
    const figures = { kinds: { Switch: kind, VPC: kind }, requests: 9, bytesRead: 100 };
    const more = { row: row(), changes: 0, remark: '' };
    measure.ended('7', { kind: 'committed', outcome: 'partial', figures, ...more });
    move('syncing.running', 'scheduled.arming');
    move('syncing.running', 'scheduled.arming');
    expect(await told(...ended('partial'))).toBe(1);
    expect(await told(...ended('complete'))).toBe(1);
    expect(await told('object_changes_total', { fabric_object_change: 'deleted' })).toBe(6);
    expect(await told('object_reads_total')).toBe(10);
    expect(await told('read_bytes_total')).toBe(100);
  });
});

describe('ports that are wrapped', () => {
  const gone = new Error('gone');
  const store = (more: Partial<Store>) => more as Store;
  const none = {} as never;

  test('count contention, stale epochs and renewals, and answer as before', async () => {
    const { measure, told } = opened();
    const wrapped = measure.store(
      store({
        claim: async () => ({ kind: 'contended', holder: 'other', leaseUntilMs: 1 }),
        commit: async () => ({ kind: 'stale' }),
        settle: async () => ({ kind: 'stale' }),
        renew: async ({ leaseTtlMs }) => {
          if (leaseTtlMs === 0) throw gone;
          return leaseTtlMs > 1;
        },
      }),
    );
    expect(await wrapped.claim(none)).toMatchObject({ kind: 'contended', holder: 'other' });
    expect(await wrapped.commit(none, none)).toEqual({ kind: 'stale' });
    expect(await wrapped.settle(none)).toEqual({ kind: 'stale' });
    const renew = (leaseTtlMs: number) => wrapped.renew({ fabricId: '7', claim: none, leaseTtlMs });
    expect([await renew(2), await renew(1)]).toEqual([true, false]);
    await expect(renew(0)).rejects.toBe(gone);

    const refusing: FabricLock = {
      acquire: async () => ({ kind: 'contended' }),
      renew: async () => null,
      release: async () => {},
    };
    const lock = measure.lock(refusing);
    expect(await lock.acquire('7')).toEqual({ kind: 'contended' });
    expect(await lock.renew(none)).toBeNull();

    expect(await told('run_contentions_total', { fabric_lease_kind: 'claim' })).toBe(1);
    expect(await told('run_contentions_total', { fabric_lease_kind: 'lock' })).toBe(1);
    expect(await told('run_fenced_total', { fabric_store_act: 'commit' })).toBe(1);
    expect(await told('run_fenced_total', { fabric_store_act: 'settle' })).toBe(1);
    for (const answer of ['renewed', 'refused', 'unanswered']) {
      const labels = { fabric_lease_kind: 'claim', fabric_lease_answer: answer };
      expect(await told('lease_renewals_total', labels), answer).toBe(1);
    }
    const lost = { fabric_lease_kind: 'lock', fabric_lease_answer: 'refused' };
    expect(await told('lease_renewals_total', lost)).toBe(1);
  });

  test('count no end of a run as fenced off that was told before, whose fabric is gone, or that waits for its row', async () => {
    const { measure, told } = opened();
    const answers = [{ kind: 'settled', row: row() }, { kind: 'gone' }, { kind: 'locked' }, { kind: 'stale' }] as const;
    const left = [...answers];
    const wrapped = measure.store(store({ settle: async () => left.shift() ?? { kind: 'stale' } }));
    for (const answer of answers) expect(await wrapped.settle(none)).toEqual(answer);
    expect(await told('run_fenced_total', { fabric_store_act: 'settle' })).toBe(1);
  });

  test('count the timers that were armed, not those that could not be', async () => {
    const { measure, told } = opened();
    const memory = new MemoryTimers();
    const timers = measure.timers(memory);
    const timer = (fabricId: string, kind: 'sync' | 'probe') => ({ fabricId, kind, dueAtMs: 1, traceparent: null });
    await timers.arm(timer('1', 'sync'));
    await timers.armMany([timer('2', 'sync'), timer('3', 'probe')], { onlyMissing: false });
    const some = [timer('3', 'sync'), timer('4', 'sync'), timer('5', 'probe')];
    expect(await timers.armMany(some, { onlyMissing: true }), 'one has a timer').toEqual({ armed: 2 });
    expect(await timers.all()).toEqual(await memory.all());
    const failing = measure.timers(Object.assign(new MemoryTimers(), { arm: async () => Promise.reject(gone) }));
    await expect(failing.arm(timer('4', 'sync'))).rejects.toBe(gone);
    expect(await told('timer_arms_total', { fabric_timer_kind: 'sync' })).toBe(3);
    expect(await told('timer_arms_total', { fabric_timer_kind: 'probe' })).toBe(2);
  });

  test('the sweep of a start repairs no timers; later ones do', async () => {
    const { measure, told } = opened();
    const found = { fabrics: 9, interrupted: 1, resumed: 0, rearmed: 9, cancelled: 2 };
    measure.swept(found, 'start');
    measure.swept(found, 'sweep');
    const repairs = (repair: string) => told('sweep_repairs_total', { fabric_sweep_repair: repair });
    expect([await repairs('rearmed'), await repairs('cancelled'), await repairs('interrupted')]).toEqual([9, 2, 2]);
  });
});

describe('the age of a fabric', () => {
  const member = {
    fabricId: '7',
    name: 'lab',
    state: 'scheduled',
    context: { plan: { state: 'scheduled' }, failure: null, attempts: 0 },
  } as unknown as FleetMember;

  test('is that of the last run that was committed, also while one is in hand', async () => {
    const { measure } = opened();
    const rows = [row({ lastSyncMs: nowMs - 30_000 }), row({ lastSyncMs: nowMs - 1, leaseUntilMs: nowMs + 9 })];
    const wrapped = measure.store({ fabric: async () => rows.shift() ?? null } as unknown as Store);
    expect([...measure.facts([member])]).toMatchObject([{ ageS: null, intervalS: null }]);
    await wrapped.fabric('7');
    expect([...measure.facts([member])]).toMatchObject([{ ageS: 30, intervalS: 60 }]);
    await wrapped.fabric('7');
    expect([...measure.facts([member])]).toMatchObject([{ ageS: 30 }]);
    measure.forget('7');
    expect([...measure.facts([member])]).toMatchObject([{ ageS: null }]);
  });
});

function row(more: Partial<FabricRow> = {}): FabricRow {
  const plain = { fabricId: '7', lastSyncMs: null, intervalMs: 60_000, leaseUntilMs: null, waitsFor: null };
  return { ...plain, ...more } as FabricRow;
}
