// A small fabric, an inventory in sync with it, and what a test expects a run to have come to.

import { expect } from 'vitest';
import type { SyncEnding } from '../../src/sync/run.ts';
import { FakeFabric } from './fake-fabric-api.ts';
import { FakeInventory } from './fake-inventory.ts';

export const some = (count: number, prefix = 'server') =>
  Array.from({ length: count }, (_, at) => `${prefix}-${String(at).padStart(4, '0')}`);

export function lab(): FakeFabric {
  const fabric = new FakeFabric();
  fabric.put('Switch', 'spine-01', 'spine-02', 'leaf-01', 'leaf-02', 'leaf-03');
  fabric.put('Server', ...some(12));
  fabric.put('VPC', 'vpc-01', 'vpc-02');
  return fabric;
}

export function committed(ending: SyncEnding): Extract<SyncEnding, { kind: 'committed' }> {
  if (ending.kind === 'failed') throw ending.failure;
  return ending;
}

export function failed(ending: SyncEnding): Extract<SyncEnding, { kind: 'failed' }> {
  if (ending.kind !== 'failed') throw new Error(`it committed: ${ending.outcome}`);
  return ending;
}

/** A fabric and an inventory that is in sync with it. */
export async function inSync(fabric = lab()): Promise<{ fabric: FakeFabric; inventory: FakeInventory }> {
  const inventory = new FakeInventory();
  expect(committed(await inventory.sync(fabric)).outcome).toBe('complete');
  return { fabric, inventory };
}
