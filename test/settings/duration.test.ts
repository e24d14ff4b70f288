import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, formatSize, NotReadable, parseDuration, parseSize } from '../../src/duration.ts';

describe('times', () => {
  test.each([
    ['0', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['1d1h1m1s1ms', 90_061_001],
    ['1.5s', 1_500],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    '',
    ' ',
    '30',
    '30 s',
    's',
    '-5s',
    '+5s',
    '5S',
    '1m1h',
    '5s5s',
    '1e3s',
    '5weeks',
    '99999999999999d',
    '５s',
  ])('%j is none', (text) => {
    expect(() => parseDuration(text)).toThrow(NotReadable);
  });

  test('what is written is read back as the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 * 86_400_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
    expect(formatDuration(90_000)).toBe('1m30s');
    expect(formatDuration(0)).toBe('0');
  });
});

describe('sizes', () => {
  test.each([
    ['1B', 1],
    ['512KiB', 524_288],
    ['64MiB', 67_108_864],
    ['1GiB', 1_073_741_824],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
    expect(formatSize(bytes)).toBe(text);
  });

  test.each(['', '64', '64MB', '64M', '-1B', '1.5MiB', 'MiB', '9999999999999999GiB'])('%j is none', (text) => {
    expect(() => parseSize(text)).toThrow(NotReadable);
  });
});
