// Asks whoever can be asked, and makes the view of it. A part that is down costs its own part of the view, no more.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Clock } from '../clock.ts';
import type { Operator } from '../ports/operator.ts';
import type { TimersRead } from './timer-view.ts';
import { type DaemonWord, disagreeing, type StatusView, statusView, type ViewInput } from './view.ts';

export interface ViewSources {
  readonly operator: Pick<Operator, 'status'>;
  /** Never throws: a Redis that does not answer is an answer. */
  readTimers(): Promise<TimersRead>;
  /** Null where no socket answers; never throws. */
  daemon(): Promise<DaemonWord | null>;
  readonly clock: Clock;
}

/** Rows and timers are read a moment apart; a disagreement counts when it is still there this much later. */
const secondLookMs = 300;

/** @param fabricId only this one; its timer is compared, and no timer is called an orphan */
export async function readStatus(sources: ViewSources, fabricId?: string, signal?: AbortSignal): Promise<StatusView> {
  const first = statusView(await ask(sources, fabricId));
  const suspects = disagreeing(first);
  if (suspects.size === 0) return first;
  await sources.clock.sleep(secondLookMs, signal);
  return statusView({ ...(await ask(sources, fabricId)), suspects });
}

async function ask({ operator, readTimers, daemon, clock }: ViewSources, fabricId?: string): Promise<ViewInput> {
  const rows = operator.status(fabricId).catch((thrown: unknown) => {
    if (thrown instanceof FabricFailure && thrown.code === 'DATABASE_UNAVAILABLE') return { problem: thrown.message };
    throw thrown;
  });
  const [answered, timers, word] = await Promise.all([rows, readTimers(), daemon()]);
  return { rows: answered, timers, daemon: word, nowMs: clock.nowMs(), partial: fabricId !== undefined };
}
