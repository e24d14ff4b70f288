// Waits until "sync now" requests have been answered.
//
//   Q1. What counts is what the rows say; progress on the way is only for people.
//   Q2. Where nobody has taken a request up for a while, `onIgnored` is called with it, and once more after each while in
//       which that came to nothing. A lease that a crash left behind counts as somebody until it ends. The rows still decide.

import type { Clock } from '../clock.ts';
import type { Operator, RequestRow, RunRow } from '../ports/operator.ts';

export interface Request {
  readonly requestId: string;
  readonly fabricId: string;
  readonly name: string;
}

export type Answer = { readonly request: Request } & (
  | { readonly kind: 'ran'; readonly run: RunRow }
  /** A daemon refused it, and says why. */
  | { readonly kind: 'refused'; readonly refusal: string }
  /** The fabric was removed. */
  | { readonly kind: 'gone' }
  /** The deadline passed; it may still be run. */
  | { readonly kind: 'unanswered'; readonly running: boolean }
);

export interface AwaitOptions {
  readonly operator: Pick<Operator, 'requests'>;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** How long a request may lie before it counts as ignored. */
  readonly ignoredAfterMs: number;
  /** Not called again before it has resolved; it does not reject. */
  readonly onIgnored: (requests: readonly Request[]) => Promise<void>;
  /** Once a request, as soon as its answer is known. */
  readonly onAnswer: (answer: Answer) => void;
  readonly signal: AbortSignal;
}

const lookEveryMs = 150;

/** @returns an answer a request, in their order */
export async function awaitRequests(requests: readonly Request[], options: AwaitOptions): Promise<readonly Answer[]> {
  const { operator, clock, timeoutMs, ignoredAfterMs, onIgnored, onAnswer, signal } = options;
  const answers = new Map<string, Answer>();
  const beganMs = clock.monotonicMs();
  /** Since when nobody has had it, by request. */
  const lyingSinceMs = new Map<string, number>();
  let beingTold = false;
  let rows = new Map<string, RequestRow>();
  const isIgnored = ({ requestId }: Request): boolean => {
    if (answers.has(requestId)) return false;
    if (isTaken(rows.get(requestId))) {
      lyingSinceMs.delete(requestId);
      return false;
    }
    const nowMs = clock.monotonicMs();
    const sinceMs = lyingSinceMs.get(requestId) ?? nowMs;
    lyingSinceMs.set(requestId, sinceMs);
    return nowMs - sinceMs >= ignoredAfterMs;
  };
  while (true) {
    const waiting = requests.filter((request) => !answers.has(request.requestId));
    if (waiting.length === 0) break;
    const read = await operator.requests(waiting.map((request) => request.requestId));
    rows = new Map(read.map((row) => [row.requestId, row]));
    for (const request of waiting) {
      const answer = answerOf(request, rows.get(request.requestId));
      if (!answer) continue;
      answers.set(request.requestId, answer);
      onAnswer(answer);
    }
    const passedMs = clock.monotonicMs() - beganMs;
    if (passedMs >= timeoutMs) break;
    const ignored = beingTold ? [] : waiting.filter((request) => isIgnored(request));
    if (ignored.length > 0) {
      beingTold = true;
      void onIgnored(ignored).then(() => {
        beingTold = false;
        lyingSinceMs.clear();
      });
    }
    if (answers.size < requests.length) await clock.sleep(lookEveryMs, signal);
  }
  return requests.map((request): Answer => {
    const answer = answers.get(request.requestId);
    if (answer) return answer;
    const unanswered = { request, kind: 'unanswered', running: isTaken(rows.get(request.requestId)) } as const;
    onAnswer(unanswered);
    return unanswered;
  });
}

function answerOf(request: Request, row: RequestRow | undefined): Answer | null {
  if (!row) return { request, kind: 'gone' };
  if (row.refusal !== null) return { request, kind: 'refused', refusal: row.refusal };
  if (row.run?.outcome != null) return { request, kind: 'ran', run: row.run };
  return null;
}

/** A run answers it already, or one is in hand that it waits for. */
function isTaken(row: RequestRow | undefined): boolean {
  return row !== undefined && (row.run !== null || row.leased);
}
