import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { diffText } from '../../src/cli/diff-text.ts';
import { manifestsText } from '../../src/cli/manifests.ts';
import { parseMoment } from '../../src/cli/moment.ts';
import { span, wholeSpan } from '../../src/cli/span.ts';
import { changeLines, redraw } from '../../src/cli/status-watch.ts';
import { differences, type Json } from '../../src/inspector/diff.ts';
import { statusView } from '../../src/inspector/view.ts';
import { nowMs, sampleRow, sampleRun } from '../inspector/sample.ts';

describe('spans', () => {
  test.each([
    [0, '0ms'],
    [999, '999ms'],
    [1_449, '1.4s'],
    [9_999, '9.9s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [200_000, '3m20s'],
    [7_500_000, '2h05m'],
    [792_000_000, '9d4h'],
    [-200_000, '-3m20s'],
  ])('%d ms are %s', (ms, text) => expect(span(ms)).toBe(text));

  test('in a table they are whole seconds', () => {
    expect([wholeSpan(999), wholeSpan(1_449), wholeSpan(61_000)]).toEqual(['0s', '1s', '1m01s']);
  });
});

describe('moments', () => {
  test.each([
    ['2h', 7_200_000],
    ['1h30m', 5_400_000],
  ])('%s is a length from now or ago', (text, ms) => {
    expect(parseMoment(text, nowMs, 1)).toBe(nowMs + ms);
    expect(parseMoment(text, nowMs, -1)).toBe(nowMs - ms);
  });

  test.each([
    ['2026-01-31T12:00Z', Date.UTC(2026, 0, 31, 12)],
    ['2026-01-31T12:00:05.250+02:00', Date.UTC(2026, 0, 31, 10, 0, 5, 250)],
    ['2026-01-31 12:00', Date.UTC(2026, 0, 31, 12)],
    ['2026-01-31', Date.UTC(2026, 0, 31)],
  ])('%s is a time, in UTC where no zone is given', (text, ms) => expect(parseMoment(text, nowMs, 1)).toBe(ms));

  test.each(['tomorrow', '', '12', '2026-13-01', '2026-01-31T25:00Z', '1e9h', '31.01.2026', '9999-01-01'])(
    '%j is refused with what would be right',
    (text) => expect(() => parseMoment(text, nowMs, 1)).toThrow(/no time that can be understood/),
  );
});

describe('manifests', () => {
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'Switch',
      metadata: { name: 'a', labels: { 'x/y': 'true' } },
      spec: {
        yes: 'yes',
        octal: '0755',
        version: '1.10',
        time: '12:30:00',
        date: '2026-01-02',
        bool: true,
        no: null,
        empty: '',
        text: 'two\nlines\n',
        tilde: '~',
        long: 'word '.repeat(60).trim(),
      },
    },
  ];

  test('yaml is a List that reads back as what was given', () => {
    expect(parse(manifestsText(objects, 'yaml'))).toEqual({ apiVersion: 'v1', kind: 'List', items: objects });
  });

  test('text that YAML 1.1 would take for something else reads back as text there too', () => {
    const { items } = parse(manifestsText(objects, 'yaml'), { version: '1.1' }) as { items: typeof objects };
    expect(items).toEqual(objects);
  });

  test('whatever an object holds, both readings give it back', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('on', 'NO', '0o7', '1_000', '.inf', '<<', '=', '190:20:30', '0b1'),
    );
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null))), (spec) => {
        const given = [{ spec: JSON.parse(JSON.stringify(spec)) as object }];
        for (const version of ['1.1', '1.2'] as const) {
          const read = parse(manifestsText(given, 'yaml'), { version }) as { items: object[] };
          expect(differences(given as unknown as Json, read.items as unknown as Json)).toEqual([]);
        }
      }),
    );
  });

  test('keys are in order, as kubectl prints them', () => {
    const [object] = objects;
    const yaml = manifestsText([{ spec: { b: 1, a: [{ d: 1, c: 1 }] }, ...object }], 'yaml');
    expect(
      yaml
        .match(/^ *(?:- )?(\w+):/gm)
        ?.slice(0, 5)
        .map((key) => key.replace(/[^\w]/g, '')),
    ).toEqual(['apiVersion', 'items', 'apiVersion', 'kind', 'metadata']);
    expect(manifestsText([{ z: 1, a: { c: 1, b: 1 } }], 'json')).toMatch(/"a"[\s\S]*"b"[\s\S]*"c"[\s\S]*"z"/);
  });

  test('objects that share a part are written whole, without anchors', () => {
    const shared = { a: 1 };
    expect(manifestsText([{ spec: shared }, { spec: shared }], 'yaml')).not.toMatch(/[&*]/);
  });
});

