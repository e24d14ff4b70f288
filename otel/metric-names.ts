// Every metric, with a line on what it says: the part of the contract (`names.ts`) that is measured. The README's table is made from it, and a
// test holds a running daemon to it.
//
//   N1. A name of the semantic conventions is used where one exists; ours begin with `fabric_syncd.`, as in Prometheus the
//       metrics of all programs share one space. Attributes are those of the spans (`names.ts`). Units are UCUM.
//   N2. A fabric's name is an attribute, never part of a name; and only of what an operator asks about one fabric: is it
//       late, is it in trouble, does it wait for somebody. All else is told of the daemon as a whole, so that a histogram
//       does not cost a hundred series a fabric.
//   N3. Attributes whose values are listed have no other; their series begin at 0, so that the first event is a rise.

import { verdictByCode } from '../machines/fabric/failure.ts';

/** `observed`: read when somebody looks; what is not told any more is gone. */
export type MetricKind = 'counter' | 'histogram' | 'observed counter' | 'observed gauge' | 'observed sum';

export interface MetricDescription {
  readonly name: string;
  readonly kind: MetricKind;
  /** UCUM; `{thing}` where things are counted. */
  readonly unit: string;
  /** Each with its values, or with none where they are open. */
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
  /** What it says, and when it appears. */
  readonly when: string;
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[];
}

/** The attributes of our own metrics, beside `error.type`, `db.system.name` and what the conventions say of processes. */
export const metricAttributes = {
  fabric: 'fabric.name',
  state: 'fabric.state',
  trigger: 'fabric.run.trigger',
  outcome: 'fabric.run.outcome',
  slotClass: 'fabric.slot.class',
  act: 'fabric.store.act',
  lease: 'fabric.lease.kind',
  answer: 'fabric.lease.answer',
  timer: 'fabric.timer.kind',
  repair: 'fabric.sweep.repair',
  change: 'fabric.object.change',
  approval: 'fabric.approval.kind',
  error: 'error.type',
  server: 'db.system.name',
} as const;

const the = metricAttributes;
const dueKinds = ['sync', 'retry', 'probe'] as const;

const table = <Key extends string, Kind extends MetricKind>(
  rows: Readonly<Record<Key, MetricDescription & { readonly kind: Kind }>>,
) => rows;

export const counted = table({
  runStarts: {
    name: 'fabric_syncd.run.starts',
    kind: 'counter',
    unit: '{run}',
    attributes: { [the.trigger]: [...dueKinds, 'manual'] },
    when: 'A run began: its claim was granted. A retry has the trigger `retry`.',
  },
  runFailures: {
    name: 'fabric_syncd.run.failures',
    kind: 'counter',
    unit: '{run}',
    attributes: { [the.error]: Object.keys(verdictByCode) },
    when: 'A run ended without a commit, by the code of its failure; also one that was cancelled.',
  },
  contentions: {
    name: 'fabric_syncd.run.contentions',
    kind: 'counter',
    unit: '{attempt}',
    attributes: { [the.lease]: ['lock', 'claim'] },
    when: 'Another daemon had the fabric: at the lock in Redis, or at the claim in Postgres. No failure.',
  },
  fenced: {
    name: 'fabric_syncd.run.fenced',
    kind: 'counter',
    unit: '{write}',
    attributes: { [the.act]: ['commit', 'settle'] },
    when: 'A write under a stale epoch was refused, and changed nothing.',
  },
  leaseRenewals: {
    name: 'fabric_syncd.lease.renewals',
    kind: 'counter',
    unit: '{renewal}',
    attributes: { [the.lease]: ['lock', 'claim'], [the.answer]: ['renewed', 'refused', 'unanswered'] },
    when: 'A lease was to be renewed. The lock tells no refusal from silence: both are `refused`.',
  },
  leaseLosses: {
    name: 'fabric_syncd.lease.losses',
    kind: 'counter',
    unit: '{lease}',
    when: 'A run was given up because its lease was lost or in doubt.',
  },
  timersArmed: {
    name: 'fabric_syncd.timer.arms',
    kind: 'counter',
    unit: '{timer}',
    attributes: { [the.timer]: dueKinds },
    when: 'A timer was made durable, by its fabric or by the sweep.',
  },
  sweepRepairs: {
    name: 'fabric_syncd.sweep.repairs',
    kind: 'counter',
    unit: '{repair}',
    attributes: { [the.repair]: ['rearmed', 'cancelled', 'interrupted'] },
    when: 'The sweep armed a timer that was missing or wrong, cancelled one that nobody wants, or ended an expired lease.',
  },
  objectChanges: {
    name: 'fabric_syncd.object.changes',
    kind: 'counter',
    unit: '{object}',
    attributes: { [the.change]: ['created', 'updated', 'deleted', 'touched', 'quarantined'] },
    when: 'A run was committed: what it did to the inventory. `touched`: another version with the same content.',
  },
  objectsRead: {
    name: 'fabric_syncd.object.reads',
    kind: 'counter',
    unit: '{object}',
    when: 'A run ended: the objects that it listed, also where it failed.',
  },
  bytesRead: {
    name: 'fabric_syncd.read.bytes',
    kind: 'counter',
    unit: 'By',
    when: 'A run ended: the bytes of the lists that it read.',
  },
  requests: {
    name: 'fabric_syncd.read.requests',
    kind: 'counter',
    unit: '{request}',
    when: 'A run ended: what it asked of the fabric’s API.',
  },
});

