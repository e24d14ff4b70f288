// The truth without a server: rows in memory, shared by as many daemons as a test wants. It keeps what the real store
// promises (S1 to S3 of its port, the rules of the claim, whose news are told to whom), and nothing of an inventory.

import type { FailureNote } from '../../machines/fabric/failure.ts';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Trigger } from '../../machines/fabric/ports.ts';
import type { Clock } from '../../src/clock.ts';
import type { FabricRow, Notice, SettleRequest, Store } from '../../src/ports/store.ts';
import { settingsOf } from './fabric-settings.ts';

export type Row = { -readonly [Key in keyof FabricRow]: FabricRow[Key] } & {
  runId: string | null;
  previousSyncMs: number | null;
  status: string;
  previousStatus: string | null;
};

export interface Run {
  readonly runId: string;
  readonly fabricId: string;
  readonly epoch: number;
  readonly daemon: string;
  readonly trigger: Trigger;
  readonly startedMs: number;
  outcome: string | null;
  failure: FailureNote | null;
}

export interface Request {
  readonly fabricId: string;
  readonly by: string;
  runId: string | null;
  refusal: string | null;
  settled: boolean;
}

type Act = Exclude<keyof Store, 'listen'>;

export class MemoryDatabase {
  readonly rows = new Map<string, Row>();
  readonly runs: Run[] = [];
  readonly requests: Request[] = [];
  /** Every act that was asked for, in order: `claim 7`, `fabrics`. */
  readonly acts: string[] = [];
  /** Runs before an act is done, and may throw, or take its time. */
  before: (act: Act, daemon: string, fabricId: string) => Promise<void> | void = () => {};
  /** How far its clock is ahead of the daemons'. */
  skewMs = 0;
  readonly #clock: Clock;
  readonly #ears = new Map<(notice: Notice) => void, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A configured fabric that was never synced, as `fabric add` leaves it. Nobody is told. */
  add(fabricId: string, more: Partial<Row> = {}): Row {
    const row: Row = {
      fabricId,
      name: `fabric-${fabricId}`,
      configured: true,
      syncEnabled: true,
      schedulerEnabled: true,
      intervalMs: 60_000,
      paused: null,
      lastSyncMs: null,
      createdMs: this.#clock.nowMs(),
      state: 'idle',
      dueAtMs: null,
      dueKind: null,
      tickMs: null,
      tickIntervalMs: null,
      attempts: 0,
      failure: null,
      leaseUntilMs: null,
      epoch: 0,
      leaseHolder: null,
      requestsOpen: 0,
      runId: null,
      previousSyncMs: null,
      status: 'never_synced',
      previousStatus: null,
      ...more,
    };
    this.rows.set(fabricId, row);
    return row;
  }

  /** Asked by a person: the row, and the notice of the schema's trigger. */
  request(fabricId: string, by = 'ann'): Request {
    const request: Request = { fabricId, by, runId: null, refusal: null, settled: false };
    this.requests.push(request);
    this.tell({ what: 'request', fabricId });
    return request;
  }

  row(fabricId: string): Row {
    const row = this.rows.get(fabricId);
    if (!row) throw new Error(`there is no fabric ${fabricId}`);
    return row;
  }

