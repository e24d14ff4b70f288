// The truth without a server: the store's port over rows in memory. It passes the suite of the real one.

import { probeDelayMs, retryDelayMs } from '../../machines/fabric/backoff.ts';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import {
  type Approval,
  type Claimed,
  type ClaimRequest,
  type CommitRequest,
  type Committed,
  type FabricRow,
  linksMax,
  type RememberedPlan,
  type Settled,
  type SettleRequest,
  type Store,
} from '../../src/ports/store.ts';
import { settingsOf } from './fabric-settings.ts';
import type { Act, MemoryDatabase, Row } from './memory-database.ts';

/** The store as `daemon` sees it. */
export function memoryStore(database: MemoryDatabase, daemon: string): Store {
  const act = async <Answer>(name: Act, fabricId: string, run: () => Answer | Promise<Answer>): Promise<Answer> => {
    database.acts.push(fabricId === '' ? name : `${name} ${fabricId}`);
    await database.before(name, daemon, fabricId);
    return run();
  };
  const all = () => [...database.rows.values()].sort((a, b) => Number(a.fabricId) - Number(b.fabricId));
  return {
    fabrics: () => act('fabrics', '', () => all().map((row) => database.read(row))),
    fabric: (fabricId) =>
      act('fabric', fabricId, () => {
        const row = database.rows.get(fabricId);
        return row ? database.read(row) : null;
      }),
    claim: (request) => act('claim', request.fabricId, () => claim(database, daemon, request)),
    renew: ({ fabricId, claim, leaseTtlMs }) =>
      act('renew', fabricId, () => {
        const row = mine(database, daemon, fabricId, claim);
        if (row) row.leaseUntilMs = database.now() + leaseTtlMs;
        return row !== null;
      }),
    known: (fabricId) => act('known', fabricId, () => database.inventory(fabricId).known()),
    commit: (request, signal, onFenced) =>
      act('commit', request.fabricId, () => {
        signal.throwIfAborted();
        const { fabricId, claim } = request;
        if (!merges(request) || !mine(database, daemon, fabricId, claim)) return commit(database, daemon, request);
        onFenced?.();
        const merging = database.merging(daemon, fabricId);
        return merging ? merging.then(() => commit(database, daemon, request)) : commit(database, daemon, request);
      }),
    settle: (request) => act('settle', request.fabricId, () => settle(database, daemon, request)),
    remember: (plans) =>
      act('remember', plans.map(({ row }) => row.fabricId).join(), () =>
        plans.flatMap((plan) => (remember(database, plan) ? [plan.row.fabricId] : [])),
      ),
    interruptExpired: (backoff, roll) =>
      act('interruptExpired', '', () =>
        all().flatMap((row) => {
          if (row.leaseUntilMs === null || database.isLeased(row) || database.held.has(row.fabricId)) return [];
          const { fabricId, name, leaseHolder, attempts, intervalMs } = row;
          const holder = leaseHolder ?? '';
          const failure = FabricFailure.note(
            new FabricFailure('INTERRUPTED', `the daemon ${holder} ended in the middle of a run`),
          );
          row.lastSyncMs = row.previousSyncMs;
          database.end(row, 'interrupted', failure);
          const usedUp = attempts + 1 > backoff.retriesMax;
          const chance = (roll + Number(fabricId) * 0.6180339887) % 1;
          const waitMs = usedUp
            ? probeDelayMs(backoff, intervalMs, chance)
            : retryDelayMs(backoff, attempts + 1, chance);
          Object.assign(row, { state: usedUp ? 'errored' : 'backoff', dueKind: usedUp ? 'probe' : 'retry' });
          Object.assign(row, { dueAtMs: database.now() + waitMs, attempts: attempts + 1, failure });
          Object.assign(row, { epoch: row.epoch + 1, status: 'error' });
          database.tell({ what: 'changed', fabricId });
          return [{ fabricId, name, holder }];
        }),
      ),
    overdue: (dueBeforeMs, atMost) =>
      act('overdue', '', () =>
        all()
          .filter((row) => row.dueAtMs !== null && row.dueAtMs < dueBeforeMs && !database.isLeased(row))
          .sort((a, b) => (a.dueAtMs ?? 0) - (b.dueAtMs ?? 0))
          .slice(0, atMost)
          .map((row) => database.read(row)),
      ),
    endPauses: () =>
      act('endPauses', '', () =>
        all().flatMap((row) => {
          if (!row.paused?.untilMs || row.paused.untilMs > database.now()) return [];
          if (database.held.has(row.fabricId)) return [];
          row.paused = null;
          database.tell({ what: 'changed', fabricId: row.fabricId });
          return [row.fabricId];
        }),
      ),
    openRequests: (fabricId) =>
      act('openRequests', fabricId ?? '', () =>
        all().flatMap((row) => {
          const open = fabricId === undefined || fabricId === row.fabricId ? database.openRequests(row.fabricId) : [];
          const traceparents = open.flatMap(({ traceparent }) => traceparent ?? []).slice(0, linksMax);
          return open[0] ? [{ fabricId: row.fabricId, by: open[0].by, traceparents }] : [];
        }),
      ),
    refuseRequests: (fabricId, refusal) =>
      act('refuseRequests', fabricId, () => {
        const refused = database.openRequests(fabricId);
        for (const request of refused) Object.assign(request, { refusal, settled: true });
        return refused.length;
      }),
    prune: () => act('prune', '', () => ({ rows: 0, next: null })),
    ping: () => act('ping', '', () => undefined),
    listen: async (hear) => {
      const stop = database.listen(daemon, hear);
      return async () => stop();
    },
  };
}

