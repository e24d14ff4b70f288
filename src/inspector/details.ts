// The documents about one fabric, one run, the timers and one trace: what is live from memory, what is history from Postgres.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import { plan } from '../../machines/fabric/plan.ts';
import { type Clock, formatIso } from '../clock.ts';
import type { InspectorReads } from '../ports/inspector-reads.ts';
import type { Operator, RunRow, StatusRow } from '../ports/operator.ts';
import { Refusal } from './answers.ts';
import { changeDocument, compared } from './changes-view.ts';
import type {
  FabricDocument,
  FabricRun,
  FleetFabric,
  KindOutcome,
  PartsDocument,
  RunDocument,
  TimerDocument,
  TimersDocument,
  TraceDocument,
} from './documents.ts';
import type { Lateness } from './lateness.ts';
import type { Live } from './live.ts';
import { documentMs } from './patience.ts';
import { jaegerUrl, type RecentTraces, traceIdOf } from './recent-traces.ts';
import type { Repairs } from './repairs.ts';
import { settingsDocument } from './settings-view.ts';
import type { Timeline } from './timeline.ts';
import { timerDisagrees } from './timer-view.ts';
import { runView } from './view.ts';
import { whyNotSyncing } from './why.ts';

export interface DetailsDeps {
  readonly clock: Clock;
  readonly daemon: string;
  readonly live: Live;
  readonly timeline: Timeline;
  readonly lateness: Lateness;
  readonly repairs: Repairs;
  readonly operator: Pick<Operator, 'runs' | 'run' | 'changes' | 'quarantine'>;
  readonly reads: Pick<InspectorReads, 'settings' | 'acts'>;
  readonly slots: { readonly running: number; readonly waiting: number; readonly capacity: number };
  /** Null: no spans are kept. */
  readonly traces: RecentTraces | null;
  readonly jaegerUrl: string | null;
}

const runsMax = 50;
const quarantineMax = 100;
const actsMax = 20;
const changesMax = 500;
const fieldsMax = 200;

export class Details {
  readonly #deps: DetailsDeps;

  constructor(deps: DetailsDeps) {
    this.#deps = deps;
  }

