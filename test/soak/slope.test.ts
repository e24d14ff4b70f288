// The slope that a soak is judged by.

import { describe, expect, test } from 'vitest';
import { seededDice } from '../support/seeded-dice.ts';
import { slopeOf } from './slope.ts';

const minuteMs = 60_000;
const minutes = (count: number, value: (minute: number) => number) =>
  Array.from({ length: count }, (_, minute) => ({ atMs: minute * minuteMs, value: value(minute) }));

describe('a slope', () => {
  test('is the growth of an hour, and sure where nothing else moves', () => {
    const slope = slopeOf(minutes(61, (minute) => 100 + minute / 2));
    expect(slope?.perHour).toBeCloseTo(30, 6);
    expect(slope?.plusMinus).toBeCloseTo(0, 6);
    expect(slope).toMatchObject({ first: 100, last: 130, least: 100, most: 130 });
  });

  test('is nothing for what stays, however often one looks', () => {
    expect(slopeOf(minutes(500, () => 7))).toMatchObject({ perHour: 0, plusMinus: 0 });
  });

  test('holds the truth within its interval, under noise that is larger than what grew', () => {
    const held = Array.from({ length: 200 }, (_, seed) => {
      const dice = seededDice(seed + 1);
      const slope = slopeOf(minutes(61, (minute) => minute / 60 + 20 * dice.roll()));
      return slope !== null && Math.abs(slope.perHour - 1) <= slope.plusMinus;
    }).filter(Boolean).length;
    expect(held).toBeGreaterThan(180);
  });

  test('through the least of each stretch is not moved by what comes and goes, and is by what stays', () => {
    const busier = (minute: number) => (minute % 5 === 0 ? 10 : 10 + minute);
    expect(slopeOf(minutes(120, busier))?.perHour).toBeGreaterThan(30);
    expect(slopeOf(minutes(120, busier), 'least')).toMatchObject({ perHour: 0, plusMinus: 0 });
    const leaking = (minute: number) => busier(minute) + minute / 60;
    expect(slopeOf(minutes(120, leaking), 'least')?.perHour).toBeCloseTo(1, 1);
  });

  test('of two moments is a line through both, and nothing is sure of it', () => {
    expect(slopeOf(minutes(2, (minute) => minute))).toMatchObject({ plusMinus: Number.POSITIVE_INFINITY });
    expect(slopeOf(minutes(2, (minute) => minute))?.perHour).toBeCloseTo(60, 6);
  });

  test('of one moment is none', () => {
    expect(slopeOf(minutes(1, () => 1))).toBeNull();
    expect(slopeOf([])).toBeNull();
  });
});
