import { describe, expect, test } from 'vitest';
import { type Answer, awaitRequests, type Request } from '../../src/cli/await-requests.ts';
import { answerLines, exitOf, progressLine } from '../../src/cli/trigger-text.ts';
import type { Clock } from '../../src/clock.ts';
import type { RequestRow } from '../../src/ports/operator.ts';
import { sampleRun } from '../inspector/sample.ts';

const request: Request = { requestId: '7', fabricId: '1', name: 'lab' };
const open: RequestRow = { requestId: '7', fabricId: '1', settled: false, refusal: null, run: null, leased: false };

/** A clock that moves only by being slept on. */
function sleptClock(): Clock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    async sleep(ms, signal) {
      nowMs += ms;
      signal?.throwIfAborted();
    },
    after: () => () => {},
  };
}

/** What the rows say at each look; the last one stays. */
async function waited(
  looks: readonly (readonly RequestRow[])[],
  { timeoutMs = 60_000, seenTo = Promise.resolve() }: { timeoutMs?: number; seenTo?: Promise<void> } = {},
) {
  const ignored: string[] = [];
  let look = 0;
  const answers = await awaitRequests([request], {
    operator: { requests: async () => looks[Math.min(look++, looks.length - 1)] ?? [] },
    clock: sleptClock(),
    timeoutMs,
    ignoredAfterMs: 3_000,
    onIgnored(requests) {
      ignored.push(...requests.map((one) => one.requestId));
      return seenTo;
    },
    onAnswer: () => {},
    signal: new AbortController().signal,
  });
  return { answers, ignored, looks: look };
}

describe('waiting for requests', () => {
  test('a run that ended is the answer, and nobody was ignored on the way', async () => {
    const run = sampleRun();
    const { answers, ignored } = await waited([[open], [{ ...open, leased: true }], [{ ...open, settled: true, run }]]);
    expect(answers).toEqual([{ request, kind: 'ran', run }]);
    expect(ignored).toEqual([]);
  });

  test('a run without an outcome is no answer yet', async () => {
    const running = sampleRun({ outcome: null, finishedMs: null });
    const { answers, looks } = await waited([[{ ...open, run: running }], [{ ...open, run: sampleRun() }]]);
    expect(answers[0]?.kind).toBe('ran');
    expect(looks).toBe(2);
  });

  test('a refusal and a fabric that was removed are answers', async () => {
    expect((await waited([[{ ...open, settled: true, refusal: 'paused' }]])).answers).toEqual([
      { request, kind: 'refused', refusal: 'paused' },
    ]);
    expect((await waited([[]])).answers).toEqual([{ request, kind: 'gone' }]);
  });

  test('a request that nobody takes up is told as ignored, and again while that comes to nothing', async () => {
    const { answers, ignored } = await waited([[open]], { timeoutMs: 10_000 });
    expect(ignored).toEqual(['7', '7', '7']);
    expect(answers).toEqual([{ request, kind: 'unanswered', running: false }]);
  });

  test('not while it is still being seen to', async () => {
    const seenTo = Promise.withResolvers<void>();
    const { ignored } = await waited([[open]], { timeoutMs: 10_000, seenTo: seenTo.promise });
    expect(ignored).toEqual(['7']);
  });

  test('one whose fabric a dead daemon still holds is ignored once its lease has ended', async () => {
    const leased = { ...open, leased: true };
    const { ignored } = await waited([...Array(40).fill([leased]), [open]], { timeoutMs: 40 * 150 + 3_150 });
    expect(ignored).toEqual(['7']);
  });

  test('one whose fabric is being run by somebody is not ignored, however long that takes', async () => {
    const { answers, ignored } = await waited([[{ ...open, leased: true }]], { timeoutMs: 10_000 });
    expect(ignored).toEqual([]);
    expect(answers).toEqual([{ request, kind: 'unanswered', running: true }]);
  });
});

describe('what trigger ends with', () => {
  const ran = (outcome: 'complete' | 'partial' | 'failed'): Answer => ({
    request,
    kind: 'ran',
    run: sampleRun({ outcome }),
  });
  const late: Answer = { request, kind: 'unanswered', running: true };
  const refused: Answer = { request, kind: 'refused', refusal: 'paused' };

  test.each([
    ['all complete', [ran('complete'), ran('complete')], 'done'],
    ['none complete', [ran('failed'), ran('partial')], 'failed'],
    ['some complete', [ran('complete'), ran('failed')], 'some_failed'],
    ['late beside complete', [ran('complete'), late], 'timed_out'],
    ['late beside failed', [ran('failed'), late], 'failed'],
    ['all refused', [refused, refused], 'refused'],
  ] as const)('%s', (_, answers, exit) => expect(exitOf(answers)).toBe(exit));

  test('a failure is told with its cause and with what to do', () => {
    const failure = { code: 'FORBIDDEN', message: 'may list nothing', hint: 'fabric-syncd rbac NAME' } as const;
    const failed: Answer = { request, kind: 'ran', run: sampleRun({ outcome: 'failed', failure }) };
    expect(answerLines(failed, (_, text) => text)).toEqual([
      'lab: failed in 200ms',
      '  may list nothing',
      '  fabric-syncd rbac lab',
    ]);
  });

  test('progress is a line a kind, when the kind is read', () => {
    const tiding = { type: 'progress', fabric: 'lab', fabric_id: '1', run: '5', kind: 'Switch', listed: 36 } as const;
    expect(progressLine({ ...tiding, done: false })).toBeNull();
    expect(progressLine({ ...tiding, done: true })).toBe('lab: 36 Switch');
  });
});
