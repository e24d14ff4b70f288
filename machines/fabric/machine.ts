// The life of one fabric, as a statechart (https://www.w3.org/TR/scxml/, XState v5). Pure: it names what it needs as
// actors (`ports.ts`), and the composition root binds them.
//
//   M1. `locked` and `syncing` are the only states that work; every other state rests, and only resting is remembered.
//   M2. Everything a row can say arrives as a `Plan`: there is one way to come to rest, whatever happened before.
//   M3. Contention is neither a failure nor an attempt: the fabric goes back to the rest that it came from.
//   M4. A failed attempt is written to the row (`recording`) before its retry timer is armed (`arming`).
//   M5. What fails before the claim is ours, not the fabric's: nothing is counted, and the claimed timer shows again.
//   M6. `after` is a deadline inside one run, nothing else: XState does not restore delayed events.

import { and, assertEvent, assign, type EventObject, fromCallback, fromPromise, setup } from 'xstate';
import { arm, attempt, cancelled, claim, type FabricContext, type FabricInput, failed, run } from './context.ts';
import type { FabricEvent } from './events.ts';
import { FabricFailure, type FailureNote, verdictByCode } from './failure.ts';
import { manualAllowed, type Plan } from './plan.ts';
import type { ArmInput, AttemptInput, ClaimAnswer, LockAnswer, RunEnding, RunInput, SettleInput } from './ports.ts';

const unbound = <Output, Input>(port: string) =>
  fromPromise<Output, Input>(async () => {
    throw new FabricFailure('PORT_UNBOUND', `the port "${port}" was not provided`);
  });

/** The plan that an event brings: a PLAN itself, or a port that is done and read the row anew. */
function planIn(event: EventObject): Plan {
  const { plan, output } = event as { plan?: Plan; output?: { plan?: Plan } };
  const found = plan ?? output?.plan;
  if (!found) throw new FabricFailure('INTERNAL', `the event ${event.type} brings no plan`);
  return found;
}

/** What a port answered. The machine invokes each port in one state, so the caller knows which answer it is. */
const answerIn = <Answer>(event: EventObject): Answer => (event as unknown as { output: Answer }).output;

/** The failure that an event brings: a port that threw, or an event that means one. */
function failureIn(event: EventObject): FailureNote {
  const happened = event as FabricEvent | { type: 'thrown'; error: unknown };
  switch (happened.type) {
    case 'LEASE_LOST':
      return FabricFailure.note(new FabricFailure('LEASE_LOST', `the lease was lost: ${happened.reason}`));
    case 'CANCEL_REQUESTED':
      return FabricFailure.note(new FabricFailure(happened.code, `the run was stopped by ${happened.by}`));
    default:
      if ('error' in happened) return FabricFailure.note(happened.error);
      // The only other way out of a run is its deadline.
      return FabricFailure.note(new FabricFailure('RUN_DEADLINE', 'the run took longer than it may'));
  }
}

