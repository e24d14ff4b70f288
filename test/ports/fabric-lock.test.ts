import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { redisKeys } from '../../src/redis/keys.ts';
import { RedisLock } from '../../src/redis/lock.ts';
import { handClock } from '../support/hand-clock.ts';
import { MemoryDoor } from '../support/memory-lock.ts';
import { MemoryLockNode, steadyLockNode } from '../support/memory-lock-node.ts';
import { fabricLockSuite } from './fabric-lock.suite.ts';

describe('the lock in memory, as tests use it', () => {
  fabricLockSuite(async () => {
    const door = new MemoryDoor(systemClock);
    return { hand: (ttlMs) => door.lock(ttlMs), close: async () => {} };
  });
});

const keys = redisKeys('memory');

function nodesInMemory(count: number): readonly MemoryLockNode[] {
  return Array.from({ length: count }, () => new MemoryLockNode(() => systemClock.monotonicMs()));
}

const handOn = (nodes: readonly MemoryLockNode[]) => (ttlMs: number) =>
  new RedisLock({ nodes: nodes.map((node) => steadyLockNode(node, 'hand')), keys, clock: systemClock, ttlMs });

describe.each([1, 2, 3])('the real lock over nodes in memory, as the simulator uses it: %i', (count) => {
  fabricLockSuite(async () => ({ hand: handOn(nodesInMemory(count)), close: async () => {} }));
});

test('a node that was restarted without what it held is told the scripts again', async () => {
  const nodes = nodesInMemory(3);
  const lock = handOn(nodes)(60_000);
  expect((await lock.acquire('7')).kind).toBe('acquired');
  for (const node of nodes) {
    node.forget();
    node.forgetScripts();
  }
  expect((await lock.acquire('7')).kind).toBe('acquired');
});

test('of two nodes that disagree no majority comes: it is contended, and what one of them granted is given back', async () => {
  const nodes = nodesInMemory(2);
  const [mine, theirs] = nodes;
  const other = handOn(theirs ? [theirs] : [])(60_000);
  expect((await other.acquire('7')).kind).toBe('acquired');
  // Its clock stands still: nothing but an answer of the nodes ends the question.
  const views = nodes.map((node) => steadyLockNode(node, 'hand'));
  const lock = new RedisLock({ nodes: views, keys, clock: handClock(), ttlMs: 60_000 });
  expect(await lock.acquire('7')).toEqual({ kind: 'contended' });
  expect(mine?.held(keys.lock('7'))).toBeNull();
});
