import { describe, expect, test } from 'vitest';
import type {
  FabricDocument,
  FleetFabric,
  SpanDocument,
  TransitionDocument,
} from '../../../src/inspector/documents.ts';
import { flashMs, lastPath, pageAfter, pageFrom } from '../../../src/inspector/page/fabric-state.js';
import { countsByState, inOrderOfNames, rowsOf } from '../../../src/inspector/page/fleet-rows.js';
import { fleetAfter } from '../../../src/inspector/page/fleet-state.js';
import { spanRows } from '../../../src/inspector/page/span-rows.js';
import type { FabricView } from '../../../src/inspector/view.ts';

const at = (second: number) => `2026-01-02T00:00:${String(second).padStart(2, '0')}.000Z`;

const fabric = (id: string, more: Partial<FleetFabric> = {}) =>
  ({
    id,
    name: `fabric-${id}`,
    state: 'scheduled',
    path: 'scheduled.waiting',
    since: at(0),
    reason: null,
    sync_status: 'in_sync',
    sync_error: '',
    error_code: null,
    last_sync: at(1),
    due_at: at(30),
    objects: 5,
    last_run: null,
    ...more,
  }) as FleetFabric;

const step = (second: number, from: string, to: string): TransitionDocument => ({
  at: at(second),
  event: 'E',
  label: 'E',
  why: null,
  from,
  to,
  stayed_ms: null,
  late_ms: null,
  trace_id: null,
  run: null,
});

const told = (transition: TransitionDocument, id = '1') => ({
  type: 'transition' as const,
  message: {
    ...transition,
    fabric: `fabric-${id}`,
    fabric_id: id,
    state: transition.to.split('.')[0] as FabricView['state'],
  },
});

describe('rows of the fleet', () => {
  const all = { search: '', states: [], sort: 'name', down: false } as const;
  const fleet = inOrderOfNames([
    fabric('10'),
    fabric('9', { state: 'errored', sync_status: 'error', sync_error: 'the API answers 503', last_sync: null }),
    fabric('2', { state: 'backoff', sync_status: 'error', due_at: null, last_sync: at(20) }),
  ]);
  const ids = (wanted: Parameters<typeof rowsOf>[1]) => rowsOf(fleet, wanted).map(({ id }) => id);

  test('are in the order of their names, numbers by their value', () => expect(ids(all)).toEqual(['2', '9', '10']));
  test('are found by every word of the search, in any field that is shown', () => {
    expect(ids({ ...all, search: '503 FABRIC' })).toEqual(['9']);
    expect(ids({ ...all, search: '503 10' })).toEqual([]);
  });
  test('are filtered by state', () => expect(ids({ ...all, states: ['backoff', 'errored'] })).toEqual(['2', '9']));
  test('have the worst first by state, the oldest last by age, and what is not known after it', () => {
    expect(ids({ ...all, sort: 'state' })).toEqual(['9', '2', '10']);
    expect(ids({ ...all, sort: 'age' })).toEqual(['2', '10', '9']);
    expect(ids({ ...all, sort: 'due', down: true })).toEqual(['2', '9', '10']);
  });
  test('are counted by state', () => expect(countsByState(fleet)).toMatchObject({ errored: 1, backoff: 1, idle: 0 }));
});

describe('the fleet after a message', () => {
  const snapshot = { daemon: {}, parts: {}, fabrics: [fabric('1'), fabric('2')], orphan_timers: [] };
  const start = fleetAfter(null, { type: 'snapshot', message: snapshot as never }, true);

  test('a transition moves its fabric at once, and only the outer state has a new beginning', () => {
    const outer = fleetAfter(start, told(step(5, 'scheduled.waiting', 'locked.acquiring')), true);
    expect(outer?.fabrics.get('1')).toMatchObject({ state: 'locked', path: 'locked.acquiring', since: at(5) });
    const inner = fleetAfter(outer, told(step(6, 'locked.acquiring', 'locked.claiming')), true);
    expect(inner?.fabrics.get('1')).toMatchObject({ path: 'locked.claiming', since: at(5) });
    expect(start?.fabrics.get('1')?.state).toBe('scheduled');
  });

  test('a fabric comes, changes and goes', () => {
    const with3 = fleetAfter(start, { type: 'fabric', message: fabric('3') }, true);
    const renamed = fleetAfter(with3, { type: 'fabric', message: fabric('3', { name: 'a' }) }, true);
    expect([...(renamed?.fabrics.values() ?? [])].map(({ name }) => name)).toEqual(['a', 'fabric-1', 'fabric-2']);
    expect(fleetAfter(with3, { type: 'gone', message: { id: '1', name: 'fabric-1' } }, true)?.fabrics.size).toBe(2);
  });

  test('a snapshot that came while one fabric was listened to is not taken for the fleet', () => {
    const one = { ...snapshot, fabrics: [fabric('1')] };
    expect(fleetAfter(start, { type: 'snapshot', message: one as never }, false)?.whole).toBe(false);
    expect(start?.whole).toBe(true);
  });

  test('nothing is made up before a snapshot', () =>
    expect(fleetAfter(null, { type: 'fabric', message: fabric('3') }, true)).toBeNull());
});

