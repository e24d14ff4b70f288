import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cut, displayWidth, plain } from '../../src/cli/plain-text.ts';
import { type Column, formatTable } from '../../src/cli/table.ts';

const unpainted = { paint: (_: string, text: string) => text };

describe('plain text', () => {
  test('is one line in which nothing steers a terminal', () => {
    expect(plain('a\tb\r\nc')).toBe('a b c');
    expect(plain('\u001b]0;title\u0007\u009b31m\u202e\ufeff')).toBe('�]0;title��31m��');
  });

  test('of any kind never keeps a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        expect(plain(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
      }),
    );
  });

  test('is measured in columns', () => {
    expect(displayWidth('leaf-01')).toBe(7);
    expect(displayWidth('日本')).toBe(4);
    expect(displayWidth('e\u0301')).toBe(1);
    expect(displayWidth('🚀!')).toBe(3);
  });

  test('is cut with a mark, and never through a character', () => {
    expect(cut('leaf-01', 7)).toBe('leaf-01');
    expect(cut('leaf-01', 5)).toBe('leaf…');
    expect(cut('日本語', 4)).toBe('日…');
    expect(cut('leaf', 0)).toBe('');
  });
});

describe('a table', () => {
  const columns: readonly Column[] = [
    { title: '#', align: 'right' },
    { title: 'NAME', widthMin: 4 },
    { title: 'ERROR', widthMin: 6 },
  ];
  const rows = [
    [1, 'lab', null],
    [12, 'a much longer name', 'the certificate has expired'],
  ];

  test('aligns its columns and leaves no blanks at the end of a line', () => {
    expect(formatTable(columns, rows, { ...unpainted, widthMax: null })).toEqual([
      ' #  NAME                ERROR',
      ' 1  lab                 -',
      '12  a much longer name  the certificate has expired',
    ]);
  });

  test('shrinks what may shrink, the widest first', () => {
    expect(formatTable(columns, rows, { ...unpainted, widthMax: 34 })).toEqual([
      ' #  NAME            ERROR',
      ' 1  lab             -',
      '12  a much longer…  the certifica…',
    ]);
  });

  test('of any content is never wider than the terminal', () => {
    const cell = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.constant(null));
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell)), fc.integer({ min: 1, max: 120 }), (many, widthMax) => {
        for (const line of formatTable(columns, many, { ...unpainted, widthMax })) {
          expect(displayWidth(line)).toBeLessThanOrEqual(widthMax);
        }
      }),
    );
  });

  test('shows data, not what data would do to a terminal', () => {
    const [, line] = formatTable(columns, [[1, '\u001b[2Jlab\nx', '']], { ...unpainted, widthMax: null });
    expect(line).toBe('1  �[2Jlab x');
  });
});
