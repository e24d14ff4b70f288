// One sync of one fabric, from discovery to the commit. The caller holds the lease and the claim; this file is given both
// and settles neither.
//
//   S1. It either commits once or writes nothing.
//   S2. An absence is a deletion only where the kind's list was complete, and only as far as the guard lets it. What a
//       person does not want to be read any more is not absent: it leaves the inventory without a deletion.
//   S3. How it ended is a value, also when it failed: with the failure come the figures so far and what a person must say.
//   S4. Nothing of it runs any more when it settles.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Claim, RunEnding } from '../../machines/fabric/ports.ts';
import { inSpan } from '../../otel/in-span.ts';
import type { Clock } from '../clock.ts';
import type { FabricApi } from '../ports/fabric-api.ts';
import type {
  Approval,
  CommitRequest,
  FabricRow,
  FabricSettings,
  NextDue,
  RunFigures,
  StagedObject,
  Store,
} from '../ports/store.ts';
import { sumsOf } from '../ports/sums.ts';
import { Budget } from './budget.ts';
import { type CleanLimits, cleanLimitsDefault } from './clean.ts';
import { indexKnown, KindComparison, type KindFindings, type Known } from './compare.ts';
import { countRequests } from './count-requests.ts';
import type { DiscoveryCache, Served } from './discover.ts';
import { figuresOf, figuresSoFar, outcomeOf } from './figures.ts';
import { type ClusterVerdict, judgeClusterUid, judgeDeletions, judgeObjects, type Occasion } from './guard.ts';
import { type KindKey, kindKey, resolveKinds, type WantedKind } from './kinds.ts';
import { type KindAnswer, type Listing, type ReadLimits, readAll, readLimitsDefault } from './read.ts';
import { together } from './together.ts';
import { unwantedKinds } from './unwanted.ts';

export interface SyncLimits extends ReadLimits, CleanLimits {
  /** Of lists that one run reads, in bytes as received. */
  readonly runBytesMax: number;
}

export const syncLimitsDefault: SyncLimits = {
  ...readLimitsDefault,
  ...cleanLimitsDefault,
  runBytesMax: 256 * 1024 * 1024,
};

/** How far a list has come; for people who watch. */
export interface SyncProgress {
  readonly fabricId: string;
  readonly runId: string;
  /** As in the figures. */
  readonly kind: string;
  readonly state: 'reading' | KindAnswer['kind'];
  /** Objects so far. */
  readonly listed: number;
}

export interface SyncDeps {
  readonly store: Pick<Store, 'known' | 'commit'>;
  /** Opens a fabric, or hands out what is open from the last run. Whoever provides it closes it. */
  readonly apis: { of(settings: FabricSettings): FabricApi | Promise<FabricApi> };
  readonly discovery: DiscoveryCache;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly limits: SyncLimits;
  readonly tell: (progress: SyncProgress) => void;
}

/** `asked`: from here on it may be the commit that ended the claim. `fenced`: until it has ended, nothing else can. */
export type CommitStep = 'asked' | 'fenced';

export interface SyncJob {
  readonly fabricId: string;
  readonly claim: Claim;
  readonly settings: FabricSettings;
  /** The next periodic tick; asked when the run is about to commit. */
  readonly next: () => NextDue | null;
  /** Hears how far the commit has come. It must not throw. */
  readonly onCommit: (step: CommitStep) => void;
}

export type SyncEnding =
  | {
      readonly kind: 'committed';
      readonly outcome: RunEnding['outcome'];
      readonly row: FabricRow;
      readonly figures: RunFigures;
      /** Recorded changes. */
      readonly changes: number;
      /** One line: why it is only partial, what waits. Empty for a complete run. */
      readonly remark: string;
    }
  | {
      readonly kind: 'failed';
      readonly failure: FabricFailure;
      /** What was listed until then; nothing was written. */
      readonly figures: RunFigures;
      /** What a person is asked; null where nothing is. */
      readonly approval: Approval | null;
    };

/** Never throws. An aborted run has failed with the signal's reason, or as `CANCELLED` where that is no failure of ours. */
export async function syncOnce(deps: SyncDeps, job: SyncJob, signal: AbortSignal): Promise<SyncEnding> {
  const run = new Run(deps, job, signal);
  try {
    return await run.toCommit();
  } catch (thrown) {
    const failure = signal.aborted ? stopped(signal.reason) : FabricFailure.from(thrown);
    return { kind: 'failed', failure, figures: run.figuresSoFar(), approval: run.approval };
  }
}

function stopped(reason: unknown): FabricFailure {
  return reason instanceof FabricFailure ? reason : new FabricFailure('CANCELLED', 'the run was stopped');
}

/** What one run knows so far. */
class Run {
  readonly #deps: SyncDeps;
  readonly #job: SyncJob;
  readonly #signal: AbortSignal;
  readonly #occasion: Occasion;
  readonly #answers = new Map<KindKey, KindAnswer>();
  readonly #spent = { requests: 0, bytesRead: 0 };
  readonly #budget: Budget;
  #wanted: readonly WantedKind[] = [];
  approval: Approval | null = null;

