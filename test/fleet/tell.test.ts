// What is told of the fleet to whoever listens.

import { describe, expect, test } from 'vitest';
import type { FabricContext } from '../../machines/fabric/context.ts';
import { type Tiding, Tidings } from '../../src/admin/tidings.ts';
import type { FabricTransition } from '../../src/fleet/fleet.ts';
import { Teller } from '../../src/fleet/tell.ts';
import type { Log } from '../../src/log.ts';
import type { SyncEnding, SyncJob } from '../../src/sync/run.ts';
import { handClock } from '../support/hand-clock.ts';

function telling() {
  const clock = handClock();
  const tidings = new Tidings();
  const heard: Tiding[] = [];
  tidings.listen((tiding) => heard.push(tiding));
  const lines: string[] = [];
  const say = (_: object, line: string) => lines.push(line);
  const log: Log = { debug: () => {}, info: say, warn: say, error: say, child: () => log };
  return { clock, heard, lines, teller: new Teller(log, tidings, clock) };
}

describe('how late a run begins', () => {
  const { clock, heard, teller } = telling();
  const late = (from: string, to: string, servedDueMs: number | null) => {
    const context = { servedDueMs, claim: null, trigger: 'sync', plan: { state: 'idle' } } as unknown as FabricContext;
    const told = { fabricId: '7', name: 'lab', event: 'TIMER_DUE', from, to, stayedMs: 1, reason: null, context };
    teller.transition(told as FabricTransition);
    return (heard.at(-1) as { late_ms: number | null }).late_ms;
  };
  const nowMs = clock.nowMs();

  test('is told once, as it begins', () => {
    expect(late('scheduled.waiting', 'locked.acquiring', nowMs - 9)).toBe(9);
    expect(late('locked.acquiring', 'locked.claiming', nowMs - 9)).toBeNull();
    expect(late('locked.claiming', 'syncing.running', nowMs - 9)).toBeNull();
  });

  test('is nothing of a run that was asked for, and never below zero where the clock was set back', () => {
    expect(late('scheduled.waiting', 'locked.acquiring', null)).toBeNull();
    expect(late('backoff.waiting', 'locked.acquiring', nowMs + 5_000)).toBe(0);
  });
});

describe('why a fabric moved', () => {
  const { heard, lines, teller } = telling();
  const why = (event: string, reason: string | null, from: string, to: string, plan: object) => {
    const context = { servedDueMs: null, claim: null, trigger: 'sync', plan } as unknown as FabricContext;
    teller.transition({ fabricId: '7', name: 'lab', event, from, to, stayedMs: null, reason, context });
    return (heard.at(-1) as { why: string | null }).why;
  };
  const due = { state: 'scheduled', kind: 'sync', dueAtMs: Date.UTC(2026, 0, 2), attempts: 0, failure: null };

  test('is who asked for it, and what it is to do now', () => {
    expect(why('PLAN', 'ann', 'idle', 'idle', { state: 'idle', reason: 'paused' })).toBe('ann: paused');
    expect(lines.at(-1)).toBe('lab: idle (paused)');
    expect(why('PLAN', 'two', 'scheduled.waiting', 'scheduled.waiting', due)).toBe('two: due 2026-01-02T00:00:00.000Z');
    expect(why('SYNC_REQUESTED', 'ann', 'scheduled.waiting', 'locked.acquiring', due)).toBe('ann');
    expect(why('CANCEL_REQUESTED', 'ann', 'locked.acquiring', 'locked.acquiring', due)).toBe('ann');
  });

  test('is nothing where the event says enough', () => {
    expect(why('TIMER_DUE', 'sync', 'scheduled.waiting', 'locked.acquiring', due)).toBeNull();
    expect(
      why('xstate.done.actor.0.fabric.syncing.running', 'complete', 'syncing.running', 'scheduled.arming', due),
    ).toBeNull();
  });
});

test('a run that took a kind out of the inventory says so, beside what it deleted', () => {
  const { heard, lines, teller } = telling();
  const counts = { listed: 0, created: 1, updated: 2, deleted: 3, touched: 0, quarantined: 0 };
  const none = { ...counts, created: 0, updated: 0, deleted: 0 };
  const kinds = {
    Switch: { answer: 'complete', ...counts },
    Gateway: { answer: 'unwanted', ...none, unsynced: 4 },
    VPC: { answer: 'unwanted', ...none, unsynced: 1 },
  } as const;
  const job = { fabricId: '7', claim: { runId: '12', epoch: 3 }, settings: { name: 'lab' } } as SyncJob;
  const figures = { kinds, requests: 1, bytesRead: 1 };
  const ending = { kind: 'committed', outcome: 'complete', remark: '', figures, changes: 11 } as unknown;
  teller.committed(job, ending as Extract<SyncEnding, { kind: 'committed' }>);
  expect(heard).toMatchObject([{ type: 'run', created: 1, updated: 2, deleted: 3, unsynced: 5 }]);
  expect(lines).toEqual(['lab: in sync (+1 ~2 -3, 4 Gateway no longer synced, 1 VPC no longer synced)']);
});
