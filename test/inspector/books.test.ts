// What the daemon remembers for who looks later: transitions, lateness, repairs; and the chart itself.

import { describe, expect, test } from 'vitest';
import { fabricMachine } from '../../machines/fabric/machine.ts';
import type { Tiding } from '../../src/admin/tidings.ts';
import { eventWords, machineDocument } from '../../src/inspector/chart.ts';
import { Lateness } from '../../src/inspector/lateness.ts';
import { Parts } from '../../src/inspector/parts.ts';
import { jaegerUrl, traceIdOf } from '../../src/inspector/recent-traces.ts';
import { Repairs } from '../../src/inspector/repairs.ts';
import { Timeline } from '../../src/inspector/timeline.ts';
import { handClock } from '../support/hand-clock.ts';

const moved = (
  fabricId: string,
  from: string,
  to: string,
  event = 'PLAN',
): Extract<Tiding, { type: 'transition' }> => ({
  type: 'transition',
  fabric: `lab-${fabricId}`,
  fabric_id: fabricId,
  at: '2026-01-02T03:04:05.000Z',
  event,
  from,
  to,
  state: 'scheduled',
  why: event === 'PLAN' ? 'ann@noc: paused' : null,
  run: null,
  trace_id: null,
  late_ms: null,
});

describe('the timeline', () => {
  test('tells how long each state lasted, the newest first', () => {
    const clock = handClock();
    const timeline = new Timeline(clock);
    timeline.moved(moved('1', 'idle', 'scheduled.arming'));
    clock.advance(40);
    timeline.moved(moved('1', 'scheduled.arming', 'scheduled.waiting', 'xstate.done.actor.0.fabric.scheduled.arming'));
    expect(timeline.transitions('1').map(({ to, label, why, stayed_ms }) => [to, label, why, stayed_ms])).toEqual([
      ['scheduled.waiting', 'armTimer done', null, 40],
      ['scheduled.arming', 'PLAN', 'ann@noc: paused', null],
    ]);
    expect(timeline.transitions('2')).toEqual([]);
  });

  test('keeps a bounded number, fewer of each where there are many fabrics', () => {
    const timeline = new Timeline(handClock());
    for (let i = 0; i < 500; i++) timeline.moved(moved('1', 'a', 'b'));
    expect(timeline.transitions('1')).toHaveLength(200);
    for (let fabric = 0; fabric < 5_000; fabric++) timeline.moved(moved(`f${fabric}`, 'a', 'b'));
    timeline.moved(moved('1', 'a', 'b'));
    expect(timeline.transitions('1').length).toBeLessThanOrEqual(20);
  });

  test('has the progress of the last run alone, and nothing of fabrics that are gone', () => {
    const timeline = new Timeline(handClock());
    const progress = (run: string, kind: string, listed: number, done: boolean) =>
      timeline.progressed({ type: 'progress', fabric: 'lab', fabric_id: '1', run, kind, listed, done });
    progress('7', 'Switch', 3, true);
    progress('8', 'Switch', 1, false);
    progress('8', 'VPC', 2, false);
    progress('8', 'Switch', 5, true);
    expect(timeline.progress('1')).toEqual({
      run: '8',
      kinds: [
        { kind: 'Switch', listed: 5, done: true },
        { kind: 'VPC', listed: 2, done: false },
      ],
    });
    timeline.keepOnly(new Set(['2']));
    expect(timeline.progress('1')).toBeNull();
  });
});

describe('lateness', () => {
  test('counts each run in one bucket, and names values that were measured', () => {
    const lateness = new Lateness();
    for (const ms of [-3, 0, 1, 4.9, 5, 250_000]) lateness.add(ms);
    const { runs, p50_ms, p99_ms, max_ms, buckets } = lateness.document();
    expect([runs, p50_ms, p99_ms, max_ms]).toEqual([6, 1, 250_000, 250_000]);
    expect(buckets.reduce((sum, bucket) => sum + bucket.runs, 0)).toBe(6);
    expect(
      buckets.filter((bucket) => bucket.runs > 0).map(({ from_ms, to_ms, runs }) => [from_ms, to_ms, runs]),
    ).toEqual([
      [0, 1, 2],
      [1, 2, 1],
      [2, 5, 1],
      [5, 10, 1],
      [60_000, null, 1],
    ]);
  });

  test('forgets the oldest, and says nothing before the first', () => {
    const lateness = new Lateness();
    expect(lateness.document()).toMatchObject({ runs: 0, p50_ms: null, max_ms: null });
    lateness.add(60_000);
    for (let i = 0; i < 1_000; i++) lateness.add(1);
    expect(lateness.document()).toMatchObject({ runs: 1_000, max_ms: 1 });
  });
});

