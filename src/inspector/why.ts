// "Why is it not syncing now?", in one sentence with what to do about it.
//
//   Y1. Pure and total: every state of affairs has exactly one answer, the one that is nearest to the question.
//   Y2. The order of the cases is the order in which they stand in the way: what runs, what forbids, what must be waited
//       for, what is only a matter of time.

import type { WhyCode, WhyDocument } from './documents.ts';
import { idleHint } from './hints.ts';
import type { FabricView } from './view.ts';

export interface WhyInput {
  readonly fabric: FabricView & { readonly path: string | null; readonly waits_for_slot: boolean };
  /** The daemon that answers. */
  readonly daemon: string;
  readonly slots: { readonly running: number; readonly waiting: number; readonly capacity: number };
  /** Since when Postgres does not answer; null where it does. */
  readonly postgresMissingSince: string | null;
  /** Redis should be used and is not. */
  readonly redisMissing: boolean;
  readonly nowMs: number;
}

/** Short of this, what is due has only just become due. */
const justDueMs = 2_000;

export function whyNotSyncing(input: WhyInput): WhyDocument {
  return running(input) ?? forbidden(input) ?? waiting(input) ?? timed(input);
}

function running({ fabric, daemon, postgresMissingSince }: WhyInput): WhyDocument | null {
  const here = fabric.path?.split('.')[0];
  if (here === 'syncing') {
    const what = fabric.path === 'syncing.stopping' ? 'A run is being stopped' : 'It is syncing now, in this daemon';
    return plain('syncing', `${what}.`);
  }
  if (here === 'locked') return plain('locking', 'It is asking for the lock, to sync now.');
  if (postgresMissingSince !== null) {
    return plain(
      'postgres_missing',
      `Postgres has not answered since ${time(postgresMissingSince)}, and nothing is synced without it.`,
      'Check DATABASE_URL and the server; the daemon goes on by itself.',
    );
  }
  if (fabric.state !== 'syncing' && fabric.state !== 'locked') return null;
  const by = fabric.run?.daemon ?? 'another daemon';
  if (by === daemon) return plain('syncing', 'It is syncing now, in this daemon.');
  return plain('syncing_elsewhere', `It is syncing now, in another daemon (${by}).`);
}

function forbidden({ fabric, nowMs }: WhyInput): WhyDocument | null {
  const { reason, pause, hint, name } = fabric;
  const advice = hint || (reason ? idleHint(reason, name) : '');
  switch (reason) {
    case null:
      break;
    case 'not_configured':
      return plain('not_configured', 'It has no address or no credential yet.', advice);
    case 'sync_disabled':
      return plain('sync_disabled', 'Its sync is disabled in its settings.', advice);
    case 'paused': {
      const words = pause ? `${pause.by} paused it (${pause.reason})` : 'It is paused';
      if (!pause?.until) return plain('paused', `${words} until somebody resumes it.`, advice);
      return timely('paused', `${words}; the pause ends`, pause.until, nowMs, advice, 'as soon as a daemon looks');
    }
    case 'scheduler_disabled':
      return plain('scheduler_disabled', 'Its scheduler is off: it is synced by hand only.', advice);
    case 'interval_zero':
      return plain('interval_zero', 'Its interval is 0: it is synced by hand only.', advice);
  }
  const { approval } = fabric;
  if (approval && approval.approved_by === null && fabric.due_in_ms !== null) {
    const what =
      approval.kind === 'deletions'
        ? `the deletion of ${approval.total} of ${approval.of} objects`
        : 'that another cluster answers at its address';
    return timely('waits_for_approval', `A person must approve ${what}; it is read again`, fabric.due_at, nowMs, hint);
  }
  return null;
}

function waiting({ fabric, slots, daemon, nowMs }: WhyInput): WhyDocument | null {
  if (fabric.waits_for_slot) {
    const others = Math.max(0, slots.waiting - 1);
    const line = others === 0 ? '' : `, and ${others} other${others === 1 ? ' waits' : 's wait'} as well`;
    return plain(
      'waits_for_slot',
      `It is due and waits for a slot: ${slots.running} of ${slots.capacity} are in use${line}.`,
      'Nothing to do; if it lasts, raise FABRIC_SYNCD_CONCURRENCY.',
    );
  }
  if (fabric.timer.state !== 'claimed' || fabric.path?.endsWith('.waiting') !== true) return null;
  if (fabric.due_in_ms === null || fabric.due_in_ms > -justDueMs) return null;
  return timely(
    'claimed_elsewhere',
    `It is due, and a daemon other than ${daemon} has taken its timer, or died with it; the timer shows again`,
    fabric.timer.shows_at,
    nowMs,
  );
}

function timed({ fabric, nowMs, redisMissing }: WhyInput): WhyDocument {
  const { state, due_at, due_in_ms, attempts, sync_error, hint } = fabric;
  if (due_at === null || due_in_ms === null) {
    return plain('not_planned', 'It has no due time yet: the next pass of the sweep gives it one.', hint);
  }
  const cause = sync_error === '' ? 'an unknown cause' : sync_error.replace(/\.$/, '');
  if (state === 'backoff') {
    const after = attempts > 0 ? `attempt ${attempts} failed` : 'a run was cut off';
    return timely('backoff', `It waits after ${after} (${cause}); the next try is`, due_at, nowMs, hint);
  }
  if (state === 'errored') {
    return timely('errored', `It is errored (${cause}) and only probed; the next probe is`, due_at, nowMs, hint);
  }
  if (due_in_ms <= 0) {
    const redis = redisMissing ? ' Redis is away, so due times come from the rows.' : '';
    return plain('due', `It is due now and begins at any moment.${redis}`, hint);
  }
  const after = redisMissing ? '; Redis is away, and due times come from the rows' : '';
  return timely('scheduled', 'All is well: it is due', due_at, nowMs, hint, 'now', after);
}

function plain(code: WhyCode, sentence: string, hint = ''): WhyDocument {
  return { code, sentence, live: null, hint };
}

/** @param past what to say instead of a length of time that has passed */
function timely(
  code: WhyCode,
  before: string,
  at: string | null,
  nowMs: number,
  hint = '',
  past = 'now',
  after = '',
): WhyDocument {
  const ms = at === null ? 0 : Date.parse(at) - nowMs;
  const sentence = `${before} ${ms > 0 ? `in ${inWords(ms)}` : past}${after}.`;
  const live = at === null || ms <= 0 ? null : { before: `${before} in `, at, after: `${after}.` };
  return { code, sentence, live, hint };
}

/** `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: never more than it says. */
export function inWords(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const at = units.findIndex(([, size]) => seconds >= size);
  const [first, second] = units.slice(at, at + 2);
  if (!first) return `${seconds} s`;
  const [unit, size] = first;
  const rest = second ? Math.floor((seconds % size) / second[1]) : 0;
  return `${Math.floor(seconds / size)} ${unit}${second && rest > 0 ? ` ${rest} ${second[0]}` : ''}`;
}

function time(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}