describe('a fabric after a message', () => {
  const document = {
    fabric: fabric('1'),
    transitions: [step(1, 'idle', 'scheduled.waiting')],
    progress: null,
  } as unknown as FabricDocument;
  const page = pageFrom(document, null);

  test('transitions that come together light up one after the other, within bounds', () => {
    let after = page;
    for (let second = 2; second < 40; second++) after = pageAfter(after, told(step(second, 'a', `b${second}`)), 1_000);
    const delays = after.flashes.map(({ delayMs }) => delayMs);
    expect(delays.slice(0, 3)).toEqual([0, flashMs.apart, 2 * flashMs.apart]);
    expect(Math.max(...delays)).toBe(flashMs.heldBackMost);
  });

  test('one that is told twice is one', () => {
    const once = pageAfter(page, told(step(2, 'scheduled.waiting', 'locked.acquiring')), 0);
    expect(pageAfter(once, told(step(2, 'scheduled.waiting', 'locked.acquiring')), 5)).toBe(once);
  });

  test('what was told while a document was on its way is kept, what the document has is not doubled', () => {
    const ahead = pageAfter(page, told(step(9, 'scheduled.waiting', 'locked.acquiring')), 0);
    expect(pageFrom(document, ahead).transitions.map((one) => one.at)).toEqual([at(9), at(1)]);
    // It is not put back to where it was when the document was made.
    expect(pageFrom(document, ahead).document.fabric).toMatchObject({ state: 'locked', path: 'locked.acquiring' });
    expect(pageFrom(document, page).document.fabric).toMatchObject({ state: 'scheduled' });
    const newer = {
      ...document,
      transitions: [step(9, 'scheduled.waiting', 'locked.acquiring'), ...document.transitions],
    };
    expect(pageFrom(newer, ahead).transitions.map((one) => one.at)).toEqual([at(9), at(1)]);
  });

  test('of steps in one millisecond, the one that a document just missed is kept', () => {
    const both = [step(9, 'scheduled.arming', 'scheduled.waiting'), step(9, 'syncing.running', 'scheduled.arming')];
    const [latest, missed] = both as [TransitionDocument, TransitionDocument];
    const ahead = pageAfter(pageAfter(page, told(missed), 0), told(latest), 0);
    const late = { ...document, transitions: [missed, ...document.transitions] };
    expect(pageFrom(late, ahead).transitions.slice(0, 2)).toEqual(both);
    expect(pageFrom(late, ahead).document.fabric).toMatchObject({ path: 'scheduled.waiting' });
  });

  test('progress is that of the newest run', () => {
    const tell = (run: string, kind: string, listed: number) => ({
      type: 'progress' as const,
      message: { fabric: 'x', fabric_id: '1', run, kind, listed, done: false },
    });
    const first = pageAfter(pageAfter(page, tell('9', 'VPC', 1), 0), tell('9', 'VPC', 4), 0);
    expect(first.progress).toEqual({ run: '9', kinds: [{ kind: 'VPC', listed: 4, done: false }] });
    expect(pageAfter(first, tell('10', 'Switch', 2), 0).progress?.kinds).toHaveLength(1);
    const old = { ...document, progress: { run: '8', kinds: [] } };
    expect(pageFrom(old, first).progress?.run).toBe('9');
  });

  test('the last path goes from the rest that it left to where it is', () => {
    const steps = [
      step(5, 'syncing.running', 'scheduled.arming'),
      step(4, 'locked.claiming', 'syncing.running'),
      step(3, 'scheduled.waiting', 'locked.acquiring'),
      step(1, 'idle', 'scheduled.waiting'),
    ];
    const rests = (path: string) => /^(?:idle|scheduled)/.test(path);
    expect(lastPath(steps, rests).map(({ to }) => to)).toEqual([
      'locked.acquiring',
      'syncing.running',
      'scheduled.arming',
    ]);
    expect(lastPath([], rests)).toEqual([]);
  });
});

describe('the rows of a waterfall', () => {
  const span = (span_id: string, parent_span_id: string | null, start_ms: number) =>
    ({ span_id, parent_span_id, start_ms, duration_ms: 1 }) as SpanDocument;
  const shown = (spans: SpanDocument[]) => spanRows(spans).map(({ span: { span_id }, depth }) => `${depth}${span_id}`);

  test('stand below their parents, by their start', () =>
    expect(shown([span('c', 'a', 3), span('b', 'a', 2), span('d', 'b', 4), span('a', null, 1)])).toEqual([
      '0a',
      '1b',
      '2d',
      '1c',
    ]));
  test('lose nothing where a parent is not kept, or parents go in a circle', () => {
    expect(shown([span('b', 'gone', 2)])).toEqual(['0b']);
    expect(shown([span('a', 'b', 1), span('b', 'a', 2)])).toEqual(['0a', '1b']);
  });
});
