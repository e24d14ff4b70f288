// The judge of what the fabrics saw, over histories that were made up: it acquits what is right and convicts what is not.

import { describe, expect, test } from 'vitest';
import { type Asked, type Held, type ReadsEvidence, readFaults } from './reads.ts';

const request = (client: string | null, atMs: number, kind: string | null = 'VPC', fabric = 'lab'): Asked => ({
  ...{ fabric, client, atMs, kind, url: `/apis/x/${kind}` },
});
const run = (runId: string, daemon: string, fromMs: number, toMs: number | null, more: Partial<Held> = {}): Held => ({
  ...{ fabric: 'lab', runId, daemon, fromMs, toMs, isFenced: false, claims: { requests: 2, kinds: ['VPC', 'Switch'] } },
  ...more,
});
const failed = { claims: null };

/** One after the other reads it whole. */
const right: ReadsEvidence = {
  asked: [
    request('one', 1_000),
    request('one', 1_040, 'Switch'),
    request('two', 5_000),
    request('two', 5_030, 'Switch'),
  ],
  held: [run('1', 'one', 990, 1_100), run('2', 'two', 4_990, 5_100)],
  ...{ stood: [], hearsWithinMs: 1_000, wireMs: 200 },
};
const judged = (more: Partial<ReadsEvidence>) => readFaults({ ...right, ...more });

describe('what the fabrics saw and what was run', () => {
  test('fit where each reads in its own run', () => {
    expect(judged({})).toEqual([]);
  });

  test('fit where a run failed early, a process asked twice, and another fabric is read meanwhile', () => {
    const asked = [...right.asked, request('one', 1_060, 'Switch'), request('two', 1_010, 'VPC', 'other')];
    const held = [
      ...right.held,
      run('3', 'one', 2_000, 2_900, failed),
      run('4', 'two', 1_005, 1_200, { fabric: 'other', claims: { requests: 1, kinds: ['VPC'] } }),
    ];
    expect(judged({ asked, held })).toEqual([]);
  });

  test('a request of a daemon that never claimed the fabric is a fault', () => {
    expect(judged({ asked: [...right.asked, request('three', 3_000)] })).toEqual([
      expect.stringMatching(/^three asked lab .* in no run of it$/),
    ]);
  });

  test('a request before the claim is a fault, and so is one with a token that is nobody’s', () => {
    expect(judged({ asked: [...right.asked, request('one', 900)] })).toHaveLength(1);
    expect(judged({ asked: [...right.asked, request(null, 1_010)] })).toHaveLength(1);
  });

  test('a request after the end of its run is a fault, and a wire’s length is excused', () => {
    expect(judged({ asked: [...right.asked, request('one', 1_250)] })).toEqual([]);
    expect(judged({ asked: [...right.asked, request('one', 1_350)] })).toEqual([
      expect.stringMatching(/250 ms after the end of its run 1$/),
    ]);
  });

  test('two who read a fabric at once are a fault, whatever the rows say of their runs', () => {
    const asked = [...right.asked, request('one', 5_010)];
    const held = [run('1', 'one', 990, null), ...right.held.slice(1)];
    expect(judged({ asked, held })).toEqual([
      expect.stringMatching(/^one asked lab .* while two was reading it in run 2$/),
    ]);
  });

  test('who stood still may say one more word as it goes on, and none later', () => {
    const late = (atMs: number) => ({
      asked: [...right.asked, request('one', atMs)],
      stood: [{ daemon: 'one', fromMs: 1_050, toMs: 5_005 }],
    });
    expect(judged(late(5_020))).toEqual([]);
    expect(judged(late(5_300))).toHaveLength(1);
    expect(judged({ ...late(5_020), stood: [{ daemon: 'two', fromMs: 1_050, toMs: 5_005 }] })).not.toEqual([]);
  });

  test('a run that was cut off from outside may go on until it hears of it, and not longer', () => {
    const cut = (atMs: number) => ({
      asked: [request('one', 4_000), request('one', atMs), ...right.asked.slice(2)],
      held: [run('1', 'one', 3_990, 4_200, { ...failed, isFenced: true }), ...right.held.slice(1)],
    });
    expect(judged(cut(5_010))).toEqual([]);
    expect(judged(cut(5_500))).toEqual([expect.stringMatching(/after the end of its run 1$/)]);
  });

  test('a run that claims requests which no fabric saw is a fault', () => {
    expect(judged({ asked: right.asked.slice(1) })).toEqual([
      'run 1 of lab by one counts 2 requests, and the fabric saw 1',
    ]);
    expect(judged({ held: [...right.held, run('3', 'one', 7_000, 7_100)] })).toEqual([
      'run 3 of lab by one counts 2 requests, and the fabric saw 0',
    ]);
    expect(
      judged({ held: [...right.held, run('3', 'one', 7_000, 7_100, { claims: { requests: 0, kinds: [] } })] }),
    ).toEqual(['run 3 of lab by one says that it read everything, with no request']);
  });

  test('a run that says it listed a kind which nobody asked for is a fault', () => {
    const asked = right.asked.map((one) => (one.kind === 'Switch' ? { ...one, kind: null } : one));
    expect(judged({ asked })).toEqual([
      'run 1 of lab by one says that it listed Switch, which nobody asked for',
      'run 2 of lab by two says that it listed Switch, which nobody asked for',
    ]);
  });
});
