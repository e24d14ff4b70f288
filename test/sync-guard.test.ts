// What waits for a person's word: many deletions, and another cluster.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Approval, StagedObject } from '../src/ports/store.ts';
import { judgeClusterUid, judgeDeletions, judgeObjects, type KindAbsence, type Occasion } from '../src/sync/guard.ts';

const usual = { share: 0.2, count: 10 };
const occasion = (approval: Approval | null = null, approved = false, runId = 'run-9'): Occasion => ({
  runId,
  nowMs: 1000,
  approval,
  approved,
});

const kind = (label: string, stored: number, gone: number): KindAbsence => ({
  label,
  stored,
  absent: Array.from({ length: gone }, (_, at) => `${label}-${at}`),
});

const judge = (kinds: readonly KindAbsence[], on: Occasion = occasion(), settings = usual) =>
  judgeDeletions(kinds, settings, on);

describe('deletions', () => {
  test.each([
    ['none', [kind('Switch', 64, 0)]],
    ['ten of ten: no more than the count', [kind('Switch', 10, 10)]],
    ['a lab’s last ten of 36', [kind('Switch', 10, 10), kind('Server', 26, 0)]],
    ['100 of 500: no more than the share', [kind('Server', 120, 0), kind('Connection', 380, 100)]],
    ['60 of 110 attachments of a fabric of 500', [kind('VPCAttachment', 110, 60), kind('Connection', 390, 0)]],
    ['2,000 of 10,000', [kind('Connection', 5000, 2000), kind('Server', 5000, 0)]],
    ['nothing of a fabric that has nothing', []],
  ])('go ahead: %s', (_what, kinds) => {
    const { allowed, held } = judge(kinds);
    expect(held).toBeNull();
    expect(allowed).toEqual(new Set(kinds.flatMap(({ absent }) => absent)));
  });

  test.each([
    ['a lab of 36 that is suddenly empty', [kind('Switch', 10, 10), kind('Server', 26, 26)]],
    ['3,680 Connections that are suddenly gone', [kind('Connection', 3680, 3680), kind('Server', 6320, 0)]],
    ['the last of 167 peerings, 2 % of the fabric', [kind('VPCPeering', 167, 167), kind('Server', 9833, 0)]],
    ['the last eleven of a kind', [kind('SwitchGroup', 11, 11), kind('Server', 989, 0)]],
    ['101 of 500', [kind('Server', 120, 0), kind('Connection', 380, 101)]],
    ['a few of each kind, too many in all', [kind('A', 12, 5), kind('B', 12, 5), kind('C', 12, 5)]],
  ])('wait, all of them: %s', (_what, kinds) => {
    const { allowed, held } = judge(kinds);
    expect(allowed.size).toBe(0);
    expect(held).toMatchObject({ kind: 'deletions', runId: 'run-9', sinceMs: 1000 });
    expect(held?.resources).toEqual(kinds.flatMap(({ absent }) => absent));
    expect(held?.of).toBe(kinds.reduce((sum, { stored }) => sum + stored, 0));
  });

  test('are counted by kind for the person who is asked, kinds that lose nothing left out', () => {
    const { held } = judge([kind('Switch', 20, 0), kind('Server', 20, 12), kind('VPC', 9, 9)]);
    expect(held?.deletions).toEqual({ Server: 12, VPC: 9 });
  });

  test('always wait where the settings say so, and never where the share is everything', () => {
    expect(judge([kind('Switch', 1000, 1)], occasion(), { share: 0, count: 0 }).held).not.toBeNull();
    expect(judge([kind('Switch', 1000, 1000)], occasion(), { share: 1, count: 10 }).held).toBeNull();
  });
});

describe('an approval of deletions', () => {
  const forty = judge([kind('Connection', 100, 40)]).held;
  if (!forty) throw new Error('forty of a hundred have to wait');

  test('lets exactly those go that were shown', () => {
    const { allowed, held } = judge([kind('Connection', 100, 40)], occasion(forty, true));
    expect(held).toBeNull();
    expect(allowed).toEqual(new Set(forty.resources));
  });

  test('that nobody gave yet lets nothing go, and stays the one that was shown', () => {
    const { allowed, held } = judge([kind('Connection', 100, 40)], occasion(forty, false, 'run-10'));
    expect(allowed.size).toBe(0);
    expect(held).toBe(forty);
  });

  test('does not cover what was lost since: that waits again', () => {
    const { allowed, held } = judge([kind('Connection', 100, 80)], occasion(forty, true, 'run-10'));
    expect(allowed).toEqual(new Set(forty.resources));
    expect(held).toMatchObject({ runId: 'run-10', deletions: { Connection: 40 }, of: 60 });
    expect(held?.resources.some((resource) => forty.resources.includes(resource))).toBe(false);
  });

  test('leaves a few more to the usual rule', () => {
    const { allowed, held } = judge([kind('Connection', 100, 45)], occasion(forty, true));
    expect(held).toBeNull();
    expect(allowed.size).toBe(45);
  });

  test('does not bring back what is there again', () => {
    expect(judge([kind('Connection', 100, 3)], occasion(forty, true)).allowed.size).toBe(3);
  });

  test('that was given for another cluster covers no deletion', () => {
    const cluster: Approval = { kind: 'cluster', runId: 'run-1', sinceMs: 1, pinned: 'a', found: 'b' };
    expect(judge([kind('Connection', 100, 40)], occasion(cluster, true)).held).not.toBeNull();
  });

  test('more that is gone is asked anew, under the run that found it', () => {
    const { held } = judge([kind('Connection', 100, 41)], occasion(forty, false, 'run-10'));
    expect(held).toMatchObject({ runId: 'run-10', deletions: { Connection: 41 } });
  });
});