export const distributed = table({
  runLateness: {
    name: 'fabric_syncd.run.lateness',
    kind: 'histogram',
    unit: 's',
    attributes: { [the.trigger]: dueKinds },
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600],
    when: 'A run began: how long after its due time. Not of manual runs, which have none.',
  },
  runDuration: {
    name: 'fabric_syncd.run.duration',
    kind: 'histogram',
    unit: 's',
    attributes: {
      [the.outcome]: ['complete', 'partial', 'awaiting_approval', 'failed', 'cancelled', 'fenced', 'interrupted'],
    },
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1_800],
    when: 'A run ended: how long it had the claim. `fenced`: another run took over; `interrupted`: it could not be written down how it ended.',
  },
});

export const observed = table({
  fabrics: {
    name: 'fabric_syncd.fabrics',
    kind: 'observed sum',
    unit: '{fabric}',
    attributes: { [the.state]: ['idle', 'scheduled', 'locked', 'syncing', 'backoff', 'errored'] },
    when: 'Fabrics that this daemon knows, by state. Every daemon knows them all: do not add daemons up.',
  },
  lastSuccessAge: {
    name: 'fabric_syncd.fabric.last_success.age',
    kind: 'observed gauge',
    unit: 's',
    attributes: { [the.fabric]: [] },
    when: 'How old the inventory of a fabric is: since the start of the last run that was committed. Absent before the first.',
  },
  interval: {
    name: 'fabric_syncd.fabric.interval',
    kind: 'observed gauge',
    unit: 's',
    attributes: { [the.fabric]: [] },
    when: 'How often a fabric is to be synced. Absent while it is idle: paused, disabled, not configured.',
  },
  failedAttempts: {
    name: 'fabric_syncd.fabric.failed_attempts',
    kind: 'observed gauge',
    unit: '{attempt}',
    attributes: { [the.fabric]: [], [the.state]: ['backoff', 'errored'], [the.error]: [] },
    when: 'Attempts that have failed in a row. Only of fabrics in trouble; absent once one succeeded.',
  },
  awaitingApproval: {
    name: 'fabric_syncd.fabric.awaiting_approval',
    kind: 'observed gauge',
    unit: '{fabric}',
    attributes: { [the.fabric]: [], [the.approval]: ['deletions', 'cluster'] },
    when: 'Is 1 while a fabric waits for a person’s word: to delete, or to take another cluster for the same. Absent otherwise.',
  },
  overdue: {
    name: 'fabric_syncd.fabric.overdue',
    kind: 'observed gauge',
    unit: 's',
    when: 'How long the most overdue fabric has been waiting that nobody runs; 0 where none is.',
  },
  running: {
    name: 'fabric_syncd.run.running',
    kind: 'observed sum',
    unit: '{run}',
    when: 'Runs that this daemon has in hand.',
  },
  capacity: {
    name: 'fabric_syncd.run.capacity',
    kind: 'observed sum',
    unit: '{run}',
    when: 'Runs that this daemon may have in hand at once.',
  },
  waiting: {
    name: 'fabric_syncd.run.waiting',
    kind: 'observed sum',
    unit: '{run}',
    attributes: { [the.slotClass]: ['manual', 'periodic', 'trouble'] },
    when: 'The queue: fabrics that are due here and wait for a slot.',
  },
  available: {
    name: 'fabric_syncd.server.available',
    kind: 'observed gauge',
    unit: '{server}',
    attributes: { [the.server]: ['postgresql', 'redis'] },
    when: 'Is 1 while the server answers, else 0. None of Redis where it is not used by choice.',
  },
  progress: {
    name: 'fabric_syncd.daemon.progress',
    kind: 'observed gauge',
    unit: '{daemon}',
    when: 'Is 1 while the daemon makes progress, as its watchdog sees it, else 0.',
  },
});