const machine = setup({
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
    /** What the row said becomes what is known; an attempt that was in hand is over. */
    takePlan: assign(({ event }) => {
      const plan = planIn(event);
      const trouble = plan.state === 'idle' ? { attempts: 0, failure: null } : plan;
      return { plan, rest: plan.state, attempts: trouble.attempts, failure: trouble.failure };
    }),
    forgetAttempt: assign({ token: null, claim: null, servedDueMs: null, follows: [] }),
    serveTimer: assign(({ event }) => {
      assertEvent(event, 'TIMER_DUE');
      const { kind, dueAtMs, traceparent } = event;
      const follows = traceparent === null ? [] : [traceparent];
      return { trigger: kind, servedDueMs: dueAtMs, follows, obstacle: null };
    }),
    serveRequest: assign(({ event }) => {
      assertEvent(event, 'SYNC_REQUESTED');
      const follows = event.traceparents ?? [];
      return { trigger: 'manual' as const, servedDueMs: null, follows, obstacle: null };
    }),
    holdLease: assign(({ event }) => {
      const answer = answerIn<LockAnswer>(event);
      return { token: answer.kind === 'acquired' ? answer.token : null };
    }),
    holdClaim: assign(({ event, context }) => {
      const answer = answerIn<ClaimAnswer>(event);
      if (answer.kind !== 'claimed') return {};
      return { claim: answer.claim, attempts: Math.max(context.attempts, answer.attempts) };
    }),
    noteFailure: assign(({ event }) => ({ failure: failureIn(event) })),
    noteObstacle: assign(({ event }) => ({ obstacle: failureIn(event) })),
    failByObstacle: assign(({ context }) => ({ failure: context.obstacle })),
    countAttempt: assign({ attempts: ({ context }) => context.attempts + 1 }),
    restInBackoff: assign({ rest: 'backoff' }),
    restInErrored: assign({ rest: 'errored' }),
  },
  guards: {
    planIsIdle: ({ event }) => planIn(event).state === 'idle',
    planIsScheduled: ({ event }) => planIn(event).state === 'scheduled',
    planIsBackoff: ({ event }) => planIn(event).state === 'backoff',
    planIsErrored: ({ event }) => planIn(event).state === 'errored',
    /** The timer of this plan is in the store already. */
    alreadyArmed: ({ event }) => event.type === 'PLAN' && event.armed === true,
    leaseAcquired: ({ event }) => answerIn<LockAnswer>(event).kind === 'acquired',
    claimGranted: ({ event }) => answerIn<ClaimAnswer>(event).kind === 'claimed',
    claimContended: ({ event }) => answerIn<ClaimAnswer>(event).kind === 'contended',
    /** Somebody wanted it stopped while it was not yet known whether it may begin. */
    isStopped: ({ context }) => context.obstacle !== null,
    /** A person has not said "stop", and there is something to read. */
    manualAllowed: ({ context }) => context.plan.state !== 'idle' || manualAllowed[context.plan.reason],
    cameFromScheduled: ({ context }) => context.rest === 'scheduled',
    cameFromBackoff: ({ context }) => context.rest === 'backoff',
    cameFromErrored: ({ context }) => context.rest === 'errored',
    /** Not the fabric's fault: neither a failure nor an attempt. */
    mustWait: ({ event }) => verdictByCode[failureIn(event).code] === 'wait',
    /** Only a person can mend it. */
    needsPerson: ({ event }) => verdictByCode[failureIn(event).code] === 'stop',
    retriesUsedUp: ({ context }) => context.attempts + 1 > context.policy.retriesMax,
  },
  delays: { runDeadline: ({ context }) => context.policy.runDeadlineMs },
});

/** Comes to rest as the plan says (M2). */
const restAsPlanned = [
  { guard: 'planIsIdle', target: '#idle', actions: ['takePlan', 'forgetAttempt'] },
  { guard: 'planIsScheduled', target: '#scheduled', actions: ['takePlan', 'forgetAttempt'] },
  { guard: 'planIsBackoff', target: '#backoff.arming', actions: ['takePlan', 'forgetAttempt'] },
  { guard: 'planIsErrored', target: '#errored.arming', actions: ['takePlan', 'forgetAttempt'] },
] as const;

/** As above, without arming where the timer is durable already: ten thousand fabrics start with one bulk write. */
const onPlan = [
  {
    guard: and(['alreadyArmed', 'planIsScheduled']),
    target: '#scheduled.waiting',
    actions: ['takePlan', 'forgetAttempt'],
  },
  { guard: and(['alreadyArmed', 'planIsBackoff']), target: '#backoff.waiting', actions: ['takePlan', 'forgetAttempt'] },
  { guard: and(['alreadyArmed', 'planIsErrored']), target: '#errored.waiting', actions: ['takePlan', 'forgetAttempt'] },
  ...restAsPlanned,
] as const;

/** Back where it came from, as if nothing had been tried (M3): the claimed timer shows again when its hold ends. */
const backToRest = [
  { guard: 'cameFromScheduled', target: '#scheduled.waiting', actions: 'forgetAttempt' },
  { guard: 'cameFromBackoff', target: '#backoff.waiting', actions: 'forgetAttempt' },
  { guard: 'cameFromErrored', target: '#errored.waiting', actions: 'forgetAttempt' },
  { target: '#idle', actions: 'forgetAttempt' },
] as const;

/** A failed attempt that time may mend. */
const toRetry = [
  { guard: 'retriesUsedUp', target: '#errored', actions: ['noteFailure', 'countAttempt', 'restInErrored'] },
  { target: '#backoff', actions: ['noteFailure', 'countAttempt', 'restInBackoff'] },
] as const;

/** Every failed attempt takes the same fork: the verdict of its code, then the number of tries. */
const toTrouble = [
  { guard: 'needsPerson', target: '#errored', actions: ['noteFailure', 'countAttempt', 'restInErrored'] },
  ...toRetry,
] as const;

/** A resting state that has a timer is left in these ways. */
const whileResting = {
  TIMER_DUE: { target: '#locked', actions: 'serveTimer' },
  SYNC_REQUESTED: { target: '#locked', actions: 'serveRequest' },
  PLAN: onPlan,
} as const;