type Fence = Pick<CommitRequest, 'fabricId' | 'claim'>;

function mine(database: MemoryDatabase, daemon: string, fabricId: string, claim: Fence['claim']): Row | null {
  const row = database.rows.get(fabricId);
  return row && row.epoch === claim.epoch && row.runId === claim.runId && row.leaseHolder === daemon ? row : null;
}

/** The answer was lost and the act is done again: what that run came to, as long as nothing came after it. */
function doneBefore(database: MemoryDatabase, daemon: string, { fabricId, claim }: Fence, outcome: string) {
  const row = database.rows.get(fabricId);
  const run = database.run(claim.runId);
  const same =
    row?.epoch === claim.epoch && run?.epoch === claim.epoch && run.fabricId === fabricId && run.daemon === daemon;
  return row && run && same && run.outcome === outcome ? { row: database.read(row), run } : null;
}

function claim(database: MemoryDatabase, daemon: string, request: ClaimRequest): Claimed {
  const { fabricId, leaseTtlMs, trigger, servedDueMs, traceparent } = request;
  const row = database.rows.get(fabricId);
  if (!row) return { kind: 'gone' };
  if (database.isLeased(row) && row.leaseHolder !== daemon) {
    return { kind: 'contended', holder: row.leaseHolder ?? '', leaseUntilMs: row.leaseUntilMs ?? 0 };
  }
  const mayNot = !row.configured || !row.syncEnabled || database.isPaused(row);
  const refused =
    servedDueMs === null
      ? database.openRequests(fabricId).length === 0
      : !row.schedulerEnabled || row.intervalMs === 0 || row.dueAtMs === null || row.dueAtMs > servedDueMs;
  if (mayNot || refused) return { kind: 'superseded', row: database.read(row) };
  const takesOver = row.leaseHolder !== null;
  const { previousSyncMs, previousStatus } = row;
  if (takesOver) {
    const failure = new FabricFailure('INTERRUPTED', 'the daemon that ran it ended in the middle');
    database.end(row, 'interrupted', FabricFailure.note(failure));
  }
  const runId = database.nextRunId();
  Object.assign(row, {
    state: 'syncing',
    epoch: row.epoch + 1,
    traceparent,
    attempts: row.attempts + (takesOver ? 1 : 0),
    runId,
    leaseHolder: daemon,
    leaseUntilMs: database.now() + leaseTtlMs,
    previousSyncMs: takesOver ? previousSyncMs : row.lastSyncMs,
    previousStatus: takesOver ? previousStatus : row.status,
    lastSyncMs: database.now(),
    status: 'syncing',
  });
  const { epoch, name, server, kindsRemoved, guardShare, guardCount, clusterUid, approval, approved } = row;
  const { credential } = row;
  const ended = { outcome: null, failure: null, changes: 0 };
  database.runs.push({ runId, fabricId, epoch, daemon, trigger, startedMs: database.now(), traceparent, ...ended });
  const settings = settingsOf({ fabricId, name, server, kindsRemoved, guardShare, guardCount });
  return {
    kind: 'claimed',
    claim: { runId, epoch },
    row: database.read(row),
    settings: { ...settings, credential, clusterUid, approval, approved: approval !== null && approved },
  };
}

/** Of what has nothing to merge the commit is one statement. */
function merges({ stagedCount, touched, deletions, unsynced }: CommitRequest): boolean {
  return stagedCount + touched.length + deletions.length + unsynced.length > 0;
}