/** By the conventions of OpenTelemetry for processes, Node and V8. */
export const ofProcess = table({
  cpuTime: {
    name: 'process.cpu.time',
    kind: 'observed counter',
    unit: 's',
    attributes: { 'cpu.mode': ['user', 'system'] },
    when: 'CPU time of the process.',
  },
  memory: { name: 'process.memory.usage', kind: 'observed sum', unit: 'By', when: 'Resident memory.' },
  uptime: { name: 'process.uptime', kind: 'observed gauge', unit: 's', when: 'Since the process started.' },
  fileDescriptors: {
    name: 'process.unix.file_descriptor.count',
    kind: 'observed sum',
    unit: '{file_descriptor}',
    when: 'Open files and sockets. Absent where there is no /proc.',
  },
  heapUsed: {
    name: 'v8js.memory.heap.used',
    kind: 'observed sum',
    unit: 'By',
    attributes: { 'v8js.heap.space.name': [] },
    when: 'Heap in use, by space.',
  },
  loopDelayMin: {
    name: 'nodejs.eventloop.delay.min',
    kind: 'observed gauge',
    unit: 's',
    when: 'Delay of the event loop since it was last read: the least.',
  },
  loopDelayMean: { name: 'nodejs.eventloop.delay.mean', kind: 'observed gauge', unit: 's', when: 'The mean of it.' },
  loopDelayP50: { name: 'nodejs.eventloop.delay.p50', kind: 'observed gauge', unit: 's', when: 'The median of it.' },
  loopDelayP99: {
    name: 'nodejs.eventloop.delay.p99',
    kind: 'observed gauge',
    unit: 's',
    when: 'The 99th percentile of it.',
  },
  loopDelayMax: { name: 'nodejs.eventloop.delay.max', kind: 'observed gauge', unit: 's', when: 'The most of it.' },
  loopUtilization: {
    name: 'nodejs.eventloop.utilization',
    kind: 'observed gauge',
    unit: '1',
    when: 'The share of time in which the event loop was not idle, since it was last read.',
  },
});

/** Told by the SDK of itself, only where it exports: what became of spans, log lines and metrics on their way out. */
export const ofSdk = {
  'otel.sdk.processor.span.queue.size': 'Spans that wait to be exported.',
  'otel.sdk.processor.span.queue.capacity': 'Spans that may wait at once; more are dropped.',
  'otel.sdk.processor.span.processed': 'Spans handed on; with `error.type`: dropped, or not taken.',
  'otel.sdk.processor.log.queue.size': 'Log lines that wait to be exported.',
  'otel.sdk.processor.log.queue.capacity': 'Log lines that may wait at once; more are dropped.',
  'otel.sdk.processor.log.processed': 'Log lines handed on; with `error.type`: dropped, or not taken.',
} as const;
