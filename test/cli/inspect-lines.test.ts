import { describe, expect, test } from 'vitest';
import { chartLines } from '../../src/cli/inspect/chart-lines.ts';
import { fabricLines } from '../../src/cli/inspect/fabric-lines.ts';
import { type FleetChoice, fleetLines, plotOf, shownFabrics } from '../../src/cli/inspect/fleet-lines.ts';
import { emptyModel, type Model, take } from '../../src/cli/inspect/model.ts';
import { displayWidth } from '../../src/cli/plain-text.ts';
import { formatIso } from '../../src/clock.ts';
import { machineDocument } from '../../src/inspector/chart.ts';
import type { FabricDocument, FleetDocument, FleetFabric, TransitionMessage } from '../../src/inspector/documents.ts';
import { statusView } from '../../src/inspector/view.ts';
import type { StatusRow } from '../../src/ports/operator.ts';
import { nowMs, sampleRow, sampleRun } from '../inspector/sample.ts';

const unpainted = (_: unknown, text: string) => text;
const screen = (width: number, height: number) => ({ width, height, paint: unpainted, nowMs, ourMs: nowMs });
const machine = machineDocument({ runDeadline: 300_000 });
const choice: FleetChoice = { chosen: null, filter: '', typing: false, sort: 'name' };
const parts: FleetDocument['parts'] = {
  daemon: { state: 'ok', problem: '', since: formatIso(nowMs) },
  postgres: { state: 'ok', problem: '', since: formatIso(nowMs) },
  redis: { state: 'ok', problem: '', since: formatIso(nowMs) },
};

const fabricsOf = (rows: readonly Partial<StatusRow>[]): FleetFabric[] =>
  statusView({
    rows: { nowMs, fabrics: rows.map((row) => sampleRow(row)) },
    timers: { state: 'none' },
    daemon: null,
    nowMs,
  }).fabrics.map((fabric) => ({
    ...fabric,
    path: `${fabric.state}.waiting`,
    since: formatIso(nowMs - 12_000),
    waits_for_slot: false,
    recent: [100, 200, 50].map((duration_ms, index) => ({ id: String(index), outcome: 'complete', duration_ms })),
  }));

const failing = {
  fabricId: '2',
  name: 'medium',
  state: 'backoff',
  dueKind: 'retry',
  dueAtMs: nowMs + 3_400,
  attempts: 3,
  failure: {
    code: 'SERVER_ERROR',
    message: 'medium (10.0.0.1): answered 503',
    hint: 'It is retried automatically.',
  },
  lastRun: sampleRun({ outcome: 'failed' }),
} as const;

const modelOf = (rows: readonly Partial<StatusRow>[] = [{}, failing]): Model => {
  const model = emptyModel();
  const data: FleetDocument = {
    id: 'a-1',
    at: formatIso(nowMs),
    daemon: {
      name: 'noc/4711/abc123',
      version: '0.1.0',
      pid: 4711,
      started_at: formatIso(nowMs - 3_600_000),
      slots: 10,
      control: false,
    },
    parts,
    fabrics: fabricsOf(rows),
    orphan_timers: [],
    disagreements: 0,
  };
  take(model, { event: 'snapshot', data }, nowMs);
  return model;
};

const moved: TransitionMessage = {
  fabric: 'lab',
  fabric_id: '1',
  state: 'locked',
  at: formatIso(nowMs),
  event: 'TIMER_DUE',
  label: 'TIMER_DUE',
  why: null,
  from: 'scheduled.waiting',
  to: 'locked.acquiring',
  stayed_ms: 58_000,
  late_ms: 2,
  trace_id: null,
  run: null,
};

