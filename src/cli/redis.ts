import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { TimersRead } from '../inspector/timer-view.ts';
import type { TimerStore } from '../ports/timers.ts';

/** `unavailable`: Redis does not answer, and the lease there ends by itself. */
export type BrokenLock = 'freed' | 'not_locked' | 'unavailable' | 'none';

export interface RedisPart {
  readonly timers: TimerStore | null;
  readTimers(): Promise<TimersRead>;
  breakLock(fabricId: string): Promise<BrokenLock>;
  close(): Promise<void>;
}

export function openRedis(_config: Config, _clock: Clock): RedisPart {
  return {
    timers: null,
    readTimers: async () => ({ state: 'none' }),
    breakLock: async () => 'none',
    close: async () => {},
  };
}
