// What a store keeps of one fabric, in memory: just enough to sync again and again and look at what would be there.

import type { PlanRow } from '../../machines/fabric/plan.ts';
import type { FabricApi } from '../../src/ports/fabric-api.ts';
import type {
  Approval,
  CommitRequest,
  Committed,
  FabricRow,
  FabricSettings,
  KnownObject,
  ObjectKey,
  StagedObject,
} from '../../src/ports/store.ts';
import { DiscoveryCache } from '../../src/sync/discover.ts';
import {
  type SyncDeps,
  type SyncEnding,
  type SyncLimits,
  type SyncProgress,
  syncLimitsDefault,
  syncOnce,
} from '../../src/sync/run.ts';
import { settingsOf } from './fabric-settings.ts';

export class FakeInventory {
  settings: FabricSettings;
  readonly objects = new Map<ObjectKey, StagedObject & { readonly id: string }>();
  /** Every commit, as it was asked for. */
  readonly commits: (Omit<CommitRequest, 'staged'> & { readonly staged: readonly StagedObject[] })[] = [];
  readonly progress: SyncProgress[] = [];
  stale = false;
  readonly discovery: DiscoveryCache;
  nowMs = 1_767_000_000_000;
  monotonicMs = 0;
  #runs = 0;
  #ids = 0;

  constructor(settings: Partial<FabricSettings> = {}) {
    this.settings = settingsOf(settings);
    this.discovery = new DiscoveryCache({
      nowMs: () => this.nowMs,
      monotonicMs: () => this.monotonicMs,
      sleep: async () => {},
      after: () => () => {},
    });
  }

  /** One run against `api`; what it commits is there for the next. */
  async sync(api: FabricApi, more: { signal?: AbortSignal; limits?: Partial<SyncLimits> } = {}): Promise<SyncEnding> {
    this.#runs += 1;
    const deps: SyncDeps = {
      store: { known: async () => this.known(), commit: async (request) => this.commit(request) },
      apis: { of: () => api },
      discovery: this.discovery,
      clock: { nowMs: () => this.nowMs },
      limits: { ...syncLimitsDefault, ...more.limits },
      tell: (progress) => this.progress.push(progress),
    };
    const job = {
      fabricId: this.settings.fabricId,
      claim: { runId: `run-${this.#runs}`, epoch: this.#runs },
      settings: this.settings,
      next: () => ({ tickMs: 1, dueAtMs: 2, intervalMs: 60_000 }),
      onCommit: () => {},
    };
    const ending = await syncOnce(deps, job, more.signal ?? new AbortController().signal);
    if (ending.kind === 'failed' && ending.approval) this.#ask(ending.approval);
    return ending;
  }

  /** What a person says to what waits. */
  approve(): void {
    if (!this.settings.approval) throw new Error('nothing waits for approval');
    this.settings = { ...this.settings, approved: true };
  }

  set(settings: Partial<FabricSettings>): void {
    this.settings = { ...this.settings, ...settings };
  }

  /** Names of what is stored of a kind. */
  names(kind: string): readonly string[] {
    return [...this.objects.values()].filter((each) => each.kind === kind).map(({ name }) => name);
  }

  object(kind: string, name: string): (StagedObject & { readonly id: string }) | undefined {
    return [...this.objects.values()].find((each) => each.kind === kind && each.name === name);
  }

  get lastCommit() {
    const last = this.commits.at(-1);
    if (!last) throw new Error('nothing was committed');
    return last;
  }

  known(): Map<ObjectKey, KnownObject> {
    return new Map(
      [...this.objects].map(([key, { id, uid, resourceVersion, hash, version }]) => [
        key,
        { id, uid, resourceVersion, hash, version },
      ]),
    );
  }

  commit(request: CommitRequest): Committed {
    if (this.stale) return { kind: 'stale' };
    const staged = [...request.staged];
    this.commits.push({ ...request, staged });
    for (const object of staged) {
      const key = [object.group, object.kind, object.namespace, object.name].join('/');
      this.#ids += 1;
      this.objects.set(key, { ...object, id: this.objects.get(key)?.id ?? String(this.#ids) });
    }
    for (const [key, object] of this.objects) {
      const touched = request.touched.find(({ id }) => id === object.id);
      if (touched) {
        const { version, resourceVersion } = touched;
        this.objects.set(key, { ...object, version, resourceVersion });
      }
      if ([...request.deletions, ...request.unsynced].includes(object.id)) this.objects.delete(key);
    }
    this.settings = { ...this.settings, clusterUid: request.clusterUid ?? this.settings.clusterUid };
    this.#ask(request.approval);
    return {
      kind: 'committed',
      row: rowOf(this.settings),
      changes: staged.length + request.deletions.length + request.unsynced.length,
    };
  }

  #ask(approval: Approval | null): void {
    this.settings = { ...this.settings, approval, approved: false };
  }
}

function rowOf({ fabricId, name }: FabricSettings): FabricRow {
  const plan: PlanRow = {
    fabricId,
    configured: true,
    syncEnabled: true,
    schedulerEnabled: true,
    intervalMs: 60_000,
    paused: null,
    lastSyncMs: null,
    createdMs: 0,
    state: 'scheduled',
    dueAtMs: null,
    dueKind: null,
    tickMs: null,
    tickIntervalMs: null,
    attempts: 0,
    failure: null,
    leaseUntilMs: null,
  };
  return { ...plan, name, epoch: 1, leaseHolder: null, requestsOpen: 0, traceparent: null, waitsFor: null };
}
