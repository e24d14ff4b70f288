// Binds the statechart's ports to one `Attempts`: the only `provide` there is.

import { fromCallback, fromPromise } from 'xstate';
import type { FabricEvent } from '../../machines/fabric/events.ts';
import { fabricMachine } from '../../machines/fabric/machine.ts';
import type { Plan } from '../../machines/fabric/plan.ts';
import type {
  ArmInput,
  AttemptInput,
  ClaimAnswer,
  LockAnswer,
  RunEnding,
  RunInput,
  SettleInput,
} from '../../machines/fabric/ports.ts';
import { noTracing, type Tracing } from '../../otel/tracing.ts';
import type { Attempts } from './attempts.ts';

/**
 * @param tracing each port does its work as a part of what the fabric is doing; what it arms and what it claims carries the
 *   trace on
 */
export function bindFabricMachine(
  attempts: Attempts,
  tracing: Pick<Tracing, 'within' | 'traceparent'> = noTracing,
): typeof fabricMachine {
  const within = <Answer>({ fabricId }: { fabricId: string }, work: () => Answer): Answer =>
    tracing.within(fabricId, work);
  return fabricMachine.provide({
    actors: {
      armTimer: fromPromise<void, ArmInput>(({ input }) =>
        within(input, () => attempts.armTimer(input, tracing.traceparent(input.fabricId))),
      ),
      acquireLease: fromPromise<LockAnswer, AttemptInput>(({ input, signal }) =>
        within(input, () => attempts.acquireLease(input, signal)),
      ),
      makeClaim: fromPromise<ClaimAnswer, AttemptInput & { token: string }>(({ input }) =>
        within(input, () => attempts.makeClaim(input, tracing.traceparent(input.fabricId))),
      ),
      runSync: fromPromise<RunEnding, RunInput>(({ input, signal }) =>
        within(input, () => attempts.runSync(input, signal)),
      ),
      keepLease: fromCallback<FabricEvent, RunInput>(({ input, sendBack }) =>
        within(input, () => attempts.keepLease(input, (reason) => sendBack({ type: 'LEASE_LOST', reason }))),
      ),
      settle: fromPromise<{ plan: Plan }, SettleInput>(({ input }) => within(input, () => attempts.settle(input))),
    },
  });
}
