// The contract of what is told: every span, attribute, event and metric, with a line on each. The README's tables are made
// from it, and tests compare it with what is exported, in both directions.
//
//   NA1. A name never holds what differs from fabric to fabric: that is what attributes are for.
//   NA2. Where OpenTelemetry's conventions have a name, it is that one. The rest is ours: it begins with `fabric.`, a metric
//        with `fabric_syncd.`, as in Prometheus the metrics of all programs share one space. Units are UCUM.
//   NA3. A span whose name has `{an.attribute}` in it carries that attribute, and its name is made of it. `{path}` is that of
//        `url.full` below the fabric's own URL, with the word `{namespace}` in the place of a name.
//   NA4. In metrics a fabric's name is told only where an operator asks about one fabric: is it late, is it in trouble, does
//        it wait for somebody. All else is of the daemon as a whole: a histogram must not cost a hundred series a fabric.
//   NA5. An attribute of a metric whose values are listed has no other; its series begin at 0, so that the first event is
//        a rise.

import { verdictByCode } from '../machines/fabric/failure.ts';
import {
  counter,
  type EventContract,
  gauge,
  histogram,
  type MetricContract,
  observedCounter,
  type SpanContract,
  sum,
  tableOf,
} from './contract.ts';

/** Each with what it is. */
export const attributes = {
  'fabric.id': 'The number of the fabric.',
  'fabric.name': 'The name of the fabric.',
  'fabric.run.id': 'The run in the table `fabric_run`; once it is claimed.',
  'fabric.run.epoch': 'The fencing token of the run; once it is claimed.',
  'fabric.run.trigger': 'Why it ran: `sync`, `retry`, `probe` or `manual`.',
  'fabric.run.due_at': 'The due time that it serves; not for a manual run.',
  'fabric.run.late_ms': 'How long after its due time it began, in milliseconds; not for a manual run.',
  'fabric.run.outcome':
    'How it ended: `complete`, `partial`, `awaiting_approval`, `failed`, `cancelled`, `fenced`, `contended`, ' +
    '`superseded`, `not_run` (our own servers were away), `removed`, `abandoned` (the daemon ended).',
  'fabric.run.remark': 'One line: why a run is only partial, or what waits for a person.',
  'fabric.run.attempts': 'Failed attempts in a row, with this one; where it failed.',
  'fabric.state': 'The state that is stayed in.',
  'fabric.transition.event': 'The type of the event that caused the transition.',
  'fabric.transition.from': 'The path of the state that is left.',
  'fabric.transition.to': 'The path of the state that is entered.',
  'fabric.transition.stayed_ms': 'Time spent in the former state, in milliseconds; where it is left.',
  'fabric.reason': 'Who or what caused it, or how a step ended; where that is known.',
  'fabric.idle.reason': 'Why it has no timer, such as `paused`; where it comes to be idle.',
  'fabric.timer.due_at': 'The due time of its timer; where a row was read anew.',
  'fabric.objects.created': 'Objects that are new.',
  'fabric.objects.updated': 'Objects that changed.',
  'fabric.objects.deleted': 'Objects that are gone.',
  'fabric.objects.touched': 'Objects that got another version with the same content.',
  'fabric.objects.unsynced': 'Objects whose kind is not read any more.',
  'fabric.objects.quarantined': 'Objects that could not be stored.',
  'fabric.run.requests': 'Requests to the fabric.',
  'fabric.run.bytes_read': 'Bytes of lists, as received.',
  'fabric.link':
    'On a link: `armed_by` the run that armed the timer, `failed_attempt`, or `requested_by` a command or an act of the page; one for each who asked, up to eight.',
  'fabric.sweep.why': 'Why the pass was made.',
  'fabric.sweep.interrupted': 'Runs whose lease had expired.',
  'fabric.sweep.resumed': 'Pauses that ended.',
  'fabric.sweep.rearmed': 'Timers that were missing or wrong.',
  'fabric.sweep.cancelled': 'Timers that nobody wants.',
  'fabric.slot.class': 'Which queue for a slot: `manual`, `periodic` or `trouble`.',
  'fabric.store.act': 'What was to be written: `commit` or `settle`.',
  'fabric.lease.kind': 'Which half of the lease: `lock` in Redis, or `claim` in Postgres.',
  'fabric.lease.answer': 'What came of a renewal.',
  'fabric.timer.kind': 'What the timer is for: `sync`, `retry` or `probe`.',
  'fabric.sweep.repair': 'What the sweep did.',
  'fabric.object.change': 'What a run did to an object.',
  'fabric.approval.kind': 'What a person is to approve.',
  'fabric.act': 'What was done: `trigger`, `retry`, `pause`, `resume`, `approve`, `unlock` or `cancel`.',
  'fabric.cli.verb': 'The verb, such as `trigger`.',
  'cpu.mode': '`user` or `system`.',
  'v8js.heap.space.name': 'A part of V8’s heap.',
  'process.exit.code': 'The exit status of the command.',
  'error.type': 'The code of the failure; where there is one.',
  'exception.type': 'The code of the failure.',
  'exception.message': 'The failure in one line, without secrets.',
  'http.request.method': 'Always `GET`.',
  'http.request.resend_count': 'Where it was asked again with a renewed credential.',
  'http.response.status_code': 'Where an answer came.',
  'url.full': 'Without a login; the token of a next page is blotted out.',
  'server.address': 'Host name or address.',
  'server.port': 'Port.',
  'db.system.name': '`redis` or `postgresql`.',
  'db.namespace': 'The number or the name of the database.',
  'db.operation.name': 'The command, such as `ZADD` or `UPDATE`.',
  'db.stored_procedure.name': 'The script, such as `claim-timers`.',
  'db.query.summary': 'What the statement does to which tables.',
  'db.query.text': 'The statement with `$1` in the place of values, shortened.',
  'db.response.returned_rows': 'Rows that came back or were written.',
  'db.response.status_code': 'The server’s code for what it refused.',
} as const;

