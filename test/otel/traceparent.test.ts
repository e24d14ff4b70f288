import { describe, expect, test } from 'vitest';
import { readTraceparent, writeTraceparent } from '../../otel/traceparent.ts';

const line = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a traceparent', () => {
  test('is read as it was written', () => {
    const found = readTraceparent(line);
    expect(found).toEqual({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 1,
      isRemote: true,
    });
    expect(found && writeTraceparent(found)).toBe(line);
  });

  test.each([
    ['of a later version may say more', `01${line.slice(2)}-more`, true],
    ['of this version may not', `${line}-more`, false],
    ['of the version that there will never be', `ff${line.slice(2)}`, false],
    ['without a trace', line.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)), false],
    ['without a span', line.replace('b7ad6b7169203331', '0'.repeat(16)), false],
    ['in capitals', line.toUpperCase(), false],
    ['cut short', line.slice(0, -1), false],
    ['of something else', "'; drop table fabric", false],
    ['of nothing', '', false],
  ])('%s', (_, text, isOne) => {
    expect(readTraceparent(text) !== null).toBe(isOne);
  });

  test('that was not sampled stays so', () => {
    expect(readTraceparent(line.replace(/01$/, '00'))?.traceFlags).toBe(0);
  });
});
