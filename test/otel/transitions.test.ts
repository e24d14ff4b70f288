// What of an actor's life is a transition, by a machine of no meaning.

import { expect, test } from 'vitest';
import { assign, createActor, createMachine } from 'xstate';
import { watchTransitions } from '../../otel/transitions.ts';

const machine = createMachine({
  initial: 'resting',
  context: { times: 0 },
  on: { UNWANTED: '.working' },
  states: {
    resting: {
      on: {
        AGAIN: { target: 'resting', actions: assign({ times: ({ context }) => context.times + 1 }) },
        NOTE: { actions: assign({ times: 0 }) },
        NEVER: { target: 'working', guard: () => false },
        UNWANTED: {},
        GO: 'working',
      },
    },
    working: { always: 'resting' },
  },
});

function told(...events: readonly string[]): readonly string[] {
  const heard: string[] = [];
  const inspect = watchTransitions(
    () => 0,
    ({ event, from, to }) => heard.push(`${event}: ${from} > ${to}`),
  );
  const actor = createActor(machine, { inspect }).start();
  for (const type of events) actor.send({ type });
  actor.stop();
  return heard;
}

test('one that ends where it began is told, and one that only acts', () => {
  expect(told('AGAIN', 'NOTE')).toEqual(['AGAIN: resting > resting', 'NOTE: resting > resting']);
});

test('each step through a state that lasts no time is told', () => {
  expect(told('GO')).toEqual(['GO: resting > working', 'GO: working > resting']);
});

test('an event that nobody takes, that is kept away or that a guard refuses is not told', () => {
  expect(told('UNKNOWN', 'UNWANTED', 'NEVER')).toEqual([]);
});
