// The statechart as a document, read off the machine itself, so that a drawing of it cannot tell another story.

import { fabricMachine } from '../../machines/fabric/machine.ts';
import type { ChartTransition, MachineDocument, StateDocument } from './documents.ts';

/** What is read of XState's own nodes. */
interface Node {
  readonly key: string;
  readonly path: readonly string[];
  readonly description?: string | undefined;
  readonly tags: readonly string[];
  readonly states: Readonly<Record<string, Node>>;
  readonly initial?: { readonly target?: readonly Node[] | undefined } | undefined;
  readonly invoke: readonly { readonly id: string; readonly src: unknown }[];
  readonly after: readonly { readonly delay: unknown }[];
  readonly always?: readonly Step[] | undefined;
  readonly transitions: ReadonlyMap<string, readonly Step[]>;
}

interface Step {
  readonly eventType: string;
  readonly target?: readonly Node[] | undefined;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
}

const root = fabricMachine.root as unknown as Node;

/** @param delaysMs what the named delays are set to */
export function machineDocument(delaysMs: Readonly<Record<string, number>>): MachineDocument {
  const nodes = Object.values(root.states).flatMap((outer) => [outer, ...inside(outer)]);
  return {
    id: fabricMachine.id,
    initial: initialOf(root) ?? '',
    states: nodes.map((node) => stateDocument(node, delaysMs)),
    transitions: nodes.flatMap(stepsFrom),
  };
}

function stateDocument(node: Node, delaysMs: Readonly<Record<string, number>>): StateDocument {
  return {
    path: pathOf(node),
    name: node.key,
    parent: node.path.length > 1 ? node.path.slice(0, -1).join('.') : null,
    description: node.description ?? '',
    tags: [...node.tags],
    initial: initialOf(node),
    invokes: node.invoke.map(({ src }) => String(src)),
    // A delay whose end leads to several places is one deadline.
    after: [...new Set(node.after.map(({ delay }) => String(delay)))].map((delay) => ({
      delay,
      ms: delaysMs[delay] ?? null,
    })),
  };
}

/** Of all that a state may do, in the order in which it is tried. */
function stepsFrom(node: Node): ChartTransition[] {
  const steps = [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
  return steps.flatMap((step): ChartTransition[] => {
    const told = {
      from: pathOf(node),
      event: step.eventType,
      ...eventWords(step.eventType),
      guards: guardNames(step.guard),
      actions: step.actions.map(nameOf),
    };
    const targets = step.target ?? [];
    if (targets.length === 0) return [{ ...told, to: null }];
    return targets.map((target) => ({ ...told, to: pathOf(target) }));
  });
}

/** What invokes what: XState names the events of a port after the state that invoked it. */
const ports = new Map(
  Object.values(root.states)
    .flatMap((outer) => [outer, ...inside(outer)])
    .flatMap((node) => node.invoke.map(({ id, src }) => [id, String(src)] as const)),
);

/** An event's type in words: `xstate.done.actor.0.fabric.syncing.running` is `runSync done`. */
export function eventWords(type: string): Pick<ChartTransition, 'label' | 'kind'> {
  const [, done] = /^xstate\.done\.actor\.(.+)$/.exec(type) ?? [];
  if (done !== undefined) return { label: `${ports.get(done) ?? done} done`, kind: 'done' };
  const [, failed] = /^xstate\.error\.actor\.(.+)$/.exec(type) ?? [];
  if (failed !== undefined) return { label: `${ports.get(failed) ?? failed} failed`, kind: 'failed' };
  const [, delay] = /^xstate\.after\.(.+?)\./.exec(type) ?? [];
  if (delay !== undefined) return { label: `after ${delay}`, kind: 'after' };
  return type === '' ? { label: '', kind: 'always' } : { label: type, kind: 'event' };
}

/** @throws Error for a guard without a name: it could not be drawn */
function guardNames(guard: unknown): string[] {
  if (guard === undefined) return [];
  const { guards } = guard as { guards?: unknown[] };
  return guards ? guards.flatMap(guardNames) : [nameOf(guard)];
}

function nameOf(named: unknown): string {
  if (typeof named === 'string') return named;
  const { type } = named as { type?: unknown };
  if (typeof type !== 'string') throw new Error('a guard or an action without a name cannot be drawn');
  return type;
}

function inside(node: Node): Node[] {
  return Object.values(node.states).flatMap((each) => [each, ...inside(each)]);
}

function initialOf(node: Node): string | null {
  const target = node.initial?.target?.[0];
  return target && target.path.length > 0 ? pathOf(target) : null;
}

const pathOf = (node: Node): string => node.path.join('.');
