// What is remembered of many fabrics: one finding for all that serve the same, and nothing that no run will use again.

import { expect, test } from 'vitest';
import { DiscoveryCache } from '../src/sync/discover.ts';
import { resolveKinds } from '../src/sync/kinds.ts';
import { FakeFabric } from './support/fake-fabric-api.ts';

const ttlMs = 60_000;
const wanted = resolveKinds([], []);
const never = new AbortController().signal;

function cacheAt() {
  const at = { ms: 0 };
  const clock = { nowMs: () => 0, monotonicMs: () => at.ms, sleep: async () => {}, after: () => () => {} };
  const cache = new DiscoveryCache(clock, ttlMs);
  const ask = (fabricId: string, api = new FakeFabric(), kinds = wanted) =>
    cache.of({ fabricId, server: `https://${fabricId}.example` }, kinds, api, never);
  return { at, cache, ask };
}

test('fabrics that serve the same share what was found', async () => {
  const { ask } = cacheAt();
  const one = await ask('1');
  const other = await ask('2');
  expect(other.fresh).toBe(true);
  expect(other.served).toBe(one.served);
});

test('a fabric that serves something else, or of which other kinds are wanted, has a finding of its own', async () => {
  const { ask } = cacheAt();
  const one = await ask('1');
  const older = new FakeFabric();
  older.unserve('Gateway', 'GatewayGroup', 'GatewayPeering');
  const other = await ask('2', older);
  expect(other.served).not.toBe(one.served);
  expect([...one.served.keys()].filter((kind) => !other.served.has(kind))).toHaveLength(3);
  const fewer = await ask('3', new FakeFabric(), resolveKinds([], ['Server']));
  expect(one.served.size - fewer.served.size).toBe(1);
  expect((await ask('1')).served).toBe(one.served);
});

test('a version that moved is a new finding', async () => {
  const { ask } = cacheAt();
  const one = await ask('1');
  const moved = new FakeFabric();
  moved.served = moved.served.map((kind) => ({ ...kind, version: 'v1' }));
  const other = await ask('2', moved);
  expect([...other.served.values()].every(({ version }) => version === 'v1')).toBe(true);
  expect([...one.served.values()].some(({ version }) => version === 'v1')).toBe(false);
});

test('what is too old to be used is let go when the next fabric is asked', async () => {
  const { at, cache, ask } = cacheAt();
  for (let fabric = 0; fabric < 10; fabric++) {
    at.ms = fabric * (ttlMs / 4);
    await ask(String(fabric));
  }
  expect(cache.size).toBe(4);
  expect((await ask('9')).fresh).toBe(false);
  at.ms += ttlMs;
  expect((await ask('9')).fresh).toBe(true);
  expect(cache.size).toBe(1);
});
