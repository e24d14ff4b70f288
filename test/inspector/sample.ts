// Rows as a test needs them: a healthy fabric, and what the test says is different.

import type { RunRow, StatusRow } from '../../src/ports/operator.ts';

/** 2026-01-02T03:04:05Z: "now" in the tests of the view. */
export const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);

export function sampleRow(other: Partial<StatusRow> = {}): StatusRow {
  return {
    fabricId: '1',
    name: 'lab',
    configured: true,
    syncEnabled: true,
    schedulerEnabled: true,
    intervalMs: 60_000,
    paused: other.pause ? { untilMs: other.pause.untilMs } : null,
    lastSyncMs: nowMs - 20_000,
    createdMs: nowMs - 86_400_000,
    state: 'scheduled',
    dueAtMs: nowMs + 40_000,
    dueKind: 'sync',
    tickMs: nowMs + 40_000,
    tickIntervalMs: 60_000,
    attempts: 0,
    failure: null,
    leaseUntilMs: null,
    epoch: 7,
    leaseHolder: null,
    requestsOpen: 0,
    traceparent: null,
    waitsFor: null,
    description: '',
    server: 'https://lab.example:6443',
    namespace: 'default',
    lastUpdatedMs: nowMs - 86_400_000,
    syncStatus: 'in_sync',
    syncError: '',
    connectionStatus: 'connected',
    connectionError: '',
    objects: 36,
    counts: { Switch: 5, Connection: 31 },
    previousSyncMs: null,
    pause: null,
    approval: null,
    approvedBy: null,
    approvedMs: null,
    clusterUid: 'c-1',
    lastRun: sampleRun(),
    runInHand: null,
    quarantined: 0,
    ...other,
  };
}

export function sampleRun(other: Partial<RunRow> = {}): RunRow {
  return {
    runId: '12',
    fabricId: '1',
    epoch: 7,
    trigger: 'sync',
    daemon: 'host/1/abc',
    dueAtMs: nowMs - 20_002,
    startedMs: nowMs - 20_000,
    finishedMs: nowMs - 19_800,
    outcome: 'complete',
    created: 1,
    updated: 2,
    deleted: 3,
    unchanged: 30,
    quarantined: 0,
    kinds: {},
    requests: 15,
    bytesRead: 40_000,
    failure: null,
    ...other,
  };
}
