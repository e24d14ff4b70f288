// The rows that `memory-store.ts` and `memory-operator.ts` act on, shared by as many daemons as a test wants.
//
//   D1. An act on them is done in one go: nothing comes between its first read and its last write.
//   D2. Everything is plain data under ids, so that a backup is a copy and a restore puts it back, sequences included.

import type { FailureNote } from '../../machines/fabric/failure.ts';
import type { Trigger } from '../../machines/fabric/ports.ts';
import type { Clock } from '../../src/clock.ts';
import type { Approval, FabricRow, Notice, Store, StoredCredential } from '../../src/ports/store.ts';
import { MemoryInventory } from './memory-inventory.ts';

export type Row = { -readonly [Key in keyof FabricRow]: FabricRow[Key] } & {
  runId: string | null;
  previousSyncMs: number | null;
  status: string;
  previousStatus: string | null;
  server: string;
  kindsRemoved: readonly string[];
  guardShare: number;
  guardCount: number;
  clusterUid: string | null;
  approval: Approval | null;
  approved: boolean;
  credential: StoredCredential;
  /** When what it is reached by was last written. */
  wayInMs: number | null;
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
  changes: number;
  readonly traceparent: string | null;
}

export interface Request {
  readonly requestId: string;
  readonly fabricId: string;
  readonly by: string;
  runId: string | null;
  refusal: string | null;
  settled: boolean;
  readonly traceparent: string | null;
}

export type Act = Exclude<keyof Store, 'listen'>;

export interface Backup {
  readonly rows: readonly Row[];
  readonly runs: readonly Run[];
  readonly requests: readonly Request[];
  readonly inventories: ReadonlyMap<string, MemoryInventory>;
  readonly sequence: number;
  readonly runSequence: number;
}

export class MemoryDatabase {
  readonly rows = new Map<string, Row>();
  readonly runs: Run[] = [];
  readonly requests: Request[] = [];
  readonly inventories = new Map<string, MemoryInventory>();
  /** Every act that was asked for, in order: `claim 7`, `fabrics`. */
  readonly acts: string[] = [];
  /** Runs before an act is done, and may throw, or take its time. */
  before: (act: Act, daemon: string, fabricId: string) => Promise<void> | void = () => {};
  /** Runs while a merge keeps its row: nothing is written yet, and nobody else can get the fabric. May take its time. */
  merging: (daemon: string, fabricId: string) => Promise<void> | void = () => {};
  /** How a notice gets to a daemon. */
  carry: (daemon: string, deliver: () => void) => void = (_, deliver) => queueMicrotask(deliver);
  /** Fabrics whose rows somebody's open transaction keeps locked: acts that need not wait for one pass it by. */
  readonly held = new Set<string>();
  /** How far its clock is ahead of the daemons'. */
  skewMs = 0;
  readonly #clock: Clock;
  readonly #ears = new Map<(notice: Notice) => void, string>();
  #sequence = 0;
  #runSequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.nowMs() + this.skewMs;
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
      traceparent: null,
      waitsFor: null,
      runId: null,
      previousSyncMs: null,
      status: 'never_synced',
      previousStatus: null,
      server: 'https://172.30.0.1:6443',
      kindsRemoved: [],
      guardShare: 0.2,
      guardCount: 10,
      clusterUid: null,
      approval: null,
      approved: false,
      credential: { kind: 'none' },
      wayInMs: null,
      ...more,
    };
    this.rows.set(fabricId, row);
    return row;
  }

  /** Asked by a person: the row, and the notice of the schema's trigger. */
  request(fabricId: string, by = 'ann', traceparent: string | null = null): Request {
    const requestId = this.nextId();
    const request: Request = { requestId, fabricId, by, runId: null, refusal: null, settled: false, traceparent };
    this.requests.push(request);
    this.tell({ what: 'request', fabricId });
    return request;
  }

  row(fabricId: string): Row {
    const row = this.rows.get(fabricId);
    if (!row) throw new Error(`there is no fabric ${fabricId}`);
    return row;
  }

  inventory(fabricId: string): MemoryInventory {
    const kept = this.inventories.get(fabricId) ?? new MemoryInventory();
    this.inventories.set(fabricId, kept);
    return kept;
  }

  openRequests(fabricId: string): readonly Request[] {
    return this.requests.filter((one) => !one.settled && one.fabricId === fabricId);
  }

  /** The run of the row, or one that ended, by its number. */
  run(runId: string | null): Run | undefined {
    return runId === null ? undefined : this.runs.findLast((run) => run.runId === runId);
  }

  nextId(): string {
    this.#sequence += 1;
    return String(this.#sequence);
  }

  nextRunId(): string {
    this.#runSequence += 1;
    return String(this.#runSequence);
  }

  read(row: Row): FabricRow {
    const waitsFor = row.approval && !row.approved ? row.approval.kind : null;
    return { ...row, requestsOpen: this.openRequests(row.fabricId).length, waitsFor };
  }

  isLeased({ leaseUntilMs }: Row): boolean {
    return leaseUntilMs !== null && leaseUntilMs > this.now();
  }

  isPaused({ paused }: Row): boolean {
    return paused !== null && (paused.untilMs === null || paused.untilMs > this.now());
  }

  /** Closes the run in hand and frees the lease. */
  end(row: Row, outcome: string, failure: FailureNote | null, changes = 0): void {
    const run = this.run(row.runId);
    if (run && run.outcome === null) Object.assign(run, { outcome, failure, changes });
    const free = { leaseHolder: null, leaseUntilMs: null, runId: null, previousSyncMs: null, previousStatus: null };
    Object.assign(row, free);
  }

  /** @param by the daemon that need not be told */
  tell(notice: Notice, by: string | null = null): void {
    for (const [hear, daemon] of [...this.#ears]) if (daemon !== by) this.carry(daemon, () => hear(notice));
  }

  /** @returns stops listening */
  listen(daemon: string, hear: (notice: Notice) => void): () => void {
    this.#ears.set(hear, daemon);
    return () => {
      this.#ears.delete(hear);
    };
  }

  backup(): Backup {
    return {
      rows: [...this.rows.values()].map((row) => ({ ...row })),
      runs: this.runs.map((run) => ({ ...run })),
      requests: this.requests.map((request) => ({ ...request })),
      inventories: new Map([...this.inventories].map(([id, inventory]) => [id, inventory.copy()])),
      sequence: this.#sequence,
      runSequence: this.#runSequence,
    };
  }

  /** As if nothing had happened since the backup. Nobody is told: who was connected is not any more. */
  restore({ rows, runs, requests, inventories, sequence, runSequence }: Backup): void {
    this.rows.clear();
    for (const row of rows) this.rows.set(row.fabricId, { ...row });
    this.runs.splice(0, this.runs.length, ...runs.map((run) => ({ ...run })));
    this.requests.splice(0, this.requests.length, ...requests.map((request) => ({ ...request })));
    this.inventories.clear();
    for (const [id, inventory] of inventories) this.inventories.set(id, inventory.copy());
    this.#sequence = sequence;
    this.#runSequence = runSequence;
  }
}
