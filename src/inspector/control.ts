// What a person does to a fabric by the inspector: the acts of the command line, with its refusals, in its words.
//
//   O1. An act is judged by the rows as they are now, not as they were shown.
//   O2. Each act is recorded with who and when: in the statement of the act itself, and in the log.

import { FabricFailure, oneLine } from '../../machines/fabric/failure.ts';
import { manualAllowed, plan } from '../../machines/fabric/plan.ts';
import type { Tracing } from '../../otel/tracing.ts';
import { type Clock, formatIso } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Operator, StatusRow } from '../ports/operator.ts';
import { Refusal } from './answers.ts';
import type { Act, ActAnswer } from './documents.ts';
import { idleHint, idleWords, shellWord } from './hints.ts';
import { isRunning } from './view.ts';

export interface ControlDeps {
  readonly operator: Pick<Operator, 'status' | 'request' | 'pause' | 'resume' | 'approve' | 'unlock' | 'cancel'>;
  /** Takes the lock's keys away after the epoch has moved. Never throws. */
  readonly breakLock: (fabricId: string) => Promise<'freed' | 'not_locked' | 'unavailable' | 'none'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracing: Pick<Tracing, 'acted'>;
}

/** What an act is done on. */
interface Subject {
  readonly row: StatusRow;
  readonly nowMs: number;
  readonly by: string;
  /** Of the act's own trace. */
  readonly traceparent: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A notice reaches only a run that is under way already, so it is said again, this often and this many times. */
const cancelEveryMs = 500;
const cancelTries = 10;
const nothingDone = 'Nothing was changed. Ask again when Postgres answers.';
const perhapsDone = 'It may still happen: look at the fabric before you ask again.';
const reasonMax = 500;
const momentMsEnd = Date.UTC(10_000, 0);

export class Control {
  readonly #deps: ControlDeps;
  readonly #acts: Readonly<Record<Act, (subject: Subject) => Promise<string>>>;

  constructor(deps: ControlDeps) {
    this.#deps = deps;
    this.#acts = {
      trigger: (subject) => this.#trigger(subject, 'trigger'),
      retry: (subject) => this.#retry(subject),
      pause: (subject) => this.#pause(subject),
      resume: (subject) => this.#resume(subject),
      approve: (subject) => this.#approve(subject),
      unlock: (subject) => this.#unlock(subject),
      cancel: (subject) => this.#cancel(subject),
    };
  }

  knows(act: string): act is Act {
    return Object.hasOwn(this.#acts, act);
  }

  /** @throws Refusal; FabricFailure where Postgres does not answer */
  async do(act: Act, fabricId: string, by: string, body: Readonly<Record<string, unknown>>): Promise<ActAnswer> {
    const { operator, clock, log, tracing } = this.#deps;
    const { fabrics, nowMs } = await operator.status(fabricId).catch((thrown: unknown) => {
      throw unanswered(thrown, nothingDone);
    });
    const [row] = fabrics;
    if (!row) throw new Refusal(404, 'NO_SUCH_FABRIC', 'the fabric was removed meanwhile');
    const fields = { act, by, via: 'inspector', fabric: row.name, fabric_id: fabricId };
    try {
      const said = await tracing.acted({ act, by, fabricId, name: row.name }, (traceparent) =>
        this.#acts[act]({ row, nowMs, by, traceparent, body }),
      );
      log.info(fields, `${by}: ${act} of ${row.name}: ${said}`);
      return { act, fabric: row.name, fabric_id: fabricId, by, at: formatIso(clock.nowMs()), said };
    } catch (thrown) {
      const { code, message } = Refusal.from(thrown);
      // What Postgres was told and did not answer is not undone by our giving up.
      const refusal = unanswered(thrown, perhapsDone);
      const what = refusal === thrown ? 'was not done' : 'was not answered, and may still happen';
      log.warn({ ...fields, code }, `${by}: ${act} of ${row.name} ${what}: ${message}`);
      throw refusal;
    }
  }

  async #trigger({ row, nowMs, by, traceparent }: Subject, act: 'trigger' | 'retry'): Promise<string> {
    const planned = plan(row, nowMs);
    if (planned.state === 'idle' && !manualAllowed[planned.reason]) {
      const { reason } = planned;
      const said = `${row.name} cannot be synced: ${idleWords[reason]}`;
      throw new Refusal(409, reason.toUpperCase(), said, idleHint(reason, row.name));
    }
    const [request] = await this.#deps.operator.request([row.fabricId], by, traceparent, act);
    if (!request) throw new Refusal(404, 'NO_SUCH_FABRIC', 'the fabric was removed meanwhile');
    if (isRunning(row, nowMs)) return `A run of ${row.name} is in hand; the request joins it.`;
    return `A sync of ${row.name} is asked for (request ${request.requestId}).`;
  }

