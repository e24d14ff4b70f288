// What a person's act becomes: its trace, and what is asked of the rows.

import { expect, test } from 'vitest';
import type { PersonsAct } from '../../otel/tracing.ts';
import { Refusal } from '../../src/inspector/answers.ts';
import { Control, type ControlDeps } from '../../src/inspector/control.ts';
import type { StatusRow } from '../../src/ports/operator.ts';
import type { Approval } from '../../src/ports/store.ts';
import { handClock } from '../support/hand-clock.ts';
import { nowMs, sampleRow } from './sample.ts';
import { logBook } from './stand.ts';

const approval: Approval = { kind: 'cluster', runId: '12', sinceMs: 0, pinned: 'a', found: 'b' };

function standing(more: Partial<StatusRow> = {}) {
  const asked: unknown[][] = [];
  const traced: PersonsAct[] = [];
  const operator = {
    status: async () => ({ nowMs, fabrics: [sampleRow(more)] }),
    request: async (...all) => {
      asked.push(all);
      return [{ fabricId: '1', requestId: '5' }];
    },
    approve: async (...all) => {
      asked.push(all);
      return { kind: 'approved', requestId: '5' };
    },
  } satisfies Partial<ControlDeps['operator']>;
  const control = new Control({
    operator: operator as unknown as ControlDeps['operator'],
    breakLock: async () => 'none',
    clock: handClock(),
    log: logBook(),
    tracing: {
      acted(act, work) {
        traced.push(act);
        return work('00-a-b-01');
      },
    },
  });
  return {
    asked,
    traced,
    act: (name: 'trigger' | 'retry' | 'approve', body = {}) => control.do(name, '1', 'ann', body),
  };
}

test('what asks for a sync is traced, and the request carries its trace on', async () => {
  const { asked, traced, act } = standing({ approval });
  await act('trigger');
  await act('approve', { run: '12' });
  expect(asked).toEqual([
    [['1'], 'ann', '00-a-b-01', 'trigger'],
    ['1', { runId: '12', by: 'ann', ask: true, traceparent: '00-a-b-01' }],
  ]);
  expect(traced.map(({ act }) => act)).toEqual(['trigger', 'approve']);
  expect(traced[0]).toMatchObject({ by: 'ann', fabricId: '1' });
});

test('a retry is recorded as one', async () => {
  const { asked, act } = standing({ state: 'backoff', dueKind: 'retry', dueAtMs: nowMs + 60_000 });
  await act('retry');
  expect(asked).toEqual([[['1'], 'ann', '00-a-b-01', 'retry']]);
});

test('what is refused is traced as well', async () => {
  const { asked, traced, act } = standing();
  await expect(act('retry')).rejects.toThrow(Refusal);
  expect(asked).toEqual([]);
  expect(traced.map(({ act }) => act)).toEqual(['retry']);
});
