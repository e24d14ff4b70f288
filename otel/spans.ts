// Turns a fleet's transitions into traces.
//
//   SP1. A run is a trace of its own, from the timer or the request until its next timer is durable. What armed it, failed
//        before it or asked for it is a link, never a parent: a fabric's life would be one endless trace.
//   SP2. Transitions outside a run (planned, paused, resumed, changed, removed, revived) make a trace of their own.
//   SP3. Contention and a cancel are no errors. A failed attempt is one, and the state `errored` is.
//   SP4. What is told of a failure is its note, never the error behind it: a note carries no secret.

import {
  type Attributes,
  context,
  type Link,
  ROOT_CONTEXT,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { FailureNote } from '../machines/fabric/failure.ts';
import { Episode } from './episode.ts';
import { failSpan } from './in-span.ts';
import { spans } from './names.ts';
import { startTold, type Told } from './tell.ts';
import { readTraceparent, writeTraceparent } from './traceparent.ts';
import type { CommittedRun, PersonsAct, SweepRepairs, TracedTransition, Tracing } from './tracing.ts';
import { top } from './transitions.ts';

export interface TracesDeps {
  readonly tracer: Tracer;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
}

interface InHand {
  readonly episode: Episode;
  /** Null for a planning. */
  readonly run: RunNotes | null;
}

/** What a run came to, as far as its transitions tell. */
interface RunNotes {
  outcome: string;
  failure: FailureNote | null;
}

/** Not the doing of the fabric, of the network or of a server: somebody wanted it so, or somebody else was first. */
const quiet: readonly string[] = ['LEASE_CONTENDED', 'FENCE_STALE', 'CANCELLED', 'SHUTDOWN'];

export class Traces implements Tracing {
  readonly #tracer: Tracer;
  readonly #nowMs: () => number;
  readonly #inHand = new Map<string, InHand>();

  constructor({ tracer, nowMs }: TracesDeps) {
    this.#tracer = tracer;
    this.#nowMs = nowMs;
  }

  transition(told: TracedTransition, tell: (traceId: string | null) => void): void {
    const { fabricId, from, to } = told;
    let now = this.#inHand.get(fabricId);
    const begins = to === 'locked.acquiring' && from !== to;
    // A timer that came due, or a person who asked, before the last run's next timer was durable.
    if (begins && now) this.#end(fabricId, now);
    if (begins || !now) {
      now = begins ? this.#beginRun(told) : this.#beginReplan(told);
      this.#inHand.set(fabricId, now);
    }
    const { episode, run } = now;
    episode.move(told, planned(told));
    if (run) note(run, episode, told);
    if (to.startsWith('errored') && told.context.failure) episode.stateFailed(told.context.failure);
    context.with(episode.context, tell, undefined, episode.traceId);
    if (to === 'idle' || to.endsWith('.waiting')) this.#end(fabricId, now);
  }

  within<Answer>(fabricId: string, work: () => Answer): Answer {
    const now = this.#inHand.get(fabricId);
    return now ? context.with(now.episode.context, work) : work();
  }

  traceparent(fabricId: string): string | null {
    return this.#inHand.get(fabricId)?.episode.traceparent ?? null;
  }

  committed(fabricId: string, { outcome, remark, counts, requests, bytesRead }: CommittedRun): void {
    const now = this.#inHand.get(fabricId);
    if (!now?.run) return;
    now.run.outcome = outcome;
    now.episode.tell({
      'fabric.objects.created': counts.created,
      'fabric.objects.updated': counts.updated,
      'fabric.objects.deleted': counts.deleted,
      'fabric.objects.unsynced': counts.unsynced,
      'fabric.objects.quarantined': counts.quarantined,
      'fabric.run.requests': requests,
      'fabric.run.bytes_read': bytesRead,
      ...(remark !== '' && { 'fabric.run.remark': remark }),
    });
  }

  removed(fabricId: string, name: string, from: string): void {
    const last = this.#inHand.get(fabricId);
    if (last?.run) last.run.outcome = 'removed';
    const now = last ?? this.#beginReplan({ fabricId, name, reason: 'removed' });
    now.episode.move({ event: 'REMOVED', from, to: 'removed', stayedMs: null, reason: 'removed' });
    this.#end(fabricId, now);
  }

  swept({ why, startedMs, interrupted, resumed, rearmed, cancelled }: SweepRepairs): void {
    if (interrupted + resumed + rearmed + cancelled === 0) return;
    const attributes: Told = {
      'fabric.sweep.why': why,
      'fabric.sweep.interrupted': interrupted,
      'fabric.sweep.resumed': resumed,
      'fabric.sweep.rearmed': rearmed,
      'fabric.sweep.cancelled': cancelled,
    };
    const options = { root: true, startTime: startedMs };
    startTold(this.#tracer, spans.sweep.name, attributes, options, ROOT_CONTEXT).end(this.#nowMs());
  }

  async acted<Answer>(
    { act, by, fabricId, name }: PersonsAct,
    work: (traceparent: string | null) => Promise<Answer>,
  ): Promise<Answer> {
    const attributes: Told = { 'fabric.id': fabricId, 'fabric.name': name, 'fabric.act': act, 'fabric.reason': by };
    const called = spans.act.name.replace('{fabric.act}', act);
    const span = startTold(this.#tracer, called, attributes, { root: true }, ROOT_CONTEXT);
    try {
      const within = trace.setSpan(ROOT_CONTEXT, span);
      return await context.with(within, work, undefined, writeTraceparent(span.spanContext()));
    } catch (thrown) {
      const { code } = thrown as { readonly code?: unknown };
      failSpan(span, typeof code === 'string' ? code : 'INTERNAL');
      throw thrown;
    } finally {
      span.end();
    }
  }

  end(): void {
    for (const [fabricId, now] of this.#inHand) {
      if (now.run?.outcome === 'running') now.run.outcome = 'abandoned';
      this.#end(fabricId, now);
    }
  }

  #beginRun({ fabricId, name, reason, context: { trigger, servedDueMs, follows } }: TracedTransition): InHand {
    const attributes: Told = {
      'fabric.id': fabricId,
      'fabric.name': name,
      'fabric.run.trigger': trigger,
      ...(servedDueMs !== null && {
        'fabric.run.due_at': new Date(servedDueMs).toISOString(),
        // Another machine's clock may have made the due time.
        'fabric.run.late_ms': Math.max(0, this.#nowMs() - servedDueMs),
      }),
      ...(trigger === 'manual' && reason !== null && { 'fabric.reason': reason }),
    };
    const options = { root: true, links: linksTo(follows, trigger) };
    const root = startTold(this.#tracer, spans.run.name, attributes, options, ROOT_CONTEXT);
    return { episode: new Episode(this.#tracer, fabricId, root), run: { outcome: 'running', failure: null } };
  }

  #beginReplan({ fabricId, name, reason }: Pick<TracedTransition, 'fabricId' | 'name' | 'reason'>): InHand {
    const attributes: Told = {
      'fabric.id': fabricId,
      'fabric.name': name,
      ...(reason !== null && { 'fabric.reason': reason }),
    };
    const root = startTold(this.#tracer, spans.replan.name, attributes, { root: true }, ROOT_CONTEXT);
    return { episode: new Episode(this.#tracer, fabricId, root), run: null };
  }

  #end(fabricId: string, { episode, run }: InHand): void {
    this.#inHand.delete(fabricId);
    if (run) {
      episode.tell({ 'fabric.run.outcome': run.outcome });
      if (run.failure) fail(episode, run.failure);
    }
    episode.end();
  }
}

/** What it is to do from now on, where that is news. */
function planned({ event, to, context: { plan } }: TracedTransition): Told {
  if (plan.state === 'idle') return to === 'idle' ? { 'fabric.idle.reason': plan.reason } : {};
  return event === 'PLAN' ? { 'fabric.timer.due_at': new Date(plan.dueAtMs).toISOString() } : {};
}

/** Why a run ran decides what it follows from. */
function linksTo(follows: readonly string[], trigger: string): Link[] {
  const how = { sync: 'armed_by', manual: 'requested_by' }[trigger] ?? 'failed_attempt';
  const attributes: Told = { 'fabric.link': how };
  return follows.flatMap((traceparent) => {
    const before = readTraceparent(traceparent);
    return before ? [{ context: before, attributes: attributes as Attributes }] : [];
  });
}

function note(run: RunNotes, episode: Episode, { from, to, context: fabric }: TracedTransition): void {
  const was = top(from);
  const is = top(to);
  if (is === 'syncing' && was === 'locked' && fabric.claim) {
    const { runId, epoch } = fabric.claim;
    episode.tell({ 'fabric.run.id': runId, 'fabric.run.epoch': epoch });
  }
  if (to === 'syncing.stopping') {
    run.failure = fabric.failure;
    run.outcome = fabric.failure?.code === 'FENCE_STALE' ? 'fenced' : 'cancelled';
  } else if (was === 'syncing' && to.endsWith('.recording')) {
    run.failure = fabric.failure;
    run.outcome = 'failed';
    episode.tell({ 'fabric.run.attempts': fabric.attempts });
  } else if (to === 'locked.returning' && was === 'locked') {
    run.failure = fabric.obstacle;
    run.outcome = outcomeOf(fabric.obstacle);
  } else if (from === 'locked.acquiring' && is !== 'locked') run.outcome = 'contended';
  else if (from === 'locked.claiming' && is !== 'locked' && is !== 'syncing') run.outcome = 'superseded';
}

/** Of a run that could not begin. */
function outcomeOf(obstacle: FailureNote | null): string {
  if (obstacle === null) return 'contended';
  return quiet.includes(obstacle.code) ? 'cancelled' : 'not_run';
}

function fail(episode: Episode, { code, message }: FailureNote): void {
  episode.tell({ 'error.type': code });
  if (quiet.includes(code)) return;
  const exception: Told = { 'exception.type': code, 'exception.message': message };
  episode.root.addEvent('exception', exception as Attributes);
  episode.root.setStatus({ code: SpanStatusCode.ERROR, message: `${code}: ${message}` });
}