export type AttributeName = keyof typeof attributes;

export const events = tableOf<EventContract<AttributeName>>()({
  exception: { when: 'The attempt failed.', attributes: ['exception.type', 'exception.message'] },
});

export const spans = tableOf<SpanContract<AttributeName, keyof typeof events>>()({
  run: {
    name: 'fabric.run',
    kind: 'internal',
    when: 'From a due timer or a request until the next timer is durable. The root of its trace.',
    always: ['fabric.id', 'fabric.name', 'fabric.run.trigger', 'fabric.run.outcome'],
    sometimes: [
      'fabric.run.id',
      'fabric.run.epoch',
      'fabric.run.due_at',
      'fabric.run.late_ms',
      'fabric.run.attempts',
      'fabric.run.remark',
      'fabric.reason',
      'fabric.objects.created',
      'fabric.objects.updated',
      'fabric.objects.deleted',
      'fabric.objects.unsynced',
      'fabric.objects.quarantined',
      'fabric.run.requests',
      'fabric.run.bytes_read',
      'error.type',
    ],
    events: ['exception'],
    links: true,
  },
  replan: {
    name: 'fabric.replan',
    kind: 'internal',
    when: 'A fabric is planned anew outside a run: at a start, paused, resumed, changed, removed, revived. The root of its trace.',
    always: ['fabric.id', 'fabric.name'],
    sometimes: ['fabric.reason'],
  },
  state: {
    name: 'fabric.state {fabric.state}',
    kind: 'internal',
    when: 'Each stay in a state, as long as the run or the planning lasts.',
    always: ['fabric.id', 'fabric.state'],
    sometimes: ['error.type'],
  },
  transition: {
    name: 'fabric.transition {fabric.transition.to}',
    kind: 'internal',
    when: 'Each transition, at the moment it happens; also one that ends in the state that it began in.',
    always: ['fabric.id', 'fabric.transition.event', 'fabric.transition.from', 'fabric.transition.to'],
    sometimes: ['fabric.transition.stayed_ms', 'fabric.reason', 'fabric.idle.reason', 'fabric.timer.due_at'],
  },
  merge: {
    name: 'fabric.merge',
    kind: 'internal',
    when: 'What was read is compared with the inventory and committed.',
    always: [
      'fabric.objects.created',
      'fabric.objects.updated',
      'fabric.objects.deleted',
      'fabric.objects.touched',
      'fabric.objects.unsynced',
      'fabric.objects.quarantined',
    ],
    sometimes: ['error.type'],
  },
  sweep: {
    name: 'fabric.sweep',
    kind: 'internal',
    when: 'A sweep that repaired something; one that found all well is not told. The root of its trace.',
    always: [
      'fabric.sweep.why',
      'fabric.sweep.interrupted',
      'fabric.sweep.resumed',
      'fabric.sweep.rearmed',
      'fabric.sweep.cancelled',
    ],
  },
  command: {
    name: 'fabric-syncd {fabric.cli.verb}',
    kind: 'client',
    when: 'A command that asks for a sync; below TRACEPARENT where that is set.',
    always: ['fabric.cli.verb', 'process.exit.code'],
  },
  act: {
    name: 'fabric.act {fabric.act}',
    kind: 'internal',
    when: 'A person acts on a fabric by the inspector’s page. The root of its trace.',
    always: ['fabric.id', 'fabric.name', 'fabric.act', 'fabric.reason'],
    sometimes: ['error.type'],
  },
  http: {
    name: '{http.request.method} {path}',
    kind: 'client',
    when: 'Each request to a fabric: one a page.',
    always: ['http.request.method', 'url.full', 'server.address', 'server.port'],
    sometimes: ['http.response.status_code', 'http.request.resend_count', 'error.type'],
  },
  redis: {
    name: '{db.operation.name}',
    kind: 'client',
    when: 'Each Redis command of a run or a planning.',
    always: ['db.system.name', 'db.operation.name', 'db.namespace'],
    sometimes: ['server.address', 'server.port', 'error.type', 'db.response.status_code'],
  },
  script: {
    name: '{db.operation.name} {db.stored_procedure.name}',
    kind: 'client',
    when: 'Each script in Redis, likewise.',
    always: ['db.system.name', 'db.operation.name', 'db.namespace', 'db.stored_procedure.name'],
    sometimes: ['server.address', 'server.port', 'error.type', 'db.response.status_code'],
  },
  statement: {
    name: '{db.query.summary}',
    kind: 'client',
    when: 'Each Postgres statement of a run, a planning or an act of the page.',
    always: ['db.system.name', 'db.namespace', 'db.operation.name', 'db.query.summary', 'db.query.text'],
    sometimes: ['server.address', 'server.port', 'db.response.returned_rows', 'error.type', 'db.response.status_code'],
  },
});

