// Every document and every stream message of the inspector's HTTP API, as types. The server makes them, the page and the
// terminal read them; nothing else is promised. What is drawn, and what is changed, stands in a file of its own.
//
//   I1. Plain JSON in snake_case; what `status --json` says too has the same name and the same meaning here (view.ts).
//   I2. Times are RFC 3339 in UTC with milliseconds, lengths of time are milliseconds (`_ms`) or whole seconds (`_s`).
//   I3. Names, messages and hints may come from a fabric: they are text, never markup. No secret is in any of them.
//   I4. Time alone makes no message: `due_in_ms`, `age_ms` and the `duration_ms` of a run in hand are as of when the
//       document was made; who shows them counts on from `due_at`, `last_sync` and `started_at`.

import type { FabricState } from '../../machines/fabric/plan.ts';
import type { ChangeKind } from '../ports/operator.ts';
import type { TimerState } from './timer-view.ts';
import type { FabricView, RunView, StatusView } from './view.ts';

export type { Act, ActAnswer, ActBodies, ErrorDocument, LoginDocument, SessionDocument } from './control-documents.ts';
export type {
  ChartTransition,
  MachineDocument,
  SpanDocument,
  StateDocument,
  TraceDocument,
} from './drawn-documents.ts';

// --- GET /api/fleet, and the event `snapshot` ---

/** The whole fleet as it is. */
export interface FleetDocument {
  /** Of the last event that is in it, `<boot>-<n>`: `/api/events?after=ID` goes on from here. */
  readonly id: string;
  readonly at: string;
  readonly daemon: DaemonDocument;
  readonly parts: PartsDocument;
  readonly fabrics: readonly FleetFabric[];
  /** Timers in Redis of fabrics that are not there: their ids. */
  readonly orphan_timers: StatusView['orphan_timers'];
  /** Fabrics and orphans where Redis and Postgres disagree. */
  readonly disagreements: number;
}

export interface DaemonDocument {
  readonly name: string;
  readonly version: string;
  readonly pid: number;
  readonly started_at: string;
  /** How many fabrics it may sync at once. */
  readonly slots: number;
  /** Control is possible here, for who has logged in. */
  readonly control: boolean;
}

/** Which part of the whole is missing, and since when; the event `parts` says it anew whenever it changes. */
export interface PartsDocument {
  readonly daemon: PartDocument;
  readonly postgres: PartDocument;
  readonly redis: PartDocument;
}

export interface PartDocument {
  /** `none`: not used, by choice (Redis only). */
  readonly state: 'ok' | 'missing' | 'none';
  /** One line for people; empty where all is well. */
  readonly problem: string;
  /** Since when it is as it is, as far as this daemon knows. */
  readonly since: string;
}

/** One line of the fleet; the event `fabric` brings one whole. */
export interface FleetFabric extends FabricView {
  /** Where its actor in this daemon is, such as `syncing.running`; null where it has none (yet). */
  readonly path: string | null;
  /** When its actor entered the outermost state of `path`. */
  readonly since: string | null;
  /** It is due, and waits in this daemon until a slot is free. */
  readonly waits_for_slot: boolean;
  /** The last runs that have ended, the oldest first, at most 20: for the small plot. */
  readonly recent: readonly RecentRun[];
}

export interface RecentRun {
  readonly id: string;
  readonly outcome: string;
  readonly duration_ms: number;
}

// --- GET /api/events: server-sent events ---

/**
 * What comes as `event: NAME` with `data:` one of these as JSON. Every event but `progress` has an id; a reconnect with `Last-Event-ID` (or `?after=ID`) is told what it missed, or gets a `snapshot` where
 * that is not known any more. `?fabric=NAME` leaves out what is about other fabrics; only there `progress` is told.
 */
export interface StreamMessages {
  readonly snapshot: FleetDocument;
  readonly fabric: FleetFabric;
  readonly gone: GoneMessage;
  readonly parts: PartsDocument;
  readonly transition: TransitionMessage;
  readonly progress: ProgressMessage;
  readonly run: RunMessage;
}

/** A fabric was removed. */
export interface GoneMessage {
  readonly id: string;
  readonly name: string;
}

