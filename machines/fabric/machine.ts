// The life of one fabric, as a statechart (https://www.w3.org/TR/scxml/, XState v5). Pure: it names what it needs as
// actors (`ports.ts`), and the composition root binds them.
//
//   M1. `locked` and `syncing` are the only states that work; every other state rests, and only resting is remembered.
//   M2. Everything a row can say arrives as a `Plan`: there is one way to come to rest, whatever happened before.
//   M3. Contention is neither a failure nor an attempt: the fabric goes back to the rest that it came from.
//   M4. A failed attempt is written to the row (`recording`) before its retry timer is armed (`arming`).
//   M5. `after` is a deadline inside one run, nothing else: XState does not restore delayed events.

import { assertEvent, assign, fromCallback, fromPromise, setup } from 'xstate';
import type { FabricEvent } from './events.ts';
import { FabricFailure, type FailureNote, verdictByCode } from './failure.ts';
import { manualAllowed, type Plan, type RestingState } from './plan.ts';
import type {
  ArmInput,
  AttemptInput,
  Claim,
  ClaimAnswer,
  LockAnswer,
  RunEnding,
  RunInput,
  SettleInput,
  Trigger,
} from './ports.ts';

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
  readonly traceparent: string | null;
  readonly token: string | null;
  readonly claim: Claim | null;
}

const unbound = <Output, Input>(port: string) =>
  fromPromise<Output, Input>(async () => {
    throw new FabricFailure('PORT_UNBOUND', `the port "${port}" was not provided`);
  });

const attempt = ({ context }: { context: FabricContext }): AttemptInput => ({
  fabricId: context.fabricId,
  trigger: context.trigger,
  servedDueMs: context.servedDueMs,
  traceparent: context.traceparent,
});

const arm = ({ context }: { context: FabricContext }): ArmInput => {
  if (context.plan.state === 'idle') throw new FabricFailure('INTERNAL', 'an idle fabric has no timer to arm');
  return { fabricId: context.fabricId, kind: context.plan.kind, dueAtMs: context.plan.dueAtMs };
};

const settleTo =
  (rest: SettleInput['rest']) =>
  ({ context }: { context: FabricContext }): SettleInput => {
    if (!context.failure) throw new FabricFailure('INTERNAL', 'nothing to settle');
    const { fabricId, attempts, failure, claim, token } = context;
    return { fabricId, rest, attempts, failure, claim, token };
  };

const thrown = ({ event }: { event: { error: unknown } }) => FabricFailure.note(event.error);
const newPlan = ({ event }: { event: { output: { plan: Plan } } }) => event.output.plan;

const machineSetup = setup({
  types: {
    input: {} as FabricInput,
    context: {} as FabricContext,
    events: {} as FabricEvent,
    tags: {} as 'resting' | 'working',
  },
  actors: {
    /** Makes the timer durable. */
    armTimer: unbound<void, ArmInput>('armTimer'),
    /** Asks the lock's servers for the lease. */
    acquireLease: unbound<LockAnswer, AttemptInput>('acquireLease'),
    /** Asks the database for the right to run; gives the lease back where it is refused. */
    makeClaim: unbound<ClaimAnswer, AttemptInput & { token: string }>('makeClaim'),
    /** Reads, compares, merges and commits; gives the lease back when it committed. */
    runSync: unbound<RunEnding, RunInput>('runSync'),
    /** Renews lease, claim and hold while the run lasts; sends LEASE_LOST when one is in doubt. */
    keepLease: fromCallback<FabricEvent, RunInput>(() => {}),
    /** Writes a failed or cancelled attempt to the row and gives the lease back. */
    settle: unbound<{ plan: Plan }, SettleInput>('settle'),
  },
  actions: {
    take: assign((_, plan: Plan) => ({
      plan,
      rest: plan.state,
      attempts: plan.state === 'idle' ? 0 : plan.attempts,
      failure: plan.state === 'idle' ? null : plan.failure,
    })),
    forgetAttempt: assign({ token: null, claim: null, servedDueMs: null, traceparent: null }),
    serveTimer: assign(({ event }) => {
      assertEvent(event, 'TIMER_DUE');
      return { trigger: event.kind, servedDueMs: event.dueAtMs, traceparent: event.traceparent };
    }),
    serveRequest: assign(({ event }) => {
      assertEvent(event, 'SYNC_REQUESTED');
      return { trigger: 'manual' as const, servedDueMs: null, traceparent: event.traceparent ?? null };
    }),
    noteFailure: assign((_, failure: FailureNote) => ({ failure })),
    countAttempt: assign({ attempts: ({ context }) => context.attempts + 1 }),
  },
  guards: {
    isIdle: (_, plan: Plan) => plan.state === 'idle',
    isScheduled: (_, plan: Plan) => plan.state === 'scheduled',
    isBackoff: (_, plan: Plan) => plan.state === 'backoff',
    isErrored: (_, plan: Plan) => plan.state === 'errored',
    restedIn: ({ context }, state: RestingState) => context.rest === state,
    /** The timer of this plan is in the store already. */
    alreadyArmed: ({ event }) => event.type === 'PLAN' && event.armed === true,
    manualAllowed: ({ context }) => context.plan.state !== 'idle' || manualAllowed[context.plan.reason],
    mustWait: (_, { code }: FailureNote) => verdictByCode[code] === 'wait',
    mustStop: ({ context }, { code }: FailureNote) =>
      verdictByCode[code] === 'stop' || context.attempts + 1 > context.policy.retriesMax,
  },
  delays: { runDeadline: ({ context }) => context.policy.runDeadlineMs },
});

/** Rest as the plan says. */
const rest = <Event>(plan: (args: { event: Event }) => Plan) =>
  [
    { guard: { type: 'isIdle', params: plan }, target: '#idle', actions: [{ type: 'take', params: plan }, 'forgetAttempt'] },
    { guard: { type: 'isScheduled', params: plan }, target: '#scheduled', actions: [{ type: 'take', params: plan }, 'forgetAttempt'] },
    { guard: { type: 'isBackoff', params: plan }, target: '#backoff.arming', actions: [{ type: 'take', params: plan }, 'forgetAttempt'] },
    { target: '#errored.arming', actions: [{ type: 'take', params: plan }, 'forgetAttempt'] },
  ] as const;
