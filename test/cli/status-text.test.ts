import { describe, expect, test } from 'vitest';
import { displayWidth } from '../../src/cli/plain-text.ts';
import { limit, statusText } from '../../src/cli/status-text.ts';
import { type StatusView, statusView, type ViewInput } from '../../src/inspector/view.ts';
import { nowMs, sampleRow, sampleRun } from '../inspector/sample.ts';

const unpainted = (_: unknown, text: string) => text;

const message = 'the API server at https://medium.example:6443 answered 503 to the list of Connections, after 3 pages';

const failing = {
  fabricId: '2',
  name: 'medium-fabric-of-the-second-site',
  state: 'backoff',
  dueKind: 'retry',
  dueAtMs: nowMs + 3_400,
  attempts: 3,
  syncStatus: 'error',
  syncError: `${message}. The API server failed.`,
  failure: {
    code: 'SERVER_ERROR',
    message,
    hint: 'The API server failed. It is retried automatically; see its log if it lasts.',
  },
  lastRun: sampleRun({ outcome: 'failed' }),
} as const;

const input: ViewInput = {
  rows: { nowMs, fabrics: [sampleRow(), sampleRow(failing)] },
  timers: {
    state: 'answers',
    timers: [
      { fabricId: '1', kind: 'sync', dueAtMs: nowMs + 40_000, showsAtMs: nowMs + 40_000, traceparent: null },
      { fabricId: '2', kind: 'retry', dueAtMs: nowMs + 3_400, showsAtMs: nowMs + 3_400, traceparent: null },
    ],
  },
  daemon: null,
  nowMs,
};

const lines = (view: StatusView, width: number | null) => statusText(view, { width, paint: unpainted });

describe('status on a terminal', () => {
  test('reads well at 80 columns', () => {
    expect(`\n${lines(statusView(input), 80).join('\n')}\n`).toMatchInlineSnapshot(`
      "
      Postgres answers · Redis answers, 2 timers · no daemon answers here

      FABRIC                STATE      SYNC     DUE IN  LAST SYNC  AGE  OBJECTS  +/~/-
      lab                   scheduled  in_sync     40s  03:03:45   20s       36  1/2/3
      medium-fabric-of-th…  backoff    error        3s  03:03:45   20s       36      -

      medium-fabric-of-the-second-site: the API server at https://medium.example:6443
        answered 503 to the list of Connections, after 3 pages (try 3)
        The API server failed. It is retried automatically; see its log if it lasts.
      "
    `);
  });

  test('is never wider than the terminal, which gets fewer columns when it is narrow', () => {
    for (const width of [120, 80, 60, 44]) {
      for (const line of lines(statusView(input), width)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }
    const narrow = lines(statusView(input), 48).join('\n');
    expect(narrow).toContain('STATE');
    expect(narrow).not.toContain('LAST SYNC');
  });

  test('into a pipe it keeps whole names and whole errors', () => {
    const piped = lines(statusView(input), null);
    expect(piped.some((line) => line.startsWith('medium-fabric-of-the-second-site  backoff'))).toBe(true);
    expect(piped).toContain(`medium-fabric-of-the-second-site: ${message} (try 3)`);
  });

  test('says what disagrees between Redis and Postgres, and who repairs it', () => {
    const text = lines(statusView({ ...input, timers: { state: 'answers', timers: [] } }), 80).join('\n');
    expect(text).toContain('its timer is missing in Redis (due 2026-01-02T03:04:45Z)');
    expect(text).toContain('disagree on 2 timers; repair it: fabric-syncd bootstrap.');
  });

  test('says which part does not answer and goes on with the rest', () => {
    const redisDown = lines(statusView({ ...input, timers: { state: 'unavailable', problem: 'refused' } }), 80).join(
      '\n',
    );
    expect(redisDown).toContain('Redis does not answer');
    expect(redisDown).toContain('in_sync');
    const bothDown = lines(statusView({ ...input, rows: { problem: 'connection refused' } }), 80).join('\n');
    expect(bothDown).toContain('Postgres: connection refused. Nothing else can be said.');
    const named = lines(statusView({ ...input, rows: { problem: 'Postgres did not answer' } }), 80).join('\n');
    expect(named).toContain('\nPostgres did not answer. Nothing else can be said.');
  });

  test('without a fabric it says how to add one', () => {
    const text = lines(statusView({ ...input, rows: { nowMs, fabrics: [] }, timers: { state: 'none' } }), 80).join(
      '\n',
    );
    expect(text).toContain('fabric-syncd fabric add NAME');
  });
});

describe('limit', () => {
  test('breaks at blanks, sets the rest in, and loses no word', () => {
    expect(limit('lab: one two three', 10)).toEqual(['lab: one', '  two', '  three']);
    expect(limit('short', 10)).toEqual(['short']);
  });

  test('a word wider than the terminal is cut, and what steers a terminal is made visible', () => {
    expect(limit('aaaaaaaaaaaaaaa', 8)).toEqual(['aaaaaaa…']);
    expect(limit('a\u001b[2Jb', null)).toEqual(['a\ufffd[2Jb']);
  });
});