export type SpanKey = keyof typeof spans;

const dueKinds = ['sync', 'retry', 'probe'] as const;

export const counted = tableOf<MetricContract<AttributeName>>()({
  runStarts: counter(
    'fabric_syncd.run.starts',
    '{run}',
    'A run began: its claim was granted. A retry has the trigger `retry`.',
    { 'fabric.run.trigger': [...dueKinds, 'manual'] },
  ),
  runFailures: counter(
    'fabric_syncd.run.failures',
    '{run}',
    'A run ended without a commit, by the code of its failure; also one that was cancelled.',
    { 'error.type': Object.keys(verdictByCode) },
  ),
  contentions: counter(
    'fabric_syncd.run.contentions',
    '{attempt}',
    'Another daemon had the fabric: at the lock in Redis, or at the claim in Postgres. No failure.',
    { 'fabric.lease.kind': ['lock', 'claim'] },
  ),
  fenced: counter(
    'fabric_syncd.run.fenced',
    '{write}',
    'A write under a stale epoch was refused, and changed nothing.',
    { 'fabric.store.act': ['commit', 'settle'] },
  ),
  leaseRenewals: counter(
    'fabric_syncd.lease.renewals',
    '{renewal}',
    'A lease was to be renewed. The lock tells no refusal from silence: both are `refused`.',
    {
      'fabric.lease.kind': ['lock', 'claim'],
      'fabric.lease.answer': ['renewed', 'refused', 'unanswered'],
    },
  ),
  leaseLosses: counter('fabric_syncd.lease.losses', '{lease}', 'A run was given up: its lease was lost or in doubt.'),
  timersArmed: counter(
    'fabric_syncd.timer.arms',
    '{timer}',
    'A timer was made durable, by its fabric or by the sweep.',
    { 'fabric.timer.kind': dueKinds },
  ),
  sweepRepairs: counter(
    'fabric_syncd.sweep.repairs',
    '{repair}',
    'The sweep armed a timer that was missing or wrong, cancelled one that nobody wants, or ended an expired lease.',
    { 'fabric.sweep.repair': ['rearmed', 'cancelled', 'interrupted'] },
  ),
  objectChanges: counter(
    'fabric_syncd.object.changes',
    '{object}',
    'A run was committed: what it did to the inventory. `touched`: another version with the same content.',
    { 'fabric.object.change': ['created', 'updated', 'deleted', 'unsynced', 'touched', 'quarantined'] },
  ),
  objectsRead: counter(
    'fabric_syncd.object.reads',
    '{object}',
    'A run ended: the objects that it listed, also where it failed.',
  ),
  bytesRead: counter('fabric_syncd.read.bytes', 'By', 'A run ended: the bytes of the lists that it read.'),
  requests: counter('fabric_syncd.read.requests', '{request}', 'A run ended: what it asked of the fabric’s API.'),
});

export const distributed = tableOf<MetricContract<AttributeName>>()({
  runLateness: histogram(
    'fabric_syncd.run.lateness',
    's',
    'A run began: how long after its due time. Not of manual runs, which have none.',
    { 'fabric.run.trigger': dueKinds },
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600],
  ),
  runDuration: histogram(
    'fabric_syncd.run.duration',
    's',
    'A run ended: how long it had the claim. `fenced`: another run took over; `interrupted`: it could not be written down how it ended.',
    {
      'fabric.run.outcome': [
        'complete',
        'partial',
        'awaiting_approval',
        'failed',
        'cancelled',
        'fenced',
        'interrupted',
      ],
    },
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1_800],
  ),
});