const waiting = { description: 'The timer is durable, or the sweep will make it so.' } as const;

/** The two halves that `backoff` and `errored` share; they differ in what they mean and in who may end them. */
const troubled = (state: 'backoff' | 'errored') =>
  ({
    initial: 'recording',
    on: whileResting,
    states: {
      recording: {
        description: 'The failed attempt is being written to the row (M4); nothing may cut in.',
        on: { TIMER_DUE: {}, SYNC_REQUESTED: {}, PLAN: {} },
        invoke: {
          src: 'settle',
          input: failed(state),
          onDone: restAsPlanned,
          // Postgres is away: the attempt is told when it is back, by the sweep.
          onError: { target: 'waiting', actions: 'forgetAttempt' },
        },
      },
      arming: { invoke: { src: 'armTimer', input: arm, onDone: 'waiting', onError: 'waiting' } },
      waiting,
    },
  }) as const;

export const fabricMachine = machine.createMachine({
  id: 'fabric',
  initial: 'idle',
  context: ({ input }) => ({
    ...input,
    plan: { state: 'idle', reason: 'not_configured' },
    rest: 'idle',
    attempts: 0,
    failure: null,
    trigger: 'sync',
    servedDueMs: null,
    follows: [],
    token: null,
    claim: null,
    obstacle: null,
  }),
  states: {
    idle: {
      id: 'idle',
      tags: 'resting',
      description: 'At rest, with no timer; the plan holds the reason.',
      on: {
        PLAN: onPlan,
        SYNC_REQUESTED: { guard: 'manualAllowed', target: 'locked', actions: 'serveRequest' },
      },
    },
    scheduled: {
      id: 'scheduled',
      tags: 'resting',
      description: 'All is well; the next sync has a time.',
      initial: 'arming',
      on: whileResting,
      states: {
        arming: { invoke: { src: 'armTimer', input: arm, onDone: 'waiting', onError: 'waiting' } },
        waiting,
      },
    },
    locked: {
      id: 'locked',
      tags: 'working',
      description: 'Asking for the lease and then for the claim: from here on nobody else may run this fabric.',
      initial: 'acquiring',
      // Not cut short: whoever leaves a question open would not hear that it was granted.
      on: { CANCEL_REQUESTED: { actions: 'noteObstacle' } },
      states: {
        acquiring: {
          invoke: {
            src: 'acquireLease',
            input: attempt,
            onDone: [{ guard: 'leaseAcquired', target: 'claiming', actions: 'holdLease' }, ...backToRest],
            onError: { target: '#returning', actions: 'noteObstacle' },
          },
        },
        claiming: {
          invoke: {
            src: 'makeClaim',
            input: claim,
            onDone: [
              {
                guard: and(['claimGranted', 'isStopped']),
                target: '#syncing.stopping',
                actions: ['holdClaim', 'failByObstacle'],
              },
              { guard: 'claimGranted', target: '#syncing', actions: 'holdClaim' },
              { guard: 'claimContended', target: '#returning' },
              ...restAsPlanned,
            ],
            onError: { target: '#returning', actions: 'noteObstacle' },
          },
        },
        returning: {
          id: 'returning',
          description: 'Contended, or stopped, or our own servers are away: neither a failure nor an attempt (M3, M5).',
          always: backToRest,
        },
      },
    },
    syncing: {
      id: 'syncing',
      tags: 'working',
      description: 'Reading the fabric and merging it, under a live lease.',
      invoke: { src: 'keepLease', input: run },
      initial: 'running',
      states: {
        running: {
          invoke: {
            src: 'runSync',
            input: run,
            onDone: restAsPlanned,
            onError: [{ guard: 'mustWait', target: 'stopping', actions: 'noteFailure' }, ...toTrouble],
          },
          after: { runDeadline: toRetry },
          on: {
            LEASE_LOST: toRetry,
            CANCEL_REQUESTED: { target: 'stopping', actions: 'noteFailure' },
          },
        },
        stopping: {
          description: 'Cancelled or overtaken: the row gets back what it said before the run.',
          invoke: {
            src: 'settle',
            input: cancelled,
            onDone: restAsPlanned,
            onError: '#returning',
          },
        },
      },
    },
    backoff: {
      id: 'backoff',
      tags: 'resting',
      description: 'A transient failure; the retry has a time.',
      ...troubled('backoff'),
    },
    errored: {
      id: 'errored',
      tags: 'resting',
      description: 'Retries are used up, or only a person can mend it; a slow probe keeps it self-healing.',
      ...troubled('errored'),
    },
  },
});