export interface TransitionMessage extends TransitionDocument {
  readonly fabric: string;
  readonly fabric_id: string;
  /** The outermost state of `to`. */
  readonly state: FabricState;
}

/** One list of the run in hand. */
export interface ProgressMessage extends KindProgress {
  readonly fabric: string;
  readonly fabric_id: string;
  readonly run: string;
}

/** A run was committed. Those that were not end with a `transition` and a `fabric`. */
export interface RunMessage {
  readonly fabric: string;
  readonly fabric_id: string;
  readonly run: string;
  readonly outcome: string;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  /** Left the inventory because their kinds are not read any more: no deletions. */
  readonly unsynced: number;
}

// --- GET /api/fabrics/NAME (name or number) ---

export interface FabricDocument {
  readonly at: string;
  readonly parts: PartsDocument;
  readonly fabric: FleetFabric;
  readonly why: WhyDocument;
  /** Null where Postgres does not answer. */
  readonly settings: SettingsDocument | null;
  /** What this daemon saw, the newest first. */
  readonly transitions: readonly TransitionDocument[];
  /** The run in hand here, or the last one that was, kind by kind; null where there was none since the start. */
  readonly progress: RunProgress | null;
  /** The newest first, at most 50; empty where Postgres does not answer. */
  readonly runs: readonly FabricRun[];
  /** kind -> live objects */
  readonly counts: Readonly<Record<string, number>>;
  /** Objects that could not be stored, at most 100. */
  readonly quarantine: readonly QuarantineDocument[];
  readonly quarantined: number;
  /** What people did to it, the newest first, at most 20. */
  readonly acts: readonly ActDocument[];
}

/** "Why is it not syncing now?" in one sentence. */
export interface WhyDocument {
  readonly code: WhyCode;
  /** The whole sentence, as of the document's time. */
  readonly sentence: string;
  /** The sentence is `before` + how long until `at` + `after`, so that it can count on; null where it has no such time. */
  readonly live: { readonly before: string; readonly at: string; readonly after: string } | null;
  /** One line: what a person can do; empty where there is nothing to do. */
  readonly hint: string;
}

export type WhyCode =
  /** It is: here, or in another daemon. */
  | 'syncing'
  | 'syncing_elsewhere'
  | 'locking'
  /** It is due, and other fabrics are before it. */
  | 'waits_for_slot'
  /** It is due, and another daemon has claimed it. */
  | 'claimed_elsewhere'
  | 'not_configured'
  | 'sync_disabled'
  | 'paused'
  | 'scheduler_disabled'
  | 'interval_zero'
  | 'waits_for_approval'
  | 'backoff'
  | 'errored'
  /** All is well: it is not due yet. */
  | 'scheduled'
  /** It is due, and nobody has begun yet. */
  | 'due'
  | 'not_planned'
  | 'postgres_missing';

export interface TransitionDocument {
  readonly at: string;
  /** The statechart's own name of what happened, such as `TIMER_DUE`. */
  readonly event: string;
  /** The same for people, such as `runSync done`. */
  readonly label: string;
  /** Who or what caused it, and what is planned where that is news: `ann@noc: paused`. Null where `label` says enough. */
  readonly why: string | null;
  readonly from: string;
  readonly to: string;
  /** How long it was in `from`; null where this daemon did not see it begin. */
  readonly stayed_ms: number | null;
  /** Into `locked` by a timer: how long after its due time, at least 0. */
  readonly late_ms: number | null;
  readonly trace_id: string | null;
  readonly run: string | null;
}

export interface RunProgress {
  readonly run: string;
  readonly kinds: readonly KindProgress[];
}

export interface KindProgress {
  readonly kind: string;
  /** Objects read so far. */
  readonly listed: number;
  readonly done: boolean;
}

export interface FabricRun extends RunView {
  /** Of the run's own trace; null where it was not traced. */
  readonly trace_id: string | null;
}