describe('the fleet on a terminal', () => {
  test('reads well at 80 columns, with what to do about the fabric that is chosen', () => {
    const drawn = fleetLines(modelOf(), { ...choice, chosen: '2' }, screen(80, 24));
    expect(`\n${drawn.join('\n')}\n`).toMatchInlineSnapshot(`
      "
      noc/4711/abc123, version 0.1.0, up 1h
      2 fabrics: 1 scheduled, 1 backoff · by name

         FABRIC  STATE      SYNC     DUE IN  AGE  OBJECTS  +/~/-  LAST RUNS
         lab     scheduled  in_sync     40s  20s       36  1/2/3  ▅█▃
      ▸  medium  backoff    error        3s  20s       36      -  ▅█▃

        medium (10.0.0.1): answered 503 (try 3)
        It is retried automatically.

      ↑↓ choose · Enter open · / filter · s sort · q quit
      "
    `);
  });

  test.each([20, 40, 80, 200])('is never wider than %i columns, nor higher than the terminal', (width) => {
    const rows = Array.from({ length: 1_000 }, (_, index) => ({ fabricId: String(index), name: `fabric-${index}` }));
    for (const chosen of ['0', '500', '999']) {
      const drawn = fleetLines(modelOf(rows), { ...choice, chosen }, screen(width, 24));
      expect(drawn.length).toBeLessThan(24);
      expect(Math.max(...drawn.map(displayWidth))).toBeLessThanOrEqual(width);
      // The one that is chosen is in sight, wherever it is in the list.
      expect(drawn.filter((line) => line.startsWith('▸'))).toHaveLength(1);
    }
  });

  test('is filtered by name, state and error, and sorted by what needs a look', () => {
    const model = modelOf();
    const names = (more: Partial<FleetChoice>) => shownFabrics(model, { ...choice, ...more }).map(({ name }) => name);
    expect(names({ filter: 'BACK' })).toEqual(['medium']);
    expect(names({ filter: '503' })).toEqual(['medium']);
    expect(names({ filter: 'lab' })).toEqual(['lab']);
    expect(names({ sort: 'state' })).toEqual(['medium', 'lab']);
    expect(names({ sort: 'due' })).toEqual(['medium', 'lab']);
  });

  test('keeps what it knew when the daemon goes away, and says since when', () => {
    const model = modelOf();
    model.lost = { sinceMs: nowMs - 7_000, why: 'connect ENOENT' };
    const [head] = fleetLines(model, choice, screen(120, 24));
    expect(head).toBe('The daemon does not answer for 7s: connect ENOENT. What is shown is from before.');
  });

  test('names the part that is missing, and since when', () => {
    const model = modelOf();
    const redis = { state: 'missing', problem: 'connection refused', since: formatIso(nowMs - 65_000) } as const;
    take(model, { event: 'parts', data: { ...parts, redis } }, nowMs);
    expect(fleetLines(model, choice, screen(120, 24))).toContain(
      'Redis has been missing for 1m05s: connection refused',
    );
  });

  test('without Postgres no fabric may be known, which is not called none', () => {
    const model = modelOf([]);
    expect(fleetLines(model, choice, screen(80, 24))).toContain('No fabric is like that.');
    const postgres = { state: 'missing', problem: 'did not answer', since: formatIso(nowMs) } as const;
    take(model, { event: 'parts', data: { ...parts, postgres } }, nowMs);
    expect(fleetLines(model, choice, screen(80, 24))).toContain('Postgres has the fabrics, and does not answer.');
  });

  test('plots how long the last runs took, and marks those that failed', () => {
    const run = (outcome: string, duration_ms: number) => ({ id: '1', outcome, duration_ms });
    expect(plotOf({ recent: [run('complete', 10), run('failed', 10), run('complete', 80)] })).toBe('▂×█');
  });
});

