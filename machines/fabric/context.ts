// What a fabric knows of itself, and what it tells its ports of that.
//
//   X1. Plain JSON: no Error, Date, class or socket.
//   X2. What a state guarantees is checked where it is told, so that a wrong chart fails loudly.

import { FabricFailure, type FailureNote } from './failure.ts';
import type { Plan, RestingState } from './plan.ts';
import type { ArmInput, AttemptInput, Claim, RunInput, SettleInput, Trigger } from './ports.ts';

export interface FabricPolicy {
  /** A run that takes longer is given up, in milliseconds. */
  readonly runDeadlineMs: number;
  /** Failed attempts before `errored`. */
  readonly retriesMax: number;
}

export interface FabricInput {
  readonly fabricId: string;
  readonly policy: FabricPolicy;
}

export interface FabricContext extends FabricInput {
  /** What the row said last. */
  readonly plan: Plan;
  /** Where it rests, or rested before the attempt in hand. */
  readonly rest: RestingState;
  readonly attempts: number;
  readonly failure: FailureNote | null;
  /** The attempt in hand. */
  readonly trigger: Trigger;
  readonly servedDueMs: number | null;
  /** W3C trace contexts of what it follows from: of the run that armed its timer, or of everybody who asked. */
  readonly follows: readonly string[];
  readonly token: string | null;
  readonly claim: Claim | null;
  /** Why the attempt in hand may not go on, or could not begin. It is kept until the next one, for whoever tells it. */
  readonly obstacle: FailureNote | null;
}

export const attempt = ({ context }: { context: FabricContext }): AttemptInput => ({
  fabricId: context.fabricId,
  trigger: context.trigger,
  servedDueMs: context.servedDueMs,
});

export const claim = ({ context }: { context: FabricContext }): AttemptInput & { token: string } => {
  if (context.token === null) throw new FabricFailure('INTERNAL', 'no lease is held');
  return { ...attempt({ context }), token: context.token };
};

export const arm = ({ context }: { context: FabricContext }): ArmInput => {
  if (context.plan.state === 'idle') throw new FabricFailure('INTERNAL', 'an idle fabric has no timer to arm');
  return { fabricId: context.fabricId, kind: context.plan.kind, dueAtMs: context.plan.dueAtMs };
};

/** What the state itself guarantees: a claim is made only under a lease, and a run only under both. */
function held(context: FabricContext): { token: string; claim: Claim } {
  const { token, claim } = context;
  if (token === null || claim === null) throw new FabricFailure('INTERNAL', 'no lease and claim are held');
  return { token, claim };
}

export const run = ({ context }: { context: FabricContext }): RunInput => ({
  ...attempt({ context }),
  ...held(context),
});

function ended(context: FabricContext, rest: SettleInput['rest'], outcome: SettleInput['outcome']): SettleInput {
  const { fabricId, attempts, failure } = context;
  if (!failure) throw new FabricFailure('INTERNAL', 'nothing to settle');
  return { fabricId, rest, outcome, attempts, failure, ...held(context) };
}

export const failed =
  (rest: 'backoff' | 'errored') =>
  ({ context }: { context: FabricContext }) =>
    ended(context, rest, 'failed');

/** Back where it came from: whether `idle` still is its place is for the row to say. */
export const cancelled = ({ context }: { context: FabricContext }) =>
  ended(context, context.rest === 'idle' ? 'scheduled' : context.rest, 'cancelled');