/** How it is set, as `fabric show --json` has it; a credential is named, never shown. */
export interface SettingsDocument {
  readonly description: string;
  readonly kubernetes_server: string;
  readonly kubernetes_namespace: string;
  readonly tls_server_name: string;
  /** `system`: the host's own authorities. `own`: the fabric's. */
  readonly ca: 'system' | 'own';
  readonly credential: {
    readonly kind: 'none' | 'sealed' | 'file' | 'credential' | 'kubeconfig';
    readonly ref: string;
    /** When a person last gave it, ISO 8601; null where there is none, or it is not known. */
    readonly given: string | null;
  };
  readonly sync_enabled: boolean;
  readonly scheduler_enabled: boolean;
  readonly sync_interval: number;
  readonly kinds_added: readonly string[];
  readonly kinds_removed: readonly string[];
  readonly guard_share: number;
  readonly guard_count: number;
  readonly cluster_uid: string | null;
  readonly created: string;
  readonly last_updated: string;
}

export interface QuarantineDocument {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly reason: string;
  readonly since: string;
}

/** Somebody did something: by the command or by this page. */
export interface ActDocument {
  readonly at: string;
  readonly by: string;
  /** `trigger`, `pause`, `resume`, `approve`, `unlock`, `cancel` */
  readonly act: string;
  /** The reason of a pause, say; empty where there is none. */
  readonly detail: string;
}

// --- GET /api/fabrics/NAME/runs/RUN ---

export interface RunDocument {
  readonly fabric: string;
  readonly fabric_id: string;
  readonly run: FabricRun;
  /** kind -> what its list came to */
  readonly kinds: Readonly<Record<string, KindOutcome>>;
  /** In order of kind and name, at most `changes_max`. */
  readonly changes: readonly ChangeDocument[];
  /** How many there are in all. */
  readonly changes_total: number;
}

export interface KindOutcome {
  readonly answer: string;
  readonly listed: number;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly touched: number;
  readonly quarantined: number;
  /** Of a kind that is not read any more (`unwanted`): how many left the inventory. */
  readonly unsynced?: number;
}

export interface ChangeDocument {
  readonly change: ChangeKind;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Empty where the object came or went. At most 200; see `fields_total`. */
  readonly fields: readonly FieldDocument[];
  readonly fields_total: number;
}

/** `path` as `spec.ports[3].name`; `before` and `after` are JSON values, absent where there was none. */
export interface FieldDocument {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before?: unknown;
  readonly after?: unknown;
}

// --- GET /api/timers ---

export interface TimersDocument {
  readonly at: string;
  readonly parts: PartsDocument;
  /** One a fabric, by due time, those that disagree first. */
  readonly timers: readonly TimerDocument[];
  /** Ids of fabrics that are not there, whose timers are. */
  readonly orphan_timers: readonly string[];
  readonly disagreements: number;
  readonly lateness: LatenessDocument;
  readonly repairs: RepairsDocument;
}

export interface TimerDocument {
  readonly fabric: string;
  readonly fabric_id: string;
  readonly state: TimerState;
  /** What Redis holds; null where it holds none, or cannot be asked. */
  readonly redis: { readonly due_at: string; readonly kind: string; readonly shows_at: string } | null;
  /** What the row says; null where it says that there is none. */
  readonly postgres: { readonly due_at: string; readonly kind: string } | null;
}

/** How long after their due times this daemon began its last runs. */
export interface LatenessDocument {
  /** How many are counted: at most 1,000. */
  readonly runs: number;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  readonly max_ms: number | null;
  /** In order; the last one has no upper bound. Each counts `from_ms <= late < to_ms`. */
  readonly buckets: readonly { readonly from_ms: number; readonly to_ms: number | null; readonly runs: number }[];
}

/** What the sweep of this daemon found to mend since it started. */
export interface RepairsDocument {
  readonly since: string;
  readonly passes: number;
  readonly rearmed: number;
  readonly cancelled: number;
  /** Runs whose lease had expired. */
  readonly interrupted: number;
  /** Pauses that had ended. */
  readonly resumed: number;
  /** Passes that mended something, the newest first, at most 50. */
  readonly last: readonly {
    readonly at: string;
    readonly why: string;
    readonly rearmed: number;
    readonly cancelled: number;
    readonly interrupted: number;
    readonly resumed: number;
  }[];
}