  /** @param by the daemon that need not be told */
  tell(notice: Notice, by: string | null = null): void {
    for (const [hear, daemon] of [...this.#ears]) if (daemon !== by) queueMicrotask(() => hear(notice));
  }

  store(daemon: string): Store {
    const now = () => this.#clock.nowMs() + this.skewMs;
    const act = async <Answer>(name: Act, fabricId: string, run: () => Answer): Promise<Answer> => {
      this.acts.push(fabricId === '' ? name : `${name} ${fabricId}`);
      await this.before(name, daemon, fabricId);
      return run();
    };
    const open = (fabricId: string) => this.requests.filter((one) => one.fabricId === fabricId && !one.settled);
    const read = (row: Row): FabricRow => ({ ...row, requestsOpen: open(row.fabricId).length });
    const isPaused = ({ paused }: Row) => paused !== null && (paused.untilMs === null || paused.untilMs > now());
    const isLeased = (row: Row) => row.leaseUntilMs !== null && row.leaseUntilMs > now();
    const mine = (fabricId: string, claim: { epoch: number; runId: string }) => {
      const row = this.rows.get(fabricId);
      return row && row.epoch === claim.epoch && row.runId === claim.runId && row.leaseHolder !== null ? row : null;
    };
    const end = (row: Row, outcome: string, failure: FailureNote | null) => {
      for (const run of this.runs) {
        if (run.fabricId === row.fabricId && run.outcome === null) Object.assign(run, { outcome, failure });
      }
      const free = { leaseHolder: null, leaseUntilMs: null, runId: null, previousSyncMs: null, previousStatus: null };
      Object.assign(row, free);
    };
    const answer = (fabricId: string, runId: string) => {
      for (const request of open(fabricId)) Object.assign(request, { runId, settled: true });
    };
    const settled = (row: Row, request: SettleRequest) => {
      const { claim, due, failure, outcome, rest, attempts } = request;
      const failed = outcome === 'failed';
      const kept = rest === 'scheduled' ? null : row.failure;
      row.lastSyncMs = row.previousSyncMs;
      row.status = failed ? 'error' : (row.previousStatus ?? 'never_synced');
      Object.assign(row, { attempts, dueAtMs: due?.dueAtMs ?? null, dueKind: due?.kind ?? null });
      Object.assign(row, { state: rest === 'scheduled' && !due ? 'idle' : rest, failure: failed ? failure : kept });
      if (failed || failure.code === 'CANCELLED') answer(row.fabricId, claim.runId);
      end(row, outcome, failure);
      this.tell({ what: 'changed', fabricId: row.fabricId }, daemon);
    };
    return {
      fabrics: () => act('fabrics', '', () => [...this.rows.values()].map(read)),
      fabric: (fabricId) =>
        act('fabric', fabricId, () => {
          const row = this.rows.get(fabricId);
          return row ? read(row) : null;
        }),
      claim: ({ fabricId, leaseTtlMs, trigger, servedDueMs }) =>
        act('claim', fabricId, () => {
          const row = this.rows.get(fabricId);
          if (!row) return { kind: 'gone' };
          if (isLeased(row) && row.leaseHolder !== daemon) {
            return { kind: 'contended', holder: row.leaseHolder ?? '', leaseUntilMs: row.leaseUntilMs ?? 0 };
          }
          const refused =
            !row.configured || !row.syncEnabled || isPaused(row) || servedDueMs === null
              ? !row.configured || !row.syncEnabled || isPaused(row) || open(fabricId).length === 0
              : !row.schedulerEnabled || row.intervalMs === 0 || row.dueAtMs === null || row.dueAtMs > servedDueMs;
          if (refused) return { kind: 'superseded', row: read(row) };
          const takesOver = row.leaseHolder !== null;
          const { previousSyncMs, previousStatus } = row;
          if (takesOver) end(row, 'interrupted', null);
          const runId = String(this.runs.length + 1);
          Object.assign(row, {
            state: 'syncing',
            epoch: row.epoch + 1,
            attempts: row.attempts + (takesOver ? 1 : 0),
            runId,
            leaseHolder: daemon,
            leaseUntilMs: now() + leaseTtlMs,
            previousSyncMs: takesOver ? previousSyncMs : row.lastSyncMs,
            previousStatus: takesOver ? previousStatus : row.status,
            lastSyncMs: now(),
            status: 'syncing',
          });
          const { epoch } = row;
          this.runs.push({ runId, fabricId, epoch, daemon, trigger, startedMs: now(), outcome: null, failure: null });
          const settings = settingsOf({ fabricId, name: row.name });
          return { kind: 'claimed', claim: { runId, epoch }, row: read(row), settings };
        }),
      renew: ({ fabricId, claim, leaseTtlMs }) =>
        act('renew', fabricId, () => {
          const row = mine(fabricId, claim);
          if (row) row.leaseUntilMs = now() + leaseTtlMs;
          return row !== null;
        }),
      known: (fabricId) => act('known', fabricId, () => new Map()),
      commit: ({ fabricId, claim, outcome, next }) =>
        act('commit', fabricId, () => {
          const row = mine(fabricId, claim);
          if (!row) return { kind: 'stale' };
          answer(fabricId, claim.runId);
          end(row, outcome, null);
          Object.assign(row, {
            state: next ? 'scheduled' : 'idle',
            dueAtMs: next?.dueAtMs ?? null,
            dueKind: next ? 'sync' : null,
            tickMs: next?.tickMs ?? row.tickMs,
            tickIntervalMs: next?.intervalMs ?? row.tickIntervalMs,
            attempts: 0,
            failure: null,
            status: outcome === 'complete' ? 'in_sync' : 'out_of_sync',
          });
          this.tell({ what: 'changed', fabricId }, daemon);
          return { kind: 'committed', row: read(row), changes: 0 };
        }),
      settle: (request) =>
        act('settle', request.fabricId, () => {
          const row = mine(request.fabricId, request.claim);
          if (!row) return { kind: 'stale' };
          settled(row, request);
          return { kind: 'settled', row: read(row) };
        }),
      remember: (plans) =>
        act('remember', plans.map(({ row }) => row.fabricId).join(), () =>
          plans.flatMap(({ plan, row: was }) => {
            const row = this.rows.get(was.fabricId);
            const moved = row?.epoch !== was.epoch || row.state !== was.state || row.dueAtMs !== was.dueAtMs;
            if (!row || moved || row.leaseUntilMs !== null) return [];
            if (plan.state === 'idle') {
              Object.assign(row, { state: 'idle', dueAtMs: null, dueKind: null, attempts: 0, failure: null });
              return [was.fabricId];
            }
            const isNew =
              plan.kind === 'sync' && (plan.dueAtMs !== row.dueAtMs || row.tickIntervalMs !== row.intervalMs);
            if (isNew) Object.assign(row, { tickMs: plan.dueAtMs, tickIntervalMs: row.intervalMs });
            const { state, dueAtMs, kind: dueKind, attempts } = plan;
            Object.assign(row, { state, dueAtMs, dueKind, attempts, failure: plan.failure && row.failure });
            return [was.fabricId];
          }),
        ),
      interruptExpired: ({ baseMs }) =>
        act('interruptExpired', '', () =>
          [...this.rows.values()].flatMap((row) => {
            if (row.leaseUntilMs === null || isLeased(row)) return [];
            const { fabricId, name, leaseHolder } = row;
            const failure = FabricFailure.note(new FabricFailure('INTERRUPTED', `${leaseHolder} ended in the middle`));
            row.lastSyncMs = row.previousSyncMs;
            end(row, 'interrupted', failure);
            const due = { dueAtMs: now() + baseMs, dueKind: 'retry', attempts: row.attempts + 1 };
            Object.assign(row, { state: 'backoff', epoch: row.epoch + 1, status: 'error', failure, ...due });
            this.tell({ what: 'changed', fabricId });
            return [{ fabricId, name, holder: leaseHolder ?? '' }];
          }),
        ),
      overdue: (dueBeforeMs, atMost) =>
        act('overdue', '', () =>
          [...this.rows.values()]
            .filter((row) => row.dueAtMs !== null && row.dueAtMs < dueBeforeMs && !isLeased(row))
            .slice(0, atMost)
            .map(read),
        ),
      endPauses: () =>
        act('endPauses', '', () =>
          [...this.rows.values()].flatMap((row) => {
            if (!row.paused?.untilMs || row.paused.untilMs > now()) return [];
            row.paused = null;
            this.tell({ what: 'changed', fabricId: row.fabricId });
            return [row.fabricId];
          }),
        ),
      openRequests: (fabricId) =>
        act('openRequests', fabricId ?? '', () => {
          const first = new Map<string, Request>();
          for (const one of this.requests) {
            if (!one.settled && (fabricId ?? one.fabricId) === one.fabricId && !first.has(one.fabricId)) {
              first.set(one.fabricId, one);
            }
          }
          return [...first.values()].map((one) => ({ fabricId: one.fabricId, by: one.by, traceparent: null }));
        }),
      refuseRequests: (fabricId, refusal) =>
        act('refuseRequests', fabricId, () => {
          const refused = open(fabricId);
          for (const request of refused) Object.assign(request, { refusal, settled: true });
          return refused.length;
        }),
      prune: () => act('prune', '', () => 0),
      ping: () => act('ping', '', () => undefined),
      listen: async (hear) => {
        this.#ears.set(hear, daemon);
        return async () => {
          this.#ears.delete(hear);
        };
      },
    };
  }
}
