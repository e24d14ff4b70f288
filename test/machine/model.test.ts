// The statechart alone, as a model: every state, every transition, every event in every state.

import { describe, expect, test } from 'vitest';
import { type AnyEventObject, type AnyStateNode, transition } from 'xstate';
import { getShortestPaths, getStateNodes } from 'xstate/graph';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { fabricMachine } from '../../machines/fabric/machine.ts';
import type { Plan } from '../../machines/fabric/plan.ts';
import { path } from '../../otel/transitions.ts';

const due = { dueAtMs: 1_000, attempts: 0, failure: null, why: 'remembered' } as const;
const plans = {
  idle: { state: 'idle', reason: 'sync_disabled' },
  manualOnly: { state: 'idle', reason: 'scheduler_disabled' },
  scheduled: { state: 'scheduled', kind: 'sync', ...due },
  backoff: { state: 'backoff', kind: 'retry', ...due, attempts: 1 },
  lastTry: { state: 'backoff', kind: 'retry', ...due, attempts: 2 },
  errored: { state: 'errored', kind: 'probe', ...due, attempts: 3 },
} as const satisfies Record<string, Plan>;

const thrown = (code: ConstructorParameters<typeof FabricFailure>[0]) => new FabricFailure(code, 'it failed');

/** Everything that may happen, from outside and from the ports. */
const events: AnyEventObject[] = [
  ...Object.values(plans).flatMap((plan) => [
    { type: 'PLAN', plan },
    { type: 'PLAN', plan, armed: true },
  ]),
  { type: 'TIMER_DUE', kind: 'sync', dueAtMs: 1_000, traceparent: null },
  { type: 'SYNC_REQUESTED', by: 'somebody' },
  { type: 'LEASE_LOST', reason: 'in doubt' },
  { type: 'CANCEL_REQUESTED', by: 'somebody', code: 'CANCELLED' },
  { type: 'xstate.after.runDeadline.fabric.syncing.running' },
  ...invoked().flatMap((id) => [
    ...outputs(id).map((output) => ({ type: `xstate.done.actor.${id}`, output, actorId: id })),
    ...(['SERVER_ERROR', 'UNAUTHORIZED', 'DATABASE_UNAVAILABLE'] as const).map((code) => ({
      type: `xstate.error.actor.${id}`,
      error: thrown(code),
      actorId: id,
    })),
  ]),
];

function invoked(): string[] {
  return nodes().flatMap((node) => node.invoke.map((one) => one.id));
}

function nodes(): AnyStateNode[] {
  return getStateNodes(fabricMachine);
}

/** What a port may answer, by the state that invokes it. */
function outputs(id: string): unknown[] {
  if (id.endsWith('acquiring'))
    return [
      { kind: 'acquired', token: 't', degraded: false },
      { kind: 'contended', holder: null },
    ];
  if (id.endsWith('claiming')) {
    return [
      { kind: 'claimed', claim: { runId: '1', epoch: 1 }, attempts: 0 },
      { kind: 'contended', holder: null },
      ...Object.values(plans).map((plan) => ({ kind: 'superseded', plan })),
    ];
  }
  if (id.endsWith('arming')) return [undefined];
  return Object.values(plans).map((plan) => ({ plan, outcome: 'complete' }));
}

const input = { fabricId: '1', policy: { runDeadlineMs: 60_000, retriesMax: 2 } };
const paths = getShortestPaths(fabricMachine, {
  input,
  events: events as never,
  // Attempts are bounded by the policy, but the walk does not know it.
  serializeState: ({ value, context }) =>
    JSON.stringify([
      value,
      context.rest,
      Math.min(context.attempts, 4),
      context.plan,
      context.token,
      context.claim,
      context.obstacle !== null,
    ]),
  limit: 100_000,
});

const leaves = nodes().filter((node) => node.type === 'atomic');

describe('the statechart of a fabric', () => {
  test('has the six states that operators know, and no other', () => {
    expect(Object.keys(fabricMachine.states)).toEqual(['idle', 'scheduled', 'locked', 'syncing', 'backoff', 'errored']);
  });

  test('every state can be reached, the one that is only passed through excepted', () => {
    const reached = new Set(paths.map(({ state }) => path(state.value)));
    const expected = leaves.map((node) => node.path.join('.')).filter((one) => one !== 'locked.returning');
    expect([...reached].sort()).toEqual([...expected].sort());
  });

  test('every transition, guard by guard, is taken from some state that can be reached', () => {
    const taken = new Set<string>();
    for (const { state } of paths) {
      for (const event of events) {
        if (!possible(path(state.value), event)) continue;
        for (const one of fabricMachine.getTransitionData(state, event as never)) taken.add(nameOf(one));
      }
    }
    const drawn = nodes().flatMap((node) => [...node.transitions.values()].flat().map(nameOf));
    // `always` of the state that is only passed through is taken inside the step that enters it.
    expect(drawn.filter((one) => !taken.has(one) && !one.startsWith('locked.returning'))).toEqual([]);
    expect(taken.size).toBeGreaterThan(50);
  });

  test('every event in every state leads to a known state and keeps what must always hold', () => {
    let looked = 0;
    for (const { state } of paths) {
      for (const event of events) {
        if (!possible(path(state.value), event)) continue;
        const [next] = transitionOf(state, event);
        looked++;
        const to = path(next.value);
        expect(leaves.map((node) => node.path.join('.'))).toContain(to);
        const { plan, rest, token, claim } = next.context;
        // Whoever is syncing holds a lease and a claim; whoever rests after writing things down holds neither.
        if (to === 'syncing.running') expect([token, claim]).not.toContain(null);
        if (to === 'idle' || to.endsWith('.waiting') || to === 'scheduled.arming')
          expect([to, token, claim]).toEqual([to, null, null]);
        if (to.endsWith('.arming')) expect(plan.state).toBe(to.split('.')[0]);
        if (next.hasTag('resting')) expect(rest).toBe(to.split('.')[0]);
        expect(next.hasTag('resting')).toBe(!next.hasTag('working'));
      }
    }
    expect(looked).toBeGreaterThan(1_000);
  });

  test('what was not asked for is not answered: a stray event changes nothing', () => {
    const [scheduled] = transitionOf(paths[0]!.state, { type: 'PLAN', plan: plans.scheduled, armed: true });
    for (const stray of [
      { type: 'LEASE_LOST', reason: 'late' },
      { type: 'CANCEL_REQUESTED', by: 'late', code: 'CANCELLED' },
    ]) {
      const [after] = transitionOf(scheduled, stray);
      expect(after.value).toEqual(scheduled.value);
    }
  });
});

/** A port answers only while it is invoked. */
function possible(at: string, event: AnyEventObject): boolean {
  const match = /^xstate\.(?:done|error)\.actor\.\d+\.(.+)$/.exec(event.type);
  return !match || `fabric.${at}`.startsWith(match[1]!.startsWith('fabric.') ? match[1]! : `fabric.${match[1]}`);
}

function nameOf(one: {
  source: AnyStateNode;
  eventType: string;
  guard?: unknown;
  target?: readonly AnyStateNode[] | undefined;
}): string {
  const guard = JSON.stringify(one.guard, (_, value) => (typeof value === 'function' ? 'inline' : value)) ?? '';
  return `${one.source.path.join('.')} --${one.eventType} ${guard}--> ${one.target?.map((node) => node.path.join('.')).join() ?? 'itself'}`;
}

function transitionOf(state: (typeof paths)[number]['state'], event: AnyEventObject) {
  return transition(fabricMachine, state, event as never);
}