describe('a fabric on a terminal', () => {
  const opened = (): FabricDocument => {
    const [fabric] = fabricsOf([{}]);
    if (!fabric) throw new Error('there is a fabric');
    return {
      at: formatIso(nowMs),
      parts,
      fabric,
      why: {
        code: 'scheduled',
        sentence: 'All is well: it is due in 40s.',
        live: { before: 'All is well: it is due in ', at: formatIso(nowMs + 40_000), after: '.' },
        hint: '',
      },
      settings: null,
      transitions: [{ ...moved, from: 'syncing.running', to: 'scheduled.waiting', label: 'runSync done' }, moved],
      progress: null,
      runs: fabric.last_run ? [{ ...fabric.last_run, trace_id: null }] : [],
      counts: {},
      quarantine: [],
      quarantined: 0,
      acts: [],
    };
  };

  test('shows the statechart with the present state marked, where it came from, and what happened', () => {
    const model = modelOf([{}]);
    model.opened = opened();
    const { lines } = fabricLines(model, { machine, scrolled: 0 }, screen(80, 40));
    expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
      "
      lab (number 1)
      All is well: it is due in 40s.

        ○ idle
        ● scheduled  arming · [waiting]  for 12s
        ○ locked     acquiring · claiming · returning
        ◌ syncing    running · stopping  came from here
        ○ backoff    recording · arming · waiting
        ○ errored    recording · arming · waiting
        All is well; the next sync has a time.
        TIMER_DUE → locked · SYNC_REQUESTED → locked · PLAN → scheduled or backoff or
          errored or idle

      TIME          WHAT HAPPENED  FROM → TO                             STAYED  LATE
      03:04:05.000  runSync done   syncing.running → scheduled.waiting      58s   2ms
      03:04:05.000  TIMER_DUE      scheduled.waiting → locked.acquiring     58s   2ms

      RUN  STARTED               WHY   OUTCOME   LATE   TOOK  +/~/-  ERROR
       12  2026-01-02T03:03:45Z  sync  complete   2ms  200ms  1/2/3

      Esc back · ↑↓ scroll · q quit
      "
    `);
  });

  test('scrolls as far as there is something', () => {
    const model = modelOf([{}]);
    model.opened = { ...opened(), transitions: Array.from({ length: 40 }, () => moved) };
    const at = screen(80, 30);
    const { scrolledMax, lines } = fabricLines(model, { machine, scrolled: 0 }, at);
    expect(scrolledMax).toBeGreaterThan(20);
    expect(lines.length).toBeLessThan(30);
    const end = fabricLines(model, { machine, scrolled: 9_999 }, at);
    expect(end).toEqual(fabricLines(model, { machine, scrolled: scrolledMax }, at));
  });

  test('follows a transition at once, before its row is read again', () => {
    const model = modelOf([{}]);
    take(model, { event: 'transition', data: moved }, nowMs);
    expect(model.fabrics.get('1')).toMatchObject({ state: 'locked', path: 'locked.acquiring', since: moved.at });
  });

  test('names the parts that are missing, as the stream tells them or as its own document does', () => {
    const model = modelOf([{}]);
    const missing = (problem: string) => ({ state: 'missing', problem, since: formatIso(nowMs - 65_000) }) as const;
    model.opened = { ...opened(), parts: { ...parts, postgres: missing('did not answer') } };
    const drawn = () => fabricLines(model, { machine, scrolled: 0 }, screen(120, 40)).lines.slice(1, 3);
    expect(drawn()).toEqual(['Postgres has been missing for 1m05s: did not answer', 'All is well: it is due in 40s.']);
    model.opened = opened();
    take(model, { event: 'parts', data: { ...parts, redis: missing('connection refused') } }, nowMs);
    expect(drawn()[0]).toBe('Redis has been missing for 1m05s: connection refused');
    take(model, { event: 'parts', data: parts }, nowMs);
    expect(drawn()[0]).toBe('All is well: it is due in 40s.');
  });

  test('that was removed is said to be, and nothing of what it was', () => {
    const model = modelOf([{}, failing]);
    model.opened = opened();
    take(model, { event: 'gone', data: { id: '2', name: 'medium' } }, nowMs);
    expect(model.removed).toBeNull();
    take(model, { event: 'gone', data: { id: '1', name: 'lab' } }, nowMs);
    const { lines } = fabricLines(model, { machine, scrolled: 0 }, screen(80, 40));
    expect(lines).toEqual([
      'noc/4711/abc123, version 0.1.0, up 1h',
      '',
      'lab was removed: there is no such fabric any more.',
      '',
      'Esc to the fleet · q quit',
    ]);
  });

  test('shows the run in hand kind by kind', () => {
    const model = modelOf([{}]);
    const document = opened();
    model.opened = { ...document, fabric: { ...document.fabric, state: 'syncing' } };
    const common = { fabric: 'lab', fabric_id: '1', run: '13' };
    take(model, { event: 'progress', data: { ...common, kind: 'Switch', listed: 5, done: true } }, nowMs);
    take(model, { event: 'progress', data: { ...common, kind: 'VPC', listed: 500, done: false } }, nowMs);
    const { lines } = fabricLines(model, { machine, scrolled: 0 }, screen(80, 40));
    expect(lines).toContain('Run 13: Switch 5, VPC 500 …');
  });
});

describe('the statechart as text', () => {
  test.each(machine.states.map(({ path }) => path))('marks one state where the fabric is in %s, and fits', (path) => {
    const lines = chartLines(machine, { path, from: null, since: '12s' }, { width: 80, paint: unpainted });
    const marked = lines.filter((line) => line.includes('●'));
    expect(marked).toHaveLength(1);
    expect(marked[0]).toContain(path.split('.')[0]);
    const inner = path.split('.')[1];
    if (inner) expect(marked[0]).toContain(`[${inner}]`);
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(80);
  });
});