describe('the text of a diff', () => {
  const named = { group: 'g', version: 'v1', kind: 'Switch', namespace: 'default' };
  const options = { paint: (_: unknown, text: string) => text, fieldsMax: 2, namesMax: 1 };

  test('names what came and went, and tells each field with its path', () => {
    const { lines, leftOut } = diffText(
      [
        { ...named, name: 'a', change: 'created', differences: [] },
        { ...named, name: 'b', change: 'created', differences: [] },
        { ...named, name: 'c', namespace: 'fab', change: 'deleted', differences: [] },
        {
          ...named,
          name: 'd',
          change: 'updated',
          differences: differences({ a: 1, b: 2, c: 3 }, { a: 2, b: [], d: '\u001b[2J' }),
        },
      ],
      options,
    );
    expect(lines).toEqual([
      '+ Switch a created',
      '- Switch fab/c deleted',
      '~ Switch d updated',
      '    a: 1 → 2',
      '    b: 2 → []',
    ]);
    expect(leftOut).toBe(3);
  });

  test('nothing in a value steers the terminal', () => {
    const [, line] = diffText(
      [{ ...named, name: 'd', change: 'updated', differences: differences({ a: '\u001b[2J\u202e' }, {}) }],
      options,
    ).lines;
    expect(line).toBe('    a: - "\\u001b[2J\ufffd"');
  });
});

describe('status --watch', () => {
  const view = (...rows: Parameters<typeof sampleRow>[0][]) =>
    statusView({ rows: { nowMs, fabrics: rows.map(sampleRow) }, timers: { state: 'none' }, daemon: null, nowMs });

  test('into a pipe it tells every fabric once, and then only what changes', () => {
    const before = view({});
    expect(changeLines(null, before)).toEqual([
      '2026-01-02T03:04:05Z the daemon does not answer',
      '2026-01-02T03:04:05Z lab: scheduled, in_sync, run 12 complete 1/2/3',
    ]);
    expect(changeLines(before, view({ lastSyncMs: nowMs - 30_000 }))).toEqual([]);
    const failing = view({
      state: 'backoff',
      dueKind: 'retry',
      syncStatus: 'error',
      failure: { code: 'TIMED_OUT', message: 'no answer\u0007', hint: '' },
      lastRun: sampleRun({ runId: '13', outcome: 'failed' }),
    });
    expect(changeLines(before, failing)).toEqual([
      '2026-01-02T03:04:05Z lab: scheduled → backoff, error, run 13 failed, no answer\ufffd',
    ]);
    expect(changeLines(before, view())).toEqual(['2026-01-02T03:04:05Z lab: removed']);
  });

  test('a Postgres that goes away does not make fabrics gone', () => {
    const away = statusView({ rows: { problem: 'refused' }, timers: { state: 'none' }, daemon: null, nowMs });
    expect(changeLines(view({}), away)).toEqual(['2026-01-02T03:04:05Z Postgres does not answer']);
    expect(changeLines(away, view({}))[0]).toBe('2026-01-02T03:04:05Z Postgres answers again');
  });

  test('on a terminal what does not fit is counted, not scrolled away', () => {
    const drawn = redraw(['a', 'b', 'c', 'd'], 3);
    expect(drawn).toContain('a\u001b[K');
    expect(drawn).toContain('… 3 more lines');
    expect(drawn.split('\r\n')).toHaveLength(3);
  });
});
