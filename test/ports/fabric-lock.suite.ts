// What every lock on a fabric does, whatever keeps it. K1, K2 and K3 are those of `src/ports/lock.ts`.

import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { FabricLock, Lease } from '../../src/ports/lock.ts';

export interface LockUnderTest {
  /** Another daemon's hand on the same locks. */
  hand(ttlMs: number): FabricLock;
  close(): Promise<void>;
}

/** Longer than any test. */
const longMs = 60_000;
/** Short enough to see its end. */
const shortMs = 150;

export async function mustAcquire(lock: FabricLock, fabricId: string): Promise<Lease> {
  const answer = await lock.acquire(fabricId);
  if (answer.kind !== 'acquired') throw new Error(`expected the lock on ${fabricId}, got ${answer.kind}`);
  return answer.lease;
}

export function fabricLockSuite(open: () => Promise<LockUnderTest>): void {
  const opened: LockUnderTest[] = [];
  const door = async () => {
    const one = await open();
    opened.push(one);
    return one;
  };
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  test('a free fabric is locked, and trusted for less than the lease lives, from before the question (K1)', async () => {
    const lock = (await door()).hand(longMs);
    const askedMs = systemClock.monotonicMs();
    const lease = await mustAcquire(lock, '7');
    const answeredMs = systemClock.monotonicMs();
    expect(lease.fabricId).toBe('7');
    expect(lease.trustedUntilMs).toBeLessThan(answeredMs + longMs);
    expect(lease.trustedUntilMs).toBeGreaterThan(askedMs + longMs * 0.9);
  });

  test('a locked fabric is contended for everybody, also for who holds it, and others are free', async () => {
    const { hand } = await door();
    const [mine, theirs] = [hand(longMs), hand(longMs)];
    await mustAcquire(mine, '7');
    expect(await theirs.acquire('7')).toEqual({ kind: 'contended' });
    expect(await mine.acquire('7')).toEqual({ kind: 'contended' });
    await mustAcquire(theirs, '8');
  });

  test('of many who ask at once one gets it', async () => {
    const { hand } = await door();
    const answers = await Promise.all(Array.from({ length: 10 }, () => hand(longMs).acquire('7')));
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['acquired', ...Array(9).fill('contended')]);
  });

  test('a released fabric is free at once, and releasing twice takes nothing from the next holder', async () => {
    const { hand } = await door();
    const [mine, theirs] = [hand(longMs), hand(longMs)];
    const lease = await mustAcquire(mine, '7');
    await mine.release(lease);
    const next = await mustAcquire(theirs, '7');
    await mine.release(lease);
    expect(await mine.acquire('7')).toEqual({ kind: 'contended' });
    await theirs.release(next);
    await mustAcquire(mine, '7');
  });

  test('a renewed lease is trusted for longer, still keeps others out, and is what is given back', async () => {
    const { hand } = await door();
    const [mine, theirs] = [hand(longMs), hand(longMs)];
    const first = await mustAcquire(mine, '7');
    const second = await mine.renew(first);
    if (!second) throw new Error('it was not renewed');
    expect(second.fabricId).toBe('7');
    expect(second.trustedUntilMs).toBeGreaterThan(first.trustedUntilMs);
    expect(await theirs.acquire('7')).toEqual({ kind: 'contended' });
    await mine.release(second);
    await mustAcquire(theirs, '7');
  });

  test('a lease that was given back cannot be renewed', async () => {
    const { hand } = await door();
    const mine = hand(longMs);
    const lease = await mustAcquire(mine, '7');
    await mine.release(lease);
    expect(await mine.renew(lease)).toBeNull();
    await mustAcquire(mine, '7');
  });

  test('a lease that is not renewed ends by itself; its late holder can neither renew nor release it (K2)', async () => {
    const { hand } = await door();
    const [mine, theirs] = [hand(shortMs), hand(longMs)];
    const lease = await mustAcquire(mine, '7');
    await expect.poll(() => theirs.acquire('7').then(({ kind }) => kind), { timeout: 10_000 }).toBe('acquired');
    expect(systemClock.monotonicMs()).toBeGreaterThan(lease.trustedUntilMs);
    expect(await mine.renew(lease)).toBeNull();
    await mine.release(lease);
    expect(await hand(longMs).acquire('7')).toEqual({ kind: 'contended' });
  });

  test('renewing keeps it for longer than it would have lived', async () => {
    const { hand } = await door();
    const [mine, theirs] = [hand(1_500), hand(longMs)];
    let lease = await mustAcquire(mine, '7');
    const endMs = systemClock.monotonicMs() + 1_500;
    while (systemClock.monotonicMs() < endMs) {
      const renewed = await mine.renew(lease);
      if (!renewed) throw new Error('it was lost while it was renewed');
      lease = renewed;
      expect(await theirs.acquire('7')).toEqual({ kind: 'contended' });
      await systemClock.sleep(50);
    }
  });
}
