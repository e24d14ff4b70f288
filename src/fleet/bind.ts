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
import type { Attempts } from './attempts.ts';

export function bindFabricMachine(attempts: Attempts): typeof fabricMachine {
  return fabricMachine.provide({
    actors: {
      armTimer: fromPromise<void, ArmInput>(({ input }) => attempts.armTimer(input)),
      acquireLease: fromPromise<LockAnswer, AttemptInput>(({ input, signal }) => attempts.acquireLease(input, signal)),
      makeClaim: fromPromise<ClaimAnswer, AttemptInput & { token: string }>(({ input }) => attempts.makeClaim(input)),
      runSync: fromPromise<RunEnding, RunInput>(({ input, signal }) => attempts.runSync(input, signal)),
      keepLease: fromCallback<FabricEvent, RunInput>(({ input, sendBack }) =>
        attempts.keepLease(input, (reason) => sendBack({ type: 'LEASE_LOST', reason })),
      ),
      settle: fromPromise<{ plan: Plan }, SettleInput>(({ input }) => attempts.settle(input)),
    },
  });
}
