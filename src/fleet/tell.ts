// What is told of the fleet: a log line that an operator understands, or none where nothing is worth it; and a tiding
// for whoever listens.

import type { FabricContext } from '../../machines/fabric/context.ts';
import type { FabricState } from '../../machines/fabric/plan.ts';
import type { CommittedRun } from '../../otel/tracing.ts';
import { top } from '../../otel/transitions.ts';
import type { Tidings } from '../admin/tidings.ts';
import { type Clock, formatIso } from '../clock.ts';
import type { Log } from '../log.ts';
import { sumsOf } from '../ports/sums.ts';
import type { SyncEnding, SyncJob, SyncProgress } from '../sync/run.ts';
import type { FabricTransition } from './fleet.ts';

export class Teller {
  readonly #log: Log;
  readonly #tidings: Tidings;
  readonly #clock: Clock;

  constructor(log: Log, tidings: Tidings, clock: Clock) {
    this.#log = log;
    this.#tidings = tidings;
    this.#clock = clock;
  }

  /** @param traceId of the run or planning that it belongs to; null where nothing is traced */
  transition(told: FabricTransition, traceId: string | null = null): void {
    const nowMs = this.#clock.nowMs();
    const state = top(told.to) as FabricState;
    const { servedDueMs, claim } = told.context;
    const begins = state === 'locked' && top(told.from) !== 'locked';
    this.#tidings.tell(() => ({
      type: 'transition',
      fabric: told.name,
      fabric_id: told.fabricId,
      at: formatIso(nowMs),
      event: told.event,
      from: told.from,
      to: told.to,
      state,
      why: whyOf(told),
      run: claim?.runId ?? null,
      trace_id: traceId,
      late_ms: begins && servedDueMs !== null ? Math.max(0, nowMs - servedDueMs) : null,
    }));
    this.#logTransition(told, state);
  }

  progress({ settings }: SyncJob, { fabricId, runId, kind, state, listed }: SyncProgress): void {
    this.#tidings.tell(() => ({
      type: 'progress',
      fabric: settings.name,
      fabric_id: fabricId,
      run: runId,
      kind,
      listed,
      done: state !== 'reading',
    }));
  }

  committed(job: SyncJob, ending: Extract<SyncEnding, { kind: 'committed' }>): void {
    const { name } = job.settings;
    const { outcome, remark, figures } = ending;
    const { quarantined, unsynced, ...counts } = committedRun(ending).counts;
    const left = Object.entries(figures.kinds).filter(([, { unsynced }]) => unsynced !== undefined);
    const fields = {
      fabric: name,
      fabric_id: job.fabricId,
      run: job.claim.runId,
      epoch: job.claim.epoch,
      outcome,
      ...counts,
      quarantined,
      ...(left.length > 0 && { unsynced: Object.fromEntries(left.map(([kind, { unsynced }]) => [kind, unsynced])) }),
      requests: figures.requests,
      bytes_read: figures.bytesRead,
    };
    const gone = left.map(([kind, { unsynced }]) => `, ${unsynced} ${kind} no longer synced`).join('');
    const changes = `+${counts.created} ~${counts.updated} -${counts.deleted}${gone}`;
    if (outcome === 'complete') this.#log.info(fields, `${name}: in sync (${changes})`);
    else this.#log.warn({ ...fields, remark }, `${name}: ${outcome.replace('_', ' ')} (${changes}): ${remark}`);
    this.#tidings.tell(() => ({
      type: 'run',
      fabric: name,
      fabric_id: job.fabricId,
      run: job.claim.runId,
      outcome,
      ...counts,
      unsynced,
    }));
  }

  #logTransition(told: FabricTransition, to: FabricState): void {
    const { name, fabricId, event, reason, context } = told;
    const { level, line, more } = lineOf(told, top(told.from), to);
    const run = context.claim && { epoch: context.claim.epoch, run: context.claim.runId };
    const why = reason !== null && { reason };
    const fields = { fabric: name, fabric_id: fabricId, event, from: told.from, state: to, ...why, ...run, ...more };
    this.#log[level](fields, `${name}: ${line}`);
  }
}