export const observed = tableOf<MetricContract<AttributeName>>()({
  fabrics: sum(
    'fabric_syncd.fabrics',
    '{fabric}',
    'Fabrics that this daemon knows, by state. Every daemon knows them all: do not add daemons up.',
    { 'fabric.state': ['idle', 'scheduled', 'locked', 'syncing', 'backoff', 'errored'] },
  ),
  lastSuccessAge: gauge(
    'fabric_syncd.fabric.last_success.age',
    's',
    'How old the inventory of a fabric is: since the start of the last run that was committed. Absent before the first.',
    { 'fabric.name': [] },
  ),
  interval: gauge(
    'fabric_syncd.fabric.interval',
    's',
    'How often a fabric is to be synced. Absent while it is idle: paused, disabled, not configured.',
    { 'fabric.name': [] },
  ),
  failedAttempts: gauge(
    'fabric_syncd.fabric.failed_attempts',
    '{attempt}',
    'Attempts that have failed in a row. Only of fabrics in trouble; absent once one succeeded.',
    { 'fabric.name': [], 'fabric.state': ['backoff', 'errored'], 'error.type': [] },
  ),
  awaitingApproval: gauge(
    'fabric_syncd.fabric.awaiting_approval',
    '{fabric}',
    'Is 1 while a fabric waits for a person’s word: to delete, or to take another cluster for the same. Absent otherwise.',
    { 'fabric.name': [], 'fabric.approval.kind': ['deletions', 'cluster'] },
  ),
  overdue: gauge(
    'fabric_syncd.fabric.overdue',
    's',
    'How long the most overdue fabric has been waiting that nobody runs; 0 where none is.',
  ),
  running: sum('fabric_syncd.run.running', '{run}', 'Runs that this daemon has in hand.'),
  capacity: sum('fabric_syncd.run.capacity', '{run}', 'Runs that this daemon may have in hand at once.'),
  waiting: sum('fabric_syncd.run.waiting', '{run}', 'The queue: fabrics that are due here and wait for a slot.', {
    'fabric.slot.class': ['manual', 'periodic', 'trouble'],
  }),
  available: gauge(
    'fabric_syncd.server.available',
    '{server}',
    'Is 1 while the server answers, else 0. None of Redis where it is not used by choice.',
    { 'db.system.name': ['postgresql', 'redis'] },
  ),
  progress: gauge(
    'fabric_syncd.daemon.progress',
    '{daemon}',
    'Is 1 while the daemon makes progress, as its watchdog sees it, else 0.',
  ),
});

/** By the conventions of OpenTelemetry for processes, Node and V8. */
export const ofProcess = tableOf<MetricContract<AttributeName>>()({
  cpuTime: observedCounter('process.cpu.time', 's', 'CPU time of the process.', { 'cpu.mode': ['user', 'system'] }),
  memory: sum('process.memory.usage', 'By', 'Resident memory.'),
  uptime: gauge('process.uptime', 's', 'Since the process started.'),
  fileDescriptors: sum(
    'process.unix.file_descriptor.count',
    '{file_descriptor}',
    'Open files and sockets. Absent where there is no /proc.',
  ),
  heapUsed: sum('v8js.memory.heap.used', 'By', 'Heap in use, by space.', { 'v8js.heap.space.name': [] }),
  loopDelayMin: gauge('nodejs.eventloop.delay.min', 's', 'Least delay of the event loop in the last 1 to 2 minutes.'),
  loopDelayMean: gauge('nodejs.eventloop.delay.mean', 's', 'The mean of it.'),
  loopDelayP50: gauge('nodejs.eventloop.delay.p50', 's', 'The median of it.'),
  loopDelayP99: gauge('nodejs.eventloop.delay.p99', 's', 'The 99th percentile of it.'),
  loopDelayMax: gauge('nodejs.eventloop.delay.max', 's', 'The most of it.'),
  loopUtilization: gauge(
    'nodejs.eventloop.utilization',
    '1',
    'The share of time in which the event loop was not idle, in the last one to two minutes.',
  ),
});

/** Told by the SDK of itself, only where it exports: what became of spans, log lines and metrics on their way out. */
export const ofSdk = {
  'otel.sdk.processor.span.queue.size': 'Spans that wait to be exported.',
  'otel.sdk.processor.span.queue.capacity': 'Spans that may wait at once; more are dropped.',
  'otel.sdk.processor.span.processed': 'Spans handed on; with `error.type`: dropped, or not taken.',
  'otel.sdk.processor.log.queue.size': 'Log lines that wait to be exported.',
  'otel.sdk.processor.log.queue.capacity': 'Log lines that may wait at once; more are dropped.',
  'otel.sdk.processor.log.processed': 'Log lines handed on; with `error.type`: dropped, or not taken.',
  'otel.sdk.exporter.metric_data_point.exported': 'Points of metrics handed on; with `error.type`: not taken.',
} as const;