function commit(database: MemoryDatabase, daemon: string, request: CommitRequest): Committed {
  const { fabricId, claim, outcome, next, deletions, unsynced, touched, staged } = request;
  const row = mine(database, daemon, fabricId, claim);
  if (!row) {
    const before = doneBefore(database, daemon, request, outcome);
    return before ? { kind: 'committed', row: before.row, changes: before.run.changes } : { kind: 'stale' };
  }
  const inventory = database.inventory(fabricId);
  inventory.touch(touched);
  const gone = inventory.bury(deletions) + inventory.bury(unsynced);
  const changes = gone + inventory.merge(staged, () => database.nextId());
  answer(database, row, claim.runId);
  database.end(row, outcome, null, changes);
  const approved = row.approved && covers(row.approval, request.approval);
  Object.assign(row, {
    state: next ? 'scheduled' : 'idle',
    dueAtMs: next?.dueAtMs ?? null,
    dueKind: next ? 'sync' : null,
    tickMs: next?.tickMs ?? row.tickMs,
    tickIntervalMs: next?.intervalMs ?? row.tickIntervalMs,
    attempts: 0,
    failure: null,
    status: outcome === 'complete' ? 'in_sync' : 'out_of_sync',
    clusterUid: request.clusterUid ?? row.clusterUid,
    approval: request.approval,
    approved,
  });
  database.tell({ what: 'changed', fabricId, by: daemon }, daemon);
  return { kind: 'committed', row: database.read(row), changes };
}

/** What a person approved meanwhile stays approved, as long as no more waits than was shown. */
function covers(shown: Approval | null, waits: Approval | null): boolean {
  if (shown === null || waits === null) return false;
  if (shown.kind === 'cluster' || waits.kind === 'cluster') {
    return shown.kind === 'cluster' && waits.kind === 'cluster' && shown.found === waits.found;
  }
  return waits.resources.every((resource) => shown.resources.includes(resource));
}

function settle(database: MemoryDatabase, daemon: string, request: SettleRequest): Settled {
  const { fabricId, claim, due, failure, outcome, rest, attempts } = request;
  const row = mine(database, daemon, fabricId, claim);
  if (!row) return notSettled(database, daemon, request);
  if (request.noWait && database.held.has(fabricId)) return { kind: 'locked' };
  const failed = outcome === 'failed';
  const kept = rest === 'scheduled' ? null : row.failure;
  // It failed by what was set when it began; what was set since then, or in the same millisecond, is tried at once.
  const isOld = row.wayInMs !== null && row.lastSyncMs !== null && row.wayInMs >= row.lastSyncMs;
  row.dueAtMs = due === null ? null : failed && isOld ? database.now() : due.dueAtMs;
  row.lastSyncMs = row.previousSyncMs;
  row.status = failed ? 'error' : (row.previousStatus ?? 'never_synced');
  Object.assign(row, { attempts, dueKind: due?.kind ?? null, failure: failed ? failure : kept });
  row.state = rest === 'scheduled' && !due ? 'idle' : rest;
  if (request.approval) Object.assign(row, { approval: request.approval, approved: false });
  if (failed || failure.code === 'CANCELLED') answer(database, row, claim.runId);
  database.end(row, outcome, failure);
  database.tell({ what: 'changed', fabricId, by: daemon }, daemon);
  return { kind: 'settled', row: database.read(row) };
}

/** What only its own holder writes as an outcome proves that it was its own end. */
const ownOutcomes: readonly (string | null)[] = ['complete', 'partial', 'awaiting_approval', 'failed', 'cancelled'];

function notSettled(database: MemoryDatabase, daemon: string, { fabricId, claim }: Fence): Settled {
  const row = database.rows.get(fabricId);
  if (!row) return { kind: 'gone' };
  const run = database.run(claim.runId);
  const own = run?.epoch === claim.epoch && run.fabricId === fabricId && run.daemon === daemon;
  return own && ownOutcomes.includes(run.outcome) ? { kind: 'settled', row: database.read(row) } : { kind: 'stale' };
}

function answer(database: MemoryDatabase, { fabricId }: FabricRow, runId: string): void {
  for (const request of database.openRequests(fabricId)) Object.assign(request, { runId, settled: true });
}

/** @returns whether the row was still what was planned */
function remember(database: MemoryDatabase, { plan, row: was }: RememberedPlan): boolean {
  const row = database.rows.get(was.fabricId);
  const moved = row?.epoch !== was.epoch || row.state !== was.state || row.dueAtMs !== was.dueAtMs;
  if (!row || moved || row.leaseUntilMs !== null || database.held.has(was.fabricId)) return false;
  if (plan.state === 'idle') {
    Object.assign(row, { state: 'idle', dueAtMs: null, dueKind: null, attempts: 0, failure: null });
    return true;
  }
  const isNew = plan.kind === 'sync' && (plan.dueAtMs !== row.dueAtMs || row.tickIntervalMs !== was.intervalMs);
  if (isNew) Object.assign(row, { tickMs: plan.dueAtMs, tickIntervalMs: was.intervalMs });
  const { state, dueAtMs, kind: dueKind, attempts } = plan;
  Object.assign(row, { state, dueAtMs, dueKind, attempts, failure: plan.failure && row.failure });
  return true;
}
