// What a soak calls growth.

import { expect, test } from 'vitest';
import { judge } from './measures.ts';

const measure = { name: 'heap', unit: 'MiB', growthMax: 2 } as const;
const slope = { perHour: 0, plusMinus: 0, first: 100, last: 100, least: 100, most: 100 };

test('what grows faster than its bound, and surely, fails', () => {
  expect(judge(measure, { ...slope, perHour: 3, plusMinus: 1 }, true).verdict).toBe('grows');
});

test('what grows within its bound does not, however sure that is', () => {
  expect(judge(measure, { ...slope, perHour: 2, plusMinus: 0 }, true).verdict).toBe('flat');
});

test('what may as well shrink is not said to grow', () => {
  expect(judge(measure, { ...slope, perHour: 3, plusMinus: 3.1 }, true).verdict).toBe('flat');
});

test('of a short time no slope is judged, but what is too much at any moment is', () => {
  expect(judge(measure, { ...slope, perHour: 500, plusMinus: 1 }, false).verdict).toBe('unjudged');
  expect(judge({ ...measure, most: 99 }, slope, false).verdict).toBe('above');
});