test('repairs are counted, the last of them told, and arming at the start is none', () => {
  const repairs = new Repairs(0);
  const found = { fabrics: 3, interrupted: 0, resumed: 0, rearmed: 3, cancelled: 0 };
  repairs.add(found, 'start', 0);
  repairs.add({ ...found, rearmed: 0 }, 'sweep', 1_000);
  repairs.add({ ...found, rearmed: 2, cancelled: 1 }, 'redis changed', 2_000);
  expect(repairs.document()).toEqual({
    since: '1970-01-01T00:00:00.000Z',
    passes: 3,
    rearmed: 2,
    cancelled: 1,
    interrupted: 0,
    resumed: 0,
    last: [
      { at: '1970-01-01T00:00:02.000Z', why: 'redis changed', rearmed: 2, cancelled: 1, interrupted: 0, resumed: 0 },
    ],
  });
  for (let i = 0; i < 100; i++) repairs.add(found, 'sweep', i);
  expect(repairs.document().last).toHaveLength(50);
});

test('a part is missing since it went away, however often that is said', () => {
  const parts = new Parts(0, 'used');
  expect(parts.note('redis', { problem: 'it refuses' }, 1_000)).toBe(true);
  expect(parts.note('redis', { problem: 'it hangs' }, 2_000)).toBe(false);
  expect(parts.document().redis).toEqual({
    state: 'missing',
    problem: 'it refuses',
    since: '1970-01-01T00:00:01.000Z',
  });
  expect(parts.note('redis', null, 3_000)).toBe(true);
  expect(new Parts(0, 'none').document().redis.state).toBe('none');
});

describe('the chart', () => {
  const chart = machineDocument({ runDeadline: 300_000 });

  test('has every state of the machine, with what it says of itself', () => {
    const outer = chart.states.filter(({ parent }) => parent === null).map(({ path }) => path);
    expect(outer).toEqual(Object.keys(fabricMachine.config.states ?? {}));
    expect(chart.initial).toBe('idle');
    for (const path of outer) expect(chart.states.find((state) => state.path === path)?.description).not.toBe('');
    expect(chart.states.find(({ path }) => path === 'syncing')).toMatchObject({
      initial: 'syncing.running',
      invokes: ['keepLease'],
    });
    expect(chart.states.find(({ path }) => path === 'syncing.running')?.after).toEqual([
      { delay: 'runDeadline', ms: 300_000 },
    ]);
  });

  test('each of its transitions leads from a state that is there to one that is there', () => {
    const paths = new Set(chart.states.map(({ path }) => path));
    for (const { from, to, label, kind } of chart.transitions) {
      expect(paths).toContain(from);
      if (to !== null) expect(paths).toContain(to);
      expect(label === '', `${from} ${label}`).toBe(kind === 'always');
      expect(label).not.toContain('xstate');
    }
    expect(chart.transitions).toContainEqual({
      from: 'syncing.running',
      to: 'errored',
      event: 'xstate.error.actor.0.fabric.syncing.running',
      label: 'runSync failed',
      kind: 'failed',
      guards: ['needsPerson'],
      actions: ['noteFailure', 'countAttempt', 'restInErrored'],
    });
  });

  test.each([
    ['TIMER_DUE', 'TIMER_DUE', 'event'],
    ['xstate.done.actor.0.fabric.locked.claiming', 'makeClaim done', 'done'],
    ['xstate.after.runDeadline.fabric.syncing.running', 'after runDeadline', 'after'],
    ['', '', 'always'],
  ])('the event "%s" is "%s" for people', (type, label, kind) => {
    expect(eventWords(type)).toEqual({ label, kind });
  });
});

test('a trace is named by its traceparent, and linked to where it is kept', () => {
  const id = '0af7651916cd43dd8448eb211c80319c';
  expect(traceIdOf(`00-${id}-b7ad6b7169203331-01`)).toBe(id);
  for (const none of [null, undefined, '', id, `00-${'0'.repeat(32)}-b7ad6b7169203331-01`])
    expect(traceIdOf(none)).toBeNull();
  expect(jaegerUrl(null, id)).toBeNull();
  expect(jaegerUrl('http://jaeger:16686/', id)).toBe(`http://jaeger:16686/trace/${id}`);
  expect(jaegerUrl('http://x/?t={trace_id}', id)).toBe(`http://x/?t=${id}`);
});
