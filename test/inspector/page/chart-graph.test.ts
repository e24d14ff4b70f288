import { describe, expect, test } from 'vitest';
import { machineDocument } from '../../../src/inspector/chart.ts';
import { arrowKey, graphOf, outerOf } from '../../../src/inspector/page/chart-graph.js';

const machine = machineDocument({ runDeadline: 600_000 });
const graph = graphOf(machine);
const arrows = [...graph.arrows, ...graph.boxes.flatMap((box) => box.arrows)];

describe('the chart of the machine itself', () => {
  test('has a box for each outer state, with the inner ones in it', () => {
    expect(graph.boxes.map(({ state }) => state.path)).toEqual(
      machine.states.filter(({ parent }) => parent === null).map(({ path }) => path),
    );
    expect(graph.boxes.find(({ state }) => state.name === 'locked')?.inside.map(({ name }) => name)).toEqual([
      'acquiring',
      'claiming',
      'returning',
    ]);
  });

  test('draws every transition that leaves its outer state in exactly one arrow', () => {
    for (const transition of machine.transitions) {
      if (transition.to === null || outerOf(transition.from) === outerOf(transition.to)) continue;
      const having = arrows.filter((arrow) => arrow.transitions.includes(transition));
      expect(having.map(({ key }) => key)).toEqual([arrowKey(transition.from, transition.to)]);
    }
  });

  test('finds the arrow of a step inside a state', () => {
    const key = arrowKey('locked.acquiring', 'locked.claiming');
    expect(arrows.filter((arrow) => arrow.key === key)).toHaveLength(1);
    expect(arrowKey('idle', 'idle')).toBeNull();
  });

  test('keeps quiet what only a new plan does', () => {
    const quiet = graph.arrows.filter((arrow) => arrow.quiet);
    expect(quiet.map(({ key }) => key)).toContain('scheduled → idle');
    expect(quiet.every(({ from, to }) => !/locked|syncing/.test(`${from}${to}`))).toBe(true);
  });

  test('says beside an arrow what happens, and the guard where there is one', () => {
    const lines = (key: string) => graph.arrows.find((arrow) => arrow.key === key)?.lines;
    expect(lines('scheduled → locked')).toEqual(['TIMER_DUE', 'SYNC_REQUESTED']);
    expect(lines('idle → locked')).toEqual(['SYNC_REQUESTED [manualAllowed]']);
    expect(arrows.every((arrow) => arrow.lines.length <= 3 && arrow.lines.every((line) => line !== ''))).toBe(true);
  });
});