  /** @throws Refusal where there is no such fabric */
  async fabric(nameOrNumber: string): Promise<FabricDocument> {
    const { live, timeline, operator, reads, clock } = this.#deps;
    const endMs = clock.monotonicMs() + documentMs;
    const found = await this.find(nameOrNumber);
    const { id } = found.view;
    const refusals: FabricFailure[] = [];
    // Who has just not answered is not waited for again; it is asked now and then for all (live.ts).
    const isMissing = live.parts().postgres.state === 'missing';
    /** A part that Postgres does not tell is left out; `parts` says why. */
    const orMissing = async <Answer, Missing>(
      ask: () => Promise<Answer>,
      missing: Missing,
    ): Promise<Answer | Missing> => {
      if (isMissing) return missing;
      try {
        return await inTime(clock, ask(), endMs);
      } catch (thrown) {
        if (!(thrown instanceof FabricFailure) || thrown.code !== 'DATABASE_UNAVAILABLE') throw thrown;
        refusals.push(thrown);
        return missing;
      }
    };
    const [settings, runs, quarantine, acts] = await Promise.all([
      orMissing(() => reads.settings(id), null),
      orMissing(() => operator.runs(id, runsMax), []),
      found.row && found.row.quarantined > 0 ? orMissing(() => operator.quarantine(id), []) : [],
      orMissing(() => reads.acts(id, actsMax), []),
    ]);
    // Anew: it may have moved while Postgres was asked. Where it is and the steps that led there are of one moment.
    const { view, row } = live.find(id) ?? found;
    const at = formatIso(clock.nowMs());
    const [refusal] = refusals;
    return {
      at,
      // It may be away since the last look, or be back for that one only: what is left out here is never called empty.
      parts: refusal ? withoutPostgres(live.parts(), refusal.message, at) : live.parts(),
      fabric: view,
      why: this.#why(view),
      settings: settings && settingsDocument(settings, row?.clusterUid ?? null),
      transitions: timeline.transitions(view.id),
      progress: timeline.progress(view.id),
      runs: runs.map((run) => this.#run(run, view.name)),
      counts: row?.counts ?? {},
      quarantine: quarantine
        .slice(0, quarantineMax)
        .map(({ sinceMs, ...object }) => ({ ...object, since: formatIso(sinceMs) })),
      quarantined: row?.quarantined ?? 0,
      acts: acts.map(({ atMs, by, act, detail }) => ({ at: formatIso(atMs), by, act, detail })),
    };
  }

  /** @throws Refusal where there is no such run of this fabric; FabricFailure where Postgres does not answer */
  async run(nameOrNumber: string, runId: string): Promise<RunDocument> {
    const { operator } = this.#deps;
    const { view } = await this.find(nameOrNumber);
    const run = /^[0-9]{1,18}$/.test(runId) ? await operator.run(runId) : null;
    if (run?.fabricId !== view.id)
      throw new Refusal(404, 'NO_SUCH_RUN', `${view.name} has no run "${runId.slice(0, 40)}"`);
    const changes = await operator.changes(run.runId);
    return {
      fabric: view.name,
      fabric_id: view.id,
      run: this.#run(run, view.name),
      kinds: Object.fromEntries(Object.entries(run.kinds).map(([kind, report]) => [kind, kindOutcome(report)])),
      changes: changes.slice(0, changesMax).map((change) => changeDocument(compared(change), fieldsMax)),
      changes_total: changes.length,
    };
  }

  async timers(): Promise<TimersDocument> {
    const { live, clock, lateness, repairs } = this.#deps;
    const fleet = await this.#watched(() => live.fleet());
    const timers = fleet.fabrics.map((view) => this.#timer(view));
    const urgency = ({ state, redis, postgres }: TimerDocument) =>
      `${timerDisagrees[state] ? 0 : 1} ${redis?.due_at ?? postgres?.due_at ?? '9'}`;
    return {
      at: formatIso(clock.nowMs()),
      parts: fleet.parts,
      timers: timers.toSorted((one, other) => (urgency(one) < urgency(other) ? -1 : 1)),
      orphan_timers: fleet.orphan_timers,
      disagreements: fleet.disagreements,
      lateness: lateness.document(),
      repairs: repairs.document(),
    };
  }

  trace(traceId: string): TraceDocument {
    if (!/^[0-9a-f]{32}$/.test(traceId)) throw new Refusal(404, 'NOT_FOUND', 'that is not the id of a trace');
    const { traces } = this.#deps;
    const spans = traces?.trace(traceId) ?? null;
    const problem = traces === null ? 'this daemon keeps no traces' : 'this trace is not kept (any more)';
    return {
      trace_id: traceId,
      spans,
      problem: spans ? '' : problem,
      jaeger_url: jaegerUrl(this.#deps.jaegerUrl, traceId),
    };
  }

  /** As it was read last. @throws Refusal where it is not there */
  async find(nameOrNumber: string): Promise<{ readonly view: FleetFabric; readonly row: StatusRow | null }> {
    const { live } = this.#deps;
    const found = await this.#watched(() => live.find(nameOrNumber));
    if (found) return found;
    throw Refusal.noSuchFabric(nameOrNumber, live.parts());
  }

  async #watched<Answer>(look: () => Answer): Promise<Answer> {
    const { ready, release } = this.#deps.live.watch();
    try {
      await ready;
      return look();
    } finally {
      release();
    }
  }

  #why(view: FleetFabric) {
    const { live, daemon, slots, clock } = this.#deps;
    const { postgres, redis } = live.parts();
    return whyNotSyncing({
      fabric: view,
      daemon,
      slots,
      postgresMissingSince: postgres.state === 'missing' ? postgres.since : null,
      redisMissing: redis.state === 'missing',
      // The view's own: what Postgres said of now.
      nowMs: view.due_at !== null && view.due_in_ms !== null ? Date.parse(view.due_at) - view.due_in_ms : clock.nowMs(),
    });
  }

  #run(run: RunRow, fabricName: string): FabricRun {
    const nowMs = run.finishedMs === null ? this.#deps.clock.nowMs() : null;
    return { ...runView(run, fabricName, nowMs), trace_id: traceIdOf(run.traceparent) };
  }

  #timer(view: FleetFabric): TimerDocument {
    const { due_at, kind, shows_at, state } = view.timer;
    const row = this.#deps.live.row(view.id);
    const nowMs = this.#deps.clock.nowMs();
    const planned = row && plan(row, nowMs);
    return {
      fabric: view.name,
      fabric_id: view.id,
      state,
      redis: due_at === null || kind === null || shows_at === null ? null : { due_at, kind, shows_at },
      postgres: planned && planned.state !== 'idle' ? { due_at: formatIso(planned.dueAtMs), kind: planned.kind } : null,
    };
  }
}

/** The answer, where it comes before `endMs`. */
async function inTime<Answer>(clock: Clock, answer: Promise<Answer>, endMs: number): Promise<Answer> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(Math.max(0, endMs - clock.monotonicMs()), () =>
    late.reject(new FabricFailure('DATABASE_UNAVAILABLE', `Postgres did not tell all within ${documentMs / 1_000} s`)),
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    cancel();
  }
}

function withoutPostgres(parts: PartsDocument, problem: string, at: string): PartsDocument {
  return parts.postgres.state === 'missing' ? parts : { ...parts, postgres: { state: 'missing', problem, since: at } };
}

function kindOutcome({
  answer = 'complete',
  listed = 0,
  created = 0,
  updated = 0,
  deleted = 0,
  touched = 0,
  quarantined = 0,
  unsynced,
}: RunRow['kinds'][string]): KindOutcome {
  const left = unsynced === undefined ? {} : { unsynced };
  return { answer, listed, created, updated, deleted, touched, quarantined, ...left };
}
