// What Redis says of a fabric's timer beside what its row says: do they agree?

import type { Plan } from '../../machines/fabric/plan.ts';
import type { StoredTimer } from '../ports/timers.ts';

/** What could be had of the timers: Redis answers, it does not, or it is not used by choice. */
export type TimersRead =
  | { readonly state: 'answers'; readonly timers: readonly StoredTimer[] }
  | { readonly state: 'unavailable'; readonly problem: string }
  | { readonly state: 'none' };

/**
 * - `armed`: as the row says. `claimed`: a daemon took it and has not armed the next one yet.
 * - `missing`, `extra`, `different`: Redis and Postgres disagree; a daemon's sweep repairs it.
 * - `moving`: they disagreed in one of two looks: a run was ending in between.
 * - `none`: there is to be none, and there is none. `unknown`: Redis could not be asked.
 */
export type TimerState = 'armed' | 'claimed' | 'missing' | 'extra' | 'different' | 'moving' | 'none' | 'unknown';

export const timerDisagrees: Readonly<Record<TimerState, boolean>> = {
  armed: false,
  claimed: false,
  missing: true,
  extra: true,
  different: true,
  moving: false,
  none: false,
  unknown: false,
};

/**
 * @param plan what the row says the fabric should be doing
 * @param running a live lease: its run will arm the next timer, so whatever stands there now is right
 * @param timer undefined where Redis has none
 */
export function timerState(
  plan: Plan,
  running: boolean,
  timer: StoredTimer | undefined,
  timers: TimersRead['state'],
): TimerState {
  if (timers !== 'answers') return 'unknown';
  const claimed = timer !== undefined && timer.showsAtMs > timer.dueAtMs;
  if (running) return claimed ? 'claimed' : timer ? 'armed' : 'none';
  if (plan.state === 'idle') return timer ? 'extra' : 'none';
  if (!timer) return 'missing';
  if (timer.dueAtMs !== plan.dueAtMs || timer.kind !== plan.kind) return 'different';
  return claimed ? 'claimed' : 'armed';
}
