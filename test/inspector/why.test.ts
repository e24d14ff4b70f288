import { describe, expect, test } from 'vitest';
import { statusView } from '../../src/inspector/view.ts';
import { inWords, type WhyInput, whyNotSyncing } from '../../src/inspector/why.ts';
import type { StatusRow } from '../../src/ports/operator.ts';
import { nowMs, sampleRow, sampleRun } from './sample.ts';

type Other = Partial<Omit<WhyInput, 'fabric' | 'nowMs'>> & {
  readonly path?: string | null;
  readonly waits?: boolean;
  readonly timer?: { readonly dueAtMs: number; readonly showsAtMs: number };
};

/** What is said of a healthy fabric that is different in these ways. */
function why(row: Partial<StatusRow>, { path = 'scheduled.waiting', waits = false, timer, ...other }: Other = {}) {
  const whole = sampleRow(row);
  const [view] = statusView({
    rows: { nowMs, fabrics: [whole] },
    timers: {
      state: 'answers',
      timers: timer ? [{ fabricId: '1', kind: whole.dueKind ?? 'sync', traceparent: null, ...timer }] : [],
    },
    daemon: null,
    nowMs,
  }).fabrics;
  if (!view) throw new Error('the row gave no view');
  return whyNotSyncing({
    fabric: { ...view, path, waits_for_slot: waits },
    daemon: 'host/1/abc',
    slots: { running: 10, waiting: 4, capacity: 10 },
    postgresMissingSince: null,
    redisMissing: false,
    nowMs,
    ...other,
  });
}

const lease = { leaseHolder: 'host/1/abc', leaseUntilMs: nowMs + 20_000, state: 'syncing' } as const;
const failure = { code: 'UNREACHABLE', message: 'lab (10.0.0.1:6443) refuses connections.', hint: 'Look.' } as const;
const deletions = {
  kind: 'deletions',
  runId: '9',
  sinceMs: nowMs,
  deletions: { Switch: 5 },
  of: 36,
  resources: ['1'],
} as const;

