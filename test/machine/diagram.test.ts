import { describe, expect, test } from 'vitest';
import { and, createMachine, fromPromise, setup } from 'xstate';
import { drawMachine } from '../support/diagram.ts';

const lines = (diagram: string) => diagram.split('\n').map((line) => line.trim());

describe('a machine as a diagram', () => {
  const lamp = setup({
    actors: { warmUp: fromPromise(async () => {}) },
    guards: { isDark: () => true, isNight: () => true, wasRed: () => true, wasGreen: () => true },
    delays: { burnOut: 1_000 },
  }).createMachine({
    id: 'lamp',
    initial: 'off',
    states: {
      off: { on: { PRESS: { guard: and(['isDark', 'isNight']), target: 'on' }, TAP: 'on', KNOCK: {} } },
      on: {
        initial: 'cold',
        on: {
          PRESS: 'off',
          RESET: [{ guard: 'wasRed', target: 'red' }, { guard: 'wasGreen', target: 'green' }, 'off'],
        },
        states: {
          cold: { invoke: { src: 'warmUp', onDone: 'warm', onError: '#lamp.off' } },
          warm: { after: { burnOut: '#lamp.off' } },
        },
      },
      red: { always: 'green' },
      green: {},
    },
  });
  const colour = { name: 'colour', guards: ['wasRed', 'wasGreen'] };

  test('has every state, the inner ones in their box', () => {
    expect(drawMachine(lamp)).toContain(
      [
        '  state on {',
        '    state "cold" as on_cold',
        '    state "warm" as on_warm',
        '    [*] --> on_cold',
        '    on_cold --> on_warm : warmUp done',
        '  }',
      ].join('\n'),
    );
    expect(lines(drawMachine(lamp))).toEqual(expect.arrayContaining(['off', 'red', 'green', '[*] --> off']));
  });

  test('has one arrow for each pair of states, with every event and guard that leads along it', () => {
    const drawn = lines(drawMachine(lamp));
    expect(drawn).toContain('off --> on : PRESS [isDark] [isNight]<br/>TAP');
    expect(drawn).toContain('on --> off : PRESS<br/>RESET<br/>warmUp failed<br/>after burnOut');
    expect(drawn).toContain('on --> red : RESET [wasRed]');
    expect(drawn).toContain('red --> green');
  });

  test('draws a shared fork once, what is left over included', () => {
    const drawn = lines(drawMachine(lamp, [colour]));
    expect(drawn).toEqual(
      expect.arrayContaining([
        'state colour <<choice>>',
        'on --> colour : RESET',
        'colour --> red : [wasRed]',
        'colour --> green : [wasGreen]',
        'colour --> off : [else]',
        'on --> off : PRESS<br/>warmUp failed<br/>after burnOut',
      ]),
    );
  });

  test('leaves out what a state ignores', () => {
    expect(drawMachine(lamp)).not.toContain('KNOCK');
  });

  test('a guard without a name is refused: nobody could say what it means', () => {
    const machine = createMachine({
      initial: 'a',
      states: { a: { on: { GO: { guard: ({ event }) => event.kind === 'granted', target: 'b' } } }, b: {} },
    });
    expect(() => drawMachine(machine)).toThrow('a guard without a name');
  });
});
