// A statechart as a Mermaid diagram: drawn from the machine itself, so that it cannot tell another story.
//
//   D1. Outer states are boxes, and what happens inside one is drawn inside it. A transition out of a box starts at the
//       box, whichever inner state it leaves.
//   D2. A fork that several states share (a set of guards) is drawn once, as a choice.
//   D3. Every transition that has a target is in the diagram; an event that a state ignores is not.

import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** Guards that are one question with several answers. */
export interface Fork {
  readonly name: string;
  readonly guards: readonly string[];
}

interface Step {
  readonly source: AnyStateNode;
  readonly target: AnyStateNode;
  readonly event: string;
  readonly guards: readonly string[];
}

export function drawMachine(machine: AnyStateMachine, forks: readonly Fork[] = []): string {
  const outer = Object.values(machine.root.states) as AnyStateNode[];
  const steps = outer.flatMap((state) => [state, ...inside(state)]).flatMap(stepsFrom);
  const edges: Edge[] = [];
  const draw = (from: string, to: string, label: string) => edges.push([`${from} --> ${to}`, label]);
  for (const list of byOrigin(steps.filter(crosses))) {
    let open: Fork | undefined;
    for (const step of list) {
      const { source, target, event, guards } = step;
      const fork = forks.find((each) => guards.some((guard) => each.guards.includes(guard)));
      // What is left when no answer fits belongs to the same question.
      const asked = fork ?? (guards.length === 0 ? open : undefined);
      open = fork;
      if (!asked) {
        draw(box(source), box(target), labelOf(step));
        continue;
      }
      const answer = guards.find((guard) => asked.guards.includes(guard)) ?? 'else';
      draw(box(source), asked.name, event);
      draw(asked.name, box(target), `[${answer}]`);
    }
  }
  return [
    'stateDiagram-v2',
    ...forks.map(({ name }) => `  state ${name} <<choice>>`),
    ...outer.flatMap((state) => drawBox(state, steps)),
    `  [*] --> ${initialOf(machine.root)}`,
    ...joined(edges).map((edge) => `  ${edge}`),
  ].join('\n');
}

function drawBox(state: AnyStateNode, steps: readonly Step[]): string[] {
  const inner = Object.values(state.states) as AnyStateNode[];
  if (inner.length === 0) return [`  ${state.key}`];
  const here = steps.filter((step) => !crosses(step) && box(step.source) === state.key);
  return [
    `  state ${state.key} {`,
    // Two boxes may have inner states of one name, and Mermaid's names are global.
    ...inner.map((each) => `    state "${each.key}" as ${nameOf(each)}`),
    `    [*] --> ${nameOf(inner.find((each) => each.key === initialOf(state)) ?? state)}`,
    ...joined(here.map((step) => [`${nameOf(step.source)} --> ${nameOf(step.target)}`, labelOf(step)])).map(
      (edge) => `    ${edge}`,
    ),
    '  }',
  ];
}

const inside = (state: AnyStateNode): AnyStateNode[] =>
  (Object.values(state.states) as AnyStateNode[]).flatMap((each) => [each, ...inside(each)]);

/** Of all that a state may do, in the order in which it is tried. */
function stepsFrom(source: AnyStateNode): Step[] {
  const always = source.always ?? [];
  return [...[...source.transitions.values()].flat(), ...always].flatMap((transition) =>
    (transition.target ?? []).map((target) => ({
      source,
      target,
      event: eventName(source, transition.eventType),
      guards: guardNames(transition.guard),
    })),
  );
}

/** Transitions that are tried one after the other. */
const byOrigin = (steps: readonly Step[]): Step[][] => {
  const lists = new Map<string, Step[]>();
  for (const step of steps) {
    const key = `${step.source.id} ${step.event}`;
    lists.set(key, [...(lists.get(key) ?? []), step]);
  }
  return [...lists.values()];
};

/** Does it leave a box, or lead back into one from within its own? An outer state is its own box. */
const crosses = ({ source, target }: Step): boolean =>
  box(source) !== box(target) || source.path.length === 1 || target.path.length === 1;

const box = (state: AnyStateNode): string => state.path[0] ?? state.key;
const nameOf = (state: AnyStateNode): string => state.path.join('_');
const initialOf = (state: AnyStateNode): string => state.initial.target?.[0]?.key ?? '';
const labelOf = ({ event, guards }: Step): string =>
  [event, ...guards.map((guard) => `[${guard}]`)].filter(Boolean).join(' ');

type Edge = readonly [edge: string, label: string];

/** One arrow from one place to another, whatever the number of ways. */
function joined(edges: readonly Edge[]): string[] {
  const labels = new Map<string, Set<string>>();
  for (const [edge, label] of edges) labels.set(edge, (labels.get(edge) ?? new Set()).add(label));
  return [...labels].map(([edge, told]) => [edge, [...told].filter(Boolean).join('<br/>')].filter(Boolean).join(' : '));
}

function eventName(source: AnyStateNode, type: string): string {
  const invoked = (id: string) => source.invoke.find((each) => each.id === id)?.src;
  const [, done] = /^xstate\.done\.actor\.(.+)$/.exec(type) ?? [];
  if (done !== undefined) return `${invoked(done)} done`;
  const [, failed] = /^xstate\.error\.actor\.(.+)$/.exec(type) ?? [];
  if (failed !== undefined) return `${invoked(failed)} failed`;
  const [, delay] = /^xstate\.after\.(.+?)\./.exec(type) ?? [];
  return delay === undefined ? type : `after ${delay}`;
}

/** Names of the guards of one transition; `and` names several. @throws Error for one without a name */
function guardNames(guard: unknown): string[] {
  if (guard === undefined) return [];
  if (typeof guard === 'string') return [guard];
  const { guards, type } = guard as { guards?: unknown[]; type?: string };
  if (guards) return guards.flatMap(guardNames);
  if (type === undefined) throw new Error('a guard without a name cannot be drawn');
  return [type];
}