describe('why a fabric is not syncing now', () => {
  test.each<[code: string, sentence: string, row: Partial<StatusRow>, other?: Other]>([
    ['syncing', 'It is syncing now, in this daemon.', lease, { path: 'syncing.running' }],
    ['syncing', 'A run is being stopped.', lease, { path: 'syncing.stopping' }],
    // The actor knows before the row is read again.
    ['syncing', 'It is syncing now, in this daemon.', {}, { path: 'syncing.running' }],
    ['locking', 'It is asking for the lock, to sync now.', {}, { path: 'locked.acquiring' }],
    [
      'syncing_elsewhere',
      'It is syncing now, in another daemon (other/2/def).',
      { ...lease, runInHand: sampleRun({ daemon: 'other/2/def', outcome: null, finishedMs: null }) },
    ],
    [
      'postgres_missing',
      'Postgres has not answered since 2026-01-02 03:00:00 UTC, and nothing is synced without it.',
      { syncEnabled: false },
      { postgresMissingSince: '2026-01-02T03:00:00.000Z' },
    ],
    ['not_configured', 'It has no address or no credential yet.', { configured: false, syncEnabled: false }],
    ['sync_disabled', 'Its sync is disabled in its settings.', { syncEnabled: false }],
    [
      'paused',
      'ann@host paused it (switch upgrade); the pause ends in 2 h.',
      { pause: { by: 'ann@host', reason: 'switch upgrade', sinceMs: nowMs, untilMs: nowMs + 7_200_000 } },
    ],
    [
      'paused',
      'ann@host paused it (rebuilt) until somebody resumes it.',
      { pause: { by: 'ann@host', reason: 'rebuilt', sinceMs: nowMs, untilMs: null } },
    ],
    ['scheduler_disabled', 'Its scheduler is off: it is synced by hand only.', { schedulerEnabled: false }],
    ['interval_zero', 'Its interval is 0: it is synced by hand only.', { intervalMs: 0 }],
    [
      'waits_for_approval',
      'A person must approve the deletion of 5 of 36 objects; it is read again in 40 s.',
      { approval: deletions, syncStatus: 'out_of_sync' },
    ],
    [
      'waits_for_approval',
      'A person must approve that another cluster answers at its address; it is read again in 40 s.',
      { approval: { kind: 'cluster', runId: '9', sinceMs: nowMs, pinned: 'a', found: 'b' } },
    ],
    // Approved: only a matter of time.
    ['scheduled', 'All is well: it is due in 40 s.', { approval: deletions, approvedBy: 'ann@host' }],
    [
      'waits_for_slot',
      'It is due and waits for a slot: 10 of 10 are in use, and 3 others wait as well.',
      { dueAtMs: nowMs - 5_000 },
      { waits: true },
    ],
    [
      'waits_for_slot',
      'It is due and waits for a slot: 10 of 10 are in use.',
      { dueAtMs: nowMs - 5_000 },
      { waits: true, slots: { running: 10, waiting: 1, capacity: 10 } },
    ],
    [
      'claimed_elsewhere',
      'It is due, and a daemon other than host/1/abc has taken its timer, or died with it; the timer shows again in 30 s.',
      { dueAtMs: nowMs - 5_000 },
      { timer: { dueAtMs: nowMs - 5_000, showsAtMs: nowMs + 30_000 } },
    ],
    [
      'backoff',
      'It waits after attempt 3 failed (lab (10.0.0.1:6443) refuses connections); the next try is in 40 s.',
      { state: 'backoff', dueKind: 'retry', attempts: 3, failure, syncStatus: 'error' },
    ],
    [
      'backoff',
      'It waits after a run was cut off (the daemon that ran it ended in the middle); the next try is in 40 s.',
      { state: 'syncing', dueKind: 'retry', leaseUntilMs: nowMs - 1, leaseHolder: 'dead/1/x' },
    ],
    [
      'errored',
      'It is errored (lab (10.0.0.1:6443) refuses connections) and only probed; the next probe is in 10 min.',
      { state: 'errored', dueKind: 'probe', dueAtMs: nowMs + 600_000, attempts: 6, failure, syncStatus: 'error' },
    ],
    ['scheduled', 'All is well: it is due in 12 s.', { dueAtMs: nowMs + 12_000 }],
    [
      'scheduled',
      'All is well: it is due in 12 s; Redis is away, and due times come from the rows.',
      { dueAtMs: nowMs + 12_000 },
      { redisMissing: true },
    ],
    ['due', 'It is due now and begins at any moment.', { dueAtMs: nowMs - 1 }],
    [
      'due',
      'It is due now and begins at any moment. Redis is away, so due times come from the rows.',
      { dueAtMs: nowMs - 1 },
      { redisMissing: true },
    ],
    [
      'not_planned',
      'It has no due time yet: the next pass of the sweep gives it one.',
      { dueAtMs: null, dueKind: null, tickMs: null, tickIntervalMs: null },
    ],
  ])('%s: %s', (code, sentence, row, other) => {
    expect(why(row, other)).toMatchObject({ code, sentence });
  });

  test('says what a person can do', () => {
    expect(why({ syncEnabled: false }).hint).toBe('Enable it: fabric-syncd fabric set lab --enable.');
    expect(why({ approval: deletions }).hint).toBe('Look at it and approve it: fabric-syncd approve lab.');
    expect(why({ state: 'errored', dueKind: 'probe', attempts: 6, failure }).hint).toBe('Look.');
    expect(why({}).hint).toBe('');
  });

  test('a sentence with a time in it can be counted on from its parts', () => {
    const { sentence, live } = why({ dueAtMs: nowMs + 12_000 }, { redisMissing: true });
    expect(live?.at).toBe('2026-01-02T03:04:17.000Z');
    expect(`${live?.before}12 s${live?.after}`).toBe(sentence);
    expect(why({ dueAtMs: nowMs - 1 }).live).toBeNull();
  });
});

test.each([
  [1, '1 s'],
  [999, '1 s'],
  [12_000, '12 s'],
  [60_000, '1 min'],
  [200_000, '3 min 20 s'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [273_600_000, '3 d 4 h'],
])('%d ms in words is %s', (ms, words) => expect(inWords(ms)).toBe(words));
