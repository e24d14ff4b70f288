// The JSON messages of the Stately Inspector (https://github.com/statelyai/inspect, 0.7), made from what the one reader
// of XState's inspection tells: an actor with the statechart's definition, each event, each snapshot.
//
//   Y1. The lease's token, the one thing in a fabric's context that opens anything, is left out.
//   Y2. An event is told by its type alone: who asked and why stands in the log.

import type { FabricContext } from '../../../machines/fabric/context.ts';
import { fabricMachine } from '../../../machines/fabric/machine.ts';

/** What is told of a fabric. */
export interface FabricMember {
  readonly fabricId: string;
  readonly name: string;
  /** Such as `locked.acquiring`. */
  readonly path: string;
  readonly context: FabricContext;
}

/** What `otel/transitions.ts` tells, of a fabric. */
export interface FabricMoved {
  readonly fabricId: string;
  readonly name: string;
  readonly event: string;
  readonly to: string;
  readonly context: FabricContext;
}

/** As `@xstate.snapshot` has it: what a state value is inside XState. */
export type StateValue = string | { readonly [state: string]: StateValue };

interface Message {
  readonly sessionId: string;
  readonly rootId: string;
  /** Epoch milliseconds, as a string. */
  readonly createdAt: string;
  readonly id: null;
  readonly _version: string;
}

interface Snapshot {
  readonly status: 'active';
  readonly value: StateValue;
  readonly context: object;
}

export interface ActorMessage extends Message {
  readonly type: '@xstate.actor';
  readonly name: string;
  /** The machine's configuration as JSON text. */
  readonly definition: string;
  readonly snapshot: Snapshot;
}

export interface EventMessage extends Message {
  readonly type: '@xstate.event';
  readonly event: { readonly type: string };
}

export interface SnapshotMessage extends Message {
  readonly type: '@xstate.snapshot';
  readonly event: { readonly type: string };
  readonly snapshot: Snapshot;
}

export type StatelyMessage = ActorMessage | EventMessage | SnapshotMessage;

/** The protocol's version that viewers look for. */
const version = '0.7.2';

/** Guards and actions that are functions have a name and nothing else that could be sent. */
const definition = JSON.stringify(fabricMachine.config, (_, value: unknown) =>
  typeof value === 'function' ? { type: value.name } : value,
);

/** A fabric as it is now, with its statechart. */
export function actorMessage(member: FabricMember, nowMs: number): ActorMessage {
  const { name, path, context } = member;
  return { type: '@xstate.actor', name, definition, snapshot: snapshotOf(path, context), ...common(member, nowMs) };
}

/** One transition: the event, and the snapshot that it led to. */
export function transitionMessages(moved: FabricMoved, nowMs: number): readonly [EventMessage, SnapshotMessage] {
  const event = { type: moved.event };
  const snapshot = snapshotOf(moved.to, moved.context);
  return [
    { type: '@xstate.event', event, ...common(moved, nowMs) },
    { type: '@xstate.snapshot', event, snapshot, ...common(moved, nowMs) },
  ];
}

/** `locked.acquiring` as `{ locked: 'acquiring' }`. */
export function stateValue(path: string): StateValue {
  const [outer = path, ...inner] = path.split('.');
  return inner.length === 0 ? outer : { [outer]: stateValue(inner.join('.')) };
}

function snapshotOf(path: string, { token: _, ...context }: FabricContext): Snapshot {
  return { status: 'active', value: stateValue(path), context };
}

function common({ fabricId }: { readonly fabricId: string }, nowMs: number): Message {
  const sessionId = `fabric-${fabricId}`;
  return { sessionId, rootId: sessionId, createdAt: String(nowMs), id: null, _version: version };
}