  async #retry(subject: Subject): Promise<string> {
    const { state } = plan(subject.row, subject.nowMs);
    if (state !== 'backoff' && state !== 'errored') {
      throw new Refusal(
        409,
        'NOT_IN_TROUBLE',
        `${subject.row.name} waits for no retry`,
        'To sync it now all the same, trigger it.',
      );
    }
    return this.#trigger(subject, 'retry');
  }

  async #pause({ row, nowMs, by, body }: Subject): Promise<string> {
    const reason = typeof body.reason === 'string' ? oneLine(body.reason, reasonMax) : '';
    if (reason === '') throw new Refusal(400, 'BAD_REQUEST', 'a pause needs a reason, for whoever looks at it');
    const untilMs = momentOf(body.until ?? null);
    if (untilMs !== null && untilMs <= nowMs) throw new Refusal(400, 'BAD_REQUEST', 'that time has passed already');
    await this.#deps.operator.pause(row.fabricId, { by, reason, untilMs });
    const goesOn = isRunning(row, nowMs) ? ' The run in hand goes on.' : '';
    return `${row.name} is paused${untilMs === null ? '' : ` until ${formatIso(untilMs)}`}.${goesOn}`;
  }

  async #resume({ row, by }: Subject): Promise<string> {
    if (await this.#deps.operator.resume(row.fabricId, by)) return `${row.name} is resumed.`;
    throw new Refusal(409, 'NOT_PAUSED', `${row.name} was not paused`);
  }

  async #approve({ row, nowMs, by, traceparent, body }: Subject): Promise<string> {
    if (typeof body.run !== 'string' || !/^[0-9]{1,19}$/.test(body.run))
      throw new Refusal(400, 'BAD_REQUEST', 'say whose approval was shown: {"run": "…"}');
    if (!row.approval) throw new Refusal(409, 'NOTHING_WAITS', `nothing of ${row.name} waits for approval`);
    const planned = plan(row, nowMs);
    const ask = planned.state !== 'idle' || manualAllowed[planned.reason];
    const answer = await this.#deps.operator.approve(row.fabricId, { runId: body.run, by, ask, traceparent });
    if (answer.kind === 'changed') {
      throw new Refusal(
        409,
        'CHANGED_MEANWHILE',
        `what ${row.name} waits for has changed meanwhile; nothing was approved`,
        'Look at it again.',
      );
    }
    return ask ? `Approved; ${row.name} is synced now.` : 'Approved; the next sync does it.';
  }

  async #unlock({ row, by }: Subject): Promise<string> {
    // The epoch first: from here on whoever holds the lock in Redis may no longer commit, so the lock protects nobody.
    const unlocked = await this.#deps.operator.unlock(row.fabricId, by);
    const redis = await this.#deps.breakLock(row.fabricId);
    const away = redis === 'unavailable' ? ' Redis does not answer: a lock there ends by itself.' : '';
    if (!unlocked || (unlocked.holder === null && unlocked.runId === null)) return `${row.name} was not locked.${away}`;
    const held = unlocked.holder === null ? '' : `; ${unlocked.holder} held it`;
    const fenced = unlocked.runId === null ? '' : `; run ${unlocked.runId} was fenced off`;
    return `${row.name} is unlocked${held}${fenced}.${away}`;
  }

  async #cancel({ row, nowMs, by }: Subject): Promise<string> {
    const { operator, clock } = this.#deps;
    if (!isRunning(row, nowMs)) throw new Refusal(409, 'NO_RUN_IN_HAND', `${row.name} has no run in hand`);
    for (let tries = 0; tries < cancelTries; tries++) {
      await operator.cancel(row.fabricId, by);
      await clock.sleep(cancelEveryMs);
      const { fabrics, nowMs } = await operator.status(row.fabricId);
      const [now] = fabrics;
      if (now && isRunning(now, nowMs) && now.runInHand?.runId === row.runInHand?.runId) continue;
      return `The run of ${row.name} has ended.`;
    }
    throw new Refusal(
      409,
      'STILL_RUNNING',
      `${row.name} is still being synced by ${row.leaseHolder ?? 'somebody'}`,
      `Cut it off: unlock it, here or by fabric-syncd unlock ${shellWord(row.name)}.`,
    );
  }
}

/** What is said instead where Postgres said neither yes nor no; its own word is a word. */
function unanswered(thrown: unknown, hint: string): unknown {
  if (!(thrown instanceof FabricFailure) || thrown.code !== 'DATABASE_UNAVAILABLE') return thrown;
  if (thrown.facts?.sqlstate !== undefined) return thrown;
  return new Refusal(503, thrown.code, thrown.message, hint);
}

/** @throws Refusal for anything but an RFC 3339 time with its zone, or null */
function momentOf(until: unknown): number | null {
  if (until === null) return null;
  const wanted = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/;
  const ms = typeof until === 'string' && wanted.test(until) ? Date.parse(until) : Number.NaN;
  // A zone may carry it beyond the year 9999, which is written in another way.
  if (Number.isNaN(ms) || ms >= momentMsEnd)
    throw new Refusal(400, 'BAD_REQUEST', '"until" must be a time such as 2026-12-31T18:00:00Z, or null');
  return ms;
}
