// The one reader of XState's inspection stream: it turns an actor's microsteps into transitions.
//
//   O1. Each root actor is watched on its own; what its children do is not a transition of it.
//   O2. Every transition that is taken is told exactly once: through transient states too, and also where it ends in the
//       state that it began in, as what a state was entered with may have changed. An event that nobody takes is not told,
//       nor is one that a state only keeps from its parents.
//   O3. Nothing here knows what a fabric is.

import type { EventObject, InspectedMicrostepEvent, InspectionEvent, MachineContext, StateValue } from 'xstate';

export interface Transition<Context = MachineContext> {
  /** What caused it: the event's type. */
  readonly event: string;
  /** Paths such as `locked.acquiring`. */
  readonly from: string;
  readonly to: string;
  /** Monotonic milliseconds spent in the former top-level state when it was left; null while it is not left. */
  readonly stayedMs: number | null;
  /** Who or what caused it, in the words of `reasonOf`; null where nothing is known beyond the event's type. */
  readonly reason: string | null;
  /** The machine's context after the step. */
  readonly context: Context;
}

/**
 * @param reasonOf what an event says of its cause; asked once a transition
 * @returns an observer for `createActor(…, { inspect })` of ONE root actor
 */
export function watchTransitions<Context = MachineContext>(
  monotonicMs: () => number,
  emit: (transition: Transition<Context>) => void,
  reasonOf: (event: EventObject) => string | null = () => null,
) {
  let last: string | null = null;
  let enteredMs = monotonicMs();
  return (inspected: InspectionEvent): void => {
    if (inspected.type !== '@xstate.microstep' && inspected.type !== '@xstate.snapshot') return;
    if (inspected.actorRef.sessionId !== inspected.rootId) return;
    const { value, context } = inspected.snapshot as unknown as { value: StateValue; context: Context };
    const to = path(value);
    // The initial state has no microstep: the first snapshot tells it.
    if (last === null || (last === to && !(inspected.type === '@xstate.microstep' && takes(inspected)))) {
      last = to;
      return;
    }
    const from = last;
    last = to;
    const leaves = top(from) !== top(to);
    const nowMs = leaves ? monotonicMs() : enteredMs;
    const stayedMs = leaves ? nowMs - enteredMs : null;
    enteredMs = nowMs;
    emit({ event: inspected.event.type, from, to, stayedMs, reason: reasonOf(inspected.event), context });
  };
}

/** A transition without a target and without actions only says that an event is not wanted here. */
function takes({ _transitions }: InspectedMicrostepEvent): boolean {
  return _transitions.some(({ target, actions }) => target !== undefined || actions.length > 0);
}

/** `{ locked: 'acquiring' }` as `locked.acquiring`. A parallel state is joined by `+`. */
export function path(value: StateValue): string {
  if (typeof value === 'string') return value;
  return Object.entries(value)
    .map(([state, inner]) => (inner === undefined ? state : `${state}.${path(inner)}`))
    .join('+');
}

/** The outermost state of a path. */
export function top(path: string): string {
  const dot = path.indexOf('.');
  return dot < 0 ? path : path.slice(0, dot);
}