/** What a committed run came to, in sums. */
export function committedRun(ending: Extract<SyncEnding, { kind: 'committed' }>): CommittedRun {
  const { outcome, remark, figures } = ending;
  const { requests, bytesRead } = figures;
  const { created, updated, deleted, unsynced, quarantined } = sumsOf(figures);
  return { outcome, remark, counts: { created, updated, deleted, unsynced, quarantined }, requests, bytesRead };
}

interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly line: string;
  readonly more?: object;
}

function lineOf(told: FabricTransition, from: string, to: FabricState): Line {
  const { to: toPath, context } = told;
  const { plan, trigger, obstacle } = context;
  if (from === to) return sameStateLine(told);
  if (from === 'locked' && to !== 'syncing' && obstacle) {
    const { code, message, hint } = obstacle;
    return { level: 'warn', line: `not run: ${code}: ${message}. ${hint}`, more: { code, hint } };
  }
  switch (to) {
    case 'idle':
      return { level: 'info', line: `idle (${plan.state === 'idle' ? plan.reason : 'a manual run could not begin'})` };
    case 'scheduled': {
      if (from === 'locked')
        return { level: 'info', line: 'not run here: another daemon has it, or it was done already' };
      const due_at = plan.state === 'idle' ? null : formatIso(plan.dueAtMs);
      // After a committed run the line about the run says more.
      return { level: from === 'syncing' ? 'debug' : 'info', line: `scheduled for ${due_at}`, more: { due_at } };
    }
    case 'locked':
      return { level: 'debug', line: `locked for a ${trigger} run`, more: { trigger } };
    case 'syncing':
      return { level: 'debug', line: `syncing (${trigger})`, more: { trigger } };
    default:
      return troubleLine(toPath, to, context);
  }
}

/** It stays in its state: what it is to do there may be another thing now. */
function sameStateLine({ event, from, to, context: { plan } }: FabricTransition): Line {
  if (plan.state === 'idle') {
    return to === 'idle'
      ? { level: 'info', line: `idle (${plan.reason})` }
      : { level: 'debug', line: `${from} → ${to} (${event})` };
  }
  if (from !== to || event !== 'PLAN') return { level: 'debug', line: `${from} → ${to}` };
  // Most often another daemon ran it, and says so itself.
  const due_at = formatIso(plan.dueAtMs);
  return { level: 'debug', line: `due at ${due_at} now`, more: { due_at } };
}

/** What came from outside of the fabric: of a step of its own run the event says enough. */
const fromOutside: readonly string[] = ['PLAN', 'SYNC_REQUESTED', 'CANCEL_REQUESTED', 'LEASE_LOST'];

/** For people: who or what moved it, and what is planned where that is news. */
function whyOf({ event, to, reason, context: { plan } }: FabricTransition): string | null {
  const who = fromOutside.includes(event) ? reason : null;
  const news =
    plan.state === 'idle' ? to === 'idle' && plan.reason : event === 'PLAN' && `due ${formatIso(plan.dueAtMs)}`;
  return [who, news].filter(Boolean).join(': ') || null;
}

function troubleLine(path: string, state: 'backoff' | 'errored', { failure, attempts }: FabricContext): Line {
  // Back from a lock that somebody else has: nothing new failed.
  if (failure === null || path.endsWith('.waiting')) {
    return { level: 'info', line: `${state}, waiting for the next try`, more: { attempts } };
  }
  const { code, message, hint } = failure;
  return {
    level: state === 'errored' ? 'error' : 'warn',
    line: `${state} after attempt ${attempts}: ${code}: ${message}. ${hint}`,
    more: { attempts, code, hint },
  };
}
