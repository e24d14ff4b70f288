import { describe } from 'vitest';
import { MemoryTimers } from '../../src/fleet/memory-timers.ts';
import { timerStoreSuite } from './timer-store.suite.ts';

describe('timers in memory', () => {
  timerStoreSuite(
    async () => {
      const store = new MemoryTimers();
      return { store, other: store, close: async () => {} };
    },
    // So many that the heap is built anew on the way.
    { modelRuns: 200, modelActs: 400 },
  );
});