  constructor(deps: SyncDeps, job: SyncJob, signal: AbortSignal) {
    this.#deps = deps;
    this.#job = job;
    this.#signal = signal;
    this.#budget = new Budget(deps.limits.runBytesMax);
    const { approval, approved } = job.settings;
    this.#occasion = { runId: job.claim.runId, nowMs: deps.clock.nowMs(), approval, approved };
  }

  figuresSoFar(): RunFigures {
    return figuresSoFar(this.#wanted, this.#answers, this.#spent);
  }

  async toCommit(): Promise<SyncEnding> {
    const { store, apis, discovery } = this.#deps;
    const { fabricId, settings } = this.#job;
    this.#wanted = resolveKinds(settings.kindsAdded, settings.kindsRemoved);
    const api = countRequests(await apis.of(settings), this.#spent);

    const [discovered, objects, clusterUid] = await together(this.#signal, [
      (signal) => discovery.of(settings, this.#wanted, api, signal),
      (signal) => store.known(fabricId, signal),
      (signal) => api.clusterUid(signal),
    ]);
    this.#sameCluster(judgeClusterUid(settings, clusterUid, this.#occasion));

    const known = indexKnown(objects);
    await this.#read(api, discovered.served, known);
    const gone = this.#answered('not_served').some((kind) => discovered.served.has(kindKey(kind)));
    if (gone && !discovered.fresh) await this.#readMoved(api, known);
    this.#nothingReadable();
    await this.#stillTheSame(api, clusterUid);
    const { pin } = this.#sameCluster(this.#judgeObjects(known, clusterUid));
    return await this.#commit(known, pin);
  }

  /** Reads what is served and was not read yet. The largest kinds first: the longest list decides when all are done. */
  async #read(api: FabricApi, served: Served, known: Known): Promise<void> {
    const { limits, tell } = this.#deps;
    const { fabricId, claim, settings } = this.#job;
    const size = (kind: WantedKind) => known.keysByKind.get(kindKey(kind))?.length ?? 0;
    const listings = this.#wanted
      .toSorted((one, other) => size(other) - size(one))
      .flatMap((kind): Listing[] => {
        const found = served.get(kindKey(kind));
        if (!found) this.#answers.set(kindKey(kind), { kind: 'not_served' });
        if (!found || this.#answers.has(kindKey(kind))) return [];
        const namespace = kind.namespace ?? settings.namespace;
        const compare = () => new KindComparison(found, namespace, known, limits);
        return [{ label: kind.label, served: found, namespace, compare }];
      });
    await readAll(
      {
        api,
        limits: { ...limits, kindsAtOnce: this.#listsAtOnce(known) },
        budget: this.#budget,
        tell: ({ label, served }, listed, ended) => {
          if (ended) this.#answers.set(kindKey(served), ended);
          tell({ fabricId, runId: claim.runId, kind: label, state: ended?.kind ?? 'reading', listed });
        },
      },
      listings,
      this.#signal,
    );
  }

  /**
   * Each list at once takes a connection of its own, whose handshake costs both sides more than the lists of a small fabric
   * do. So one for each page that is stored already; all of them where nothing is known yet.
   */
  #listsAtOnce({ objects }: Known): number {
    const { kindsAtOnce, pageLimit } = this.#deps.limits;
    return objects.size === 0 ? kindsAtOnce : Math.min(kindsAtOnce, Math.ceil(objects.size / pageLimit));
  }

  /** A kind that was served once is not: an upgrade may have moved it. What is served now is read, and then it stands. */
  async #readMoved(api: FabricApi, known: Known): Promise<void> {
    const { discovery } = this.#deps;
    const { settings } = this.#job;
    discovery.forget(settings.fabricId);
    const { served } = await discovery.of(settings, this.#wanted, api, this.#signal);
    for (const kind of this.#answered('not_served')) this.#answers.delete(kindKey(kind));
    await this.#read(api, served, known);
  }

  #nothingReadable(): void {
    if (this.#answered('complete').length > 0) return;
    const [forbidden] = this.#answered('forbidden');
    if (!forbidden) {
      throw new FabricFailure('NO_KINDS_SERVED', `the API serves none of the ${this.#wanted.length} kinds`);
    }
    const answer = this.#answers.get(kindKey(forbidden));
    const said = answer?.kind === 'forbidden' ? `: ${answer.message}` : '';
    throw new FabricFailure('FORBIDDEN', `the token may not list any of the kinds${said}`);
  }

  /**
   * What answers at the address may have been swapped between the first question and the last list: then these lists are
   * of two clusters. Asked again only where something would be written, so that an unchanged fabric costs no more.
   */
  async #stillTheSame(api: FabricApi, clusterUid: string | null): Promise<void> {
    const writes = this.#findings().some(([, { staged, absent }]) => staged.length + absent.length > 0);
    if (clusterUid === null || !writes) return;
    const now = await api.clusterUid(this.#signal);
    if (now === null || now === clusterUid) return;
    throw new FabricFailure('LIST_UNSTABLE', 'another cluster answered while the lists were read; nothing was stored', {
      facts: { first: clusterUid, last: now },
    });
  }

  #judgeObjects(known: Known, clusterUid: string | null): ClusterVerdict {
    const findings = this.#findings();
    const total = (of: (found: KindFindings) => number) => findings.reduce((sum, [, found]) => sum + of(found), 0);
    const encounter = {
      stored: total(({ stored }) => stored),
      sameUid: total(({ sameUid }) => sameUid),
      storedUids: uidsOf(known, this.#answered('complete')),
      staged: stagedOf(findings),
    };
    return judgeObjects(this.#job.settings, clusterUid, encounter, this.#occasion);
  }

  #sameCluster(verdict: ClusterVerdict): Extract<ClusterVerdict, { kind: 'same' }> {
    if (verdict.kind === 'same') return verdict;
    this.approval = verdict.approval;
    this.#deps.discovery.forget(this.#job.fabricId);
    const { pinned, found } = verdict.approval;
    throw new FabricFailure('CLUSTER_CHANGED', `another cluster answers there: it was ${pinned}, it is ${found}`, {
      facts: { pinned, found },
    });
  }

  async #commit(known: Known, pin: string | null): Promise<SyncEnding> {
    const { fabricId, claim, settings, next, onCommit } = this.#job;
    const findings = this.#findings();
    const { allowed, held } = judgeDeletions(
      findings.map(([{ label }, { stored, absent }]) => ({ label, stored, absent })),
      { share: settings.guardShare, count: settings.guardCount },
      this.#occasion,
    );
    const stored = (kind: WantedKind) => known.keysByKind.get(kindKey(kind))?.length ?? 0;
    const { outcome, remark } = outcomeOf(this.#wanted, this.#answers, stored, held);
    const unwanted = unwantedKinds(known, this.#wanted);
    const figures = figuresOf(this.#wanted, this.#answers, allowed, unwanted, this.#spent);
    this.#signal.throwIfAborted();
    const request: CommitRequest = {
      fabricId,
      claim,
      outcome,
      figures,
      staged: stagedOf(findings),
      stagedCount: findings.reduce((sum, [, { staged }]) => sum + staged.length, 0),
      touched: findings.flatMap(([, { touched }]) => touched),
      deletions: [...allowed],
      unsynced: unwanted.flatMap(({ resources }) => resources),
      kindsWanted: this.#wanted.map(kindKey),
      kindsComplete: findings.map(([kind]) => kindKey(kind)),
      quarantined: findings.flatMap(([, { quarantined }]) => quarantined),
      clusterUid: pin === settings.clusterUid ? null : pin,
      approval: held,
      next: next(),
      remark,
    };
    onCommit('asked');
    const committed = await inSpan(
      'merge',
      () => countsOf(request),
      () => this.#deps.store.commit(request, this.#signal, () => onCommit('fenced')),
    );
    if (committed.kind === 'stale')
      throw new FabricFailure('FENCE_STALE', `epoch ${claim.epoch} is not the newest any more`);
    return { kind: 'committed', outcome, row: committed.row, figures, changes: committed.changes, remark };
  }

  #answered(answer: KindAnswer['kind']): readonly WantedKind[] {
    return this.#wanted.filter((kind) => this.#answers.get(kindKey(kind))?.kind === answer);
  }

  #findings(): readonly (readonly [WantedKind, KindFindings])[] {
    return this.#wanted.flatMap((kind) => {
      const answer = this.#answers.get(kindKey(kind));
      return answer?.kind === 'complete' ? [[kind, answer.findings] as const] : [];
    });
  }
}

/** What a merge does, as its span tells it. */
function countsOf({ figures, deletions, unsynced, touched, quarantined }: CommitRequest) {
  const { created, updated } = sumsOf(figures);
  return {
    'fabric.objects.created': created,
    'fabric.objects.updated': updated,
    'fabric.objects.deleted': deletions.length,
    'fabric.objects.unsynced': unsynced.length,
    'fabric.objects.touched': touched.length,
    'fabric.objects.quarantined': quarantined.length,
  };
}

function* stagedOf(findings: readonly (readonly [WantedKind, KindFindings])[]): Iterable<StagedObject> {
  for (const [, { staged }] of findings) yield* staged;
}

function* uidsOf({ objects, keysByKind }: Known, kinds: readonly WantedKind[]): Iterable<string> {
  for (const kind of kinds) {
    for (const key of keysByKind.get(kindKey(kind)) ?? []) {
      const object = objects.get(key);
      if (object) yield object.uid;
    }
  }
}
