import { describe } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { MemoryDoor } from '../support/memory-lock.ts';
import { fabricLockSuite } from './fabric-lock.suite.ts';

describe('the lock in memory, as tests use it', () => {
  fabricLockSuite(async () => {
    const door = new MemoryDoor(systemClock);
    return { hand: (ttlMs) => door.lock(ttlMs), close: async () => {} };
  });
});