test('whatever is gone and whatever was approved: each absence goes or waits, and never both', () => {
  const kinds = fc.uniqueArray(
    fc.record({ label: fc.constantFrom('A', 'B', 'C', 'D'), stored: fc.nat(60), gone: fc.nat(60) }),
    { selector: ({ label }) => label },
  );
  fc.assert(
    fc.property(
      kinds,
      fc.nat(60),
      fc.boolean(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(20),
      (some, upTo, approved, share, count) => {
        const absences = some.map(({ label, stored, gone }) => kind(label, stored, Math.min(stored, gone)));
        const all = absences.flatMap(({ absent }) => absent);
        const covered = all.slice(0, upTo);
        const approval: Approval = {
          kind: 'deletions',
          runId: 'run-1',
          sinceMs: 1,
          deletions: {},
          of: 0,
          resources: covered,
        };
        const { allowed, held } = judgeDeletions(absences, { share, count }, occasion(approval, approved));
        expect([...allowed, ...(held?.resources ?? [])].toSorted()).toEqual(all.toSorted());
        if (approved) for (const resource of covered) expect(allowed.has(resource)).toBe(true);
        if (held) expect(held.resources.length).toBeGreaterThan(count);
      },
    ),
  );
});

describe('the cluster, by its uid', () => {
  test('is pinned where it can be read, and the same where it is the pinned one', () => {
    expect(judgeClusterUid({ clusterUid: null }, 'one', occasion())).toEqual({ kind: 'same', pin: 'one' });
    expect(judgeClusterUid({ clusterUid: 'one' }, 'one', occasion())).toEqual({ kind: 'same', pin: 'one' });
    expect(judgeClusterUid({ clusterUid: 'one' }, null, occasion())).toEqual({ kind: 'same', pin: null });
  });

  test('stops the run where it is another, and asks for exactly that one', () => {
    const verdict = judgeClusterUid({ clusterUid: 'one' }, 'two', occasion());
    const approval = { kind: 'cluster', runId: 'run-9', sinceMs: 1000, pinned: 'one', found: 'two' } as const;
    expect(verdict).toEqual({ kind: 'changed', approval });
    expect(judgeClusterUid({ clusterUid: 'one' }, 'two', occasion(approval, true))).toEqual({
      kind: 'same',
      pin: 'two',
    });
    expect(judgeClusterUid({ clusterUid: 'one' }, 'three', occasion(approval, true))).toMatchObject({
      kind: 'changed',
      approval: { found: 'three' },
    });
  });

  test('asks the same question until it is answered', () => {
    const first = judgeClusterUid({ clusterUid: 'one' }, 'two', occasion());
    if (first.kind !== 'changed') throw new Error('it is another');
    const again = judgeClusterUid({ clusterUid: 'one' }, 'two', occasion(first.approval, false, 'run-10'));
    expect(again).toEqual({ kind: 'changed', approval: first.approval });
  });
});

describe('the cluster, by its objects', () => {
  const staged = (uid: string, creationTimestamp: string | null = '2026-01-01T00:00:00Z') =>
    ({ uid, creationTimestamp }) as StagedObject;
  const strangers = {
    stored: 3,
    sameUid: 0,
    storedUids: ['s2', 's1', 's3'],
    staged: [staged('n2', '2026-01-02T00:00:00Z'), staged('n1', '2026-01-01T00:00:00Z')],
  };

  test('is another where of three stored objects none is met again', () => {
    expect(judgeObjects({ clusterUid: null }, null, strangers, occasion())).toMatchObject({
      kind: 'changed',
      approval: { pinned: 'objects:s1', found: 'objects:n1' },
    });
  });

  test.each([
    ['one object is met again', { ...strangers, sameUid: 1 }],
    ['too few are stored to tell', { ...strangers, stored: 2 }],
    ['nothing was listed: that is a matter of deletions', { ...strangers, staged: [] }],
  ])('is the same where %s', (_what, encounter) => {
    expect(judgeObjects({ clusterUid: null }, null, encounter, occasion())).toEqual({ kind: 'same', pin: null });
  });

  test('is the same where its uid proves it, whatever was made again', () => {
    expect(judgeObjects({ clusterUid: 'one' }, 'one', strangers, occasion())).toEqual({ kind: 'same', pin: 'one' });
  });

  test('is asked for by its uid where that was not pinned yet', () => {
    const verdict = judgeObjects({ clusterUid: null }, 'two', strangers, occasion());
    expect(verdict).toMatchObject({ kind: 'changed', approval: { found: 'two' } });
    if (verdict.kind !== 'changed') throw new Error('it is another');
    expect(judgeObjects({ clusterUid: null }, 'two', strangers, occasion(verdict.approval, true))).toEqual({
      kind: 'same',
      pin: 'two',
    });
  });

  test('stays the approved one while younger objects come and go', () => {
    const verdict = judgeObjects({ clusterUid: null }, null, strangers, occasion());
    if (verdict.kind !== 'changed') throw new Error('it is another');
    const later = { ...strangers, staged: [staged('n9', '2026-01-09T00:00:00Z'), staged('n1'), staged('n0', null)] };
    expect(judgeObjects({ clusterUid: null }, null, later, occasion(verdict.approval, true)).kind).toBe('same');
  });
});
