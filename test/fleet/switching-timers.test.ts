// H1 to H3 are those of `src/fleet/switching-timers.ts`. The remote store is memory too, with an outage at hand.

import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { MemoryTimers } from '../../src/fleet/memory-timers.ts';
import { SwitchingTimers } from '../../src/fleet/switching-timers.ts';
import type { Timer } from '../../src/ports/timers.ts';
import { timer } from '../ports/timer-store.suite.ts';

class Remote extends MemoryTimers {
  up = true;
  /** Answers of `armMany` wait for this. */
  gate: Promise<void> = Promise.resolve();
  readonly #hearers = new Set<(up: boolean) => void>();

  override async arm(one: Timer): Promise<void> {
    this.#answer();
    return super.arm(one);
  }

  override async armMany(timers: readonly Timer[], options: { onlyMissing: boolean }): Promise<{ armed: number }> {
    this.#answer();
    await this.gate;
    this.#answer();
    return super.armMany(timers, options);
  }

  override async claimDue(request: { nowMs: number; holdMs: number; atMost: number }): Promise<readonly Timer[]> {
    this.#answer();
    return super.claimDue(request);
  }

  onChange(hear: (up: boolean) => void): () => void {
    this.#hearers.add(hear);
    return () => this.#hearers.delete(hear);
  }

  set(up: boolean): void {
    if (this.up === up) return;
    this.up = up;
    for (const hear of this.#hearers) hear(up);
  }

  #answer(): void {
    if (!this.up) throw new FabricFailure('REDIS_UNAVAILABLE', 'it is away');
  }
}

function setUp(up = true) {
  const remote = new Remote();
  remote.up = up;
  const timers = new SwitchingTimers(remote, remote);
  const modes: boolean[] = [];
  timers.onModeChange(() => modes.push(timers.degraded));
  /** Resolves when all that is under way between the stores is done. */
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { remote, timers, modes, settled };
}

const due = { nowMs: 1_000, holdMs: 60_000, atMost: 10 };
const shows = async (store: MemoryTimers | SwitchingTimers) =>
  Object.fromEntries((await store.all()).map((one) => [one.fabricId, one.showsAtMs]));

describe('while Redis answers', () => {
  test('everything goes there and nothing is kept here', async () => {
    const { remote, timers, modes } = setUp();
    await timers.arm(timer('1', 500));
    expect(await shows(remote)).toEqual({ 1: 500 });
    expect(timers.degraded).toBe(false);
    expect(modes).toEqual([]);
  });

  test('a mistake of ours is not an outage: it is thrown, and the mode stays', async () => {
    const { remote, timers, modes } = setUp();
    remote.claimDue = async () => {
      throw new TypeError('no such thing');
    };
    await expect(timers.claimDue(due)).rejects.toThrow(TypeError);
    expect(modes).toEqual([]);
  });
});

describe('when Redis goes', () => {
  test('the very call that finds it out is answered from memory, and all after it (H1)', async () => {
    const { remote, timers, modes } = setUp();
    remote.up = false;
    await timers.arm(timer('1', 500));
    expect(timers.degraded).toBe(true);
    expect(modes).toEqual([true]);
    expect(await timers.claimDue(due)).toEqual([timer('1', 500)]);
    expect(modes).toEqual([true]);
    expect(remote.size).toBe(0);
  });

  test('a connection that is lost is found out without a call, and memory begins empty (H2)', async () => {
    const { remote, timers, modes } = setUp();
    await timers.arm(timer('1', 500));
    remote.set(false);
    expect(modes).toEqual([true]);
    expect(await timers.all()).toEqual([]);
    expect(await timers.nextMs()).toBeNull();
  });

  test('sleepers are woken at each change, and by timers armed in memory', async () => {
    const { remote, timers, settled } = setUp();
    let wakes = 0;
    timers.onWake(() => wakes++);
    remote.set(false);
    expect(wakes).toBe(1);
    await timers.arm(timer('1', 500));
    expect(wakes).toBe(2);
    remote.set(true);
    await settled();
    expect(wakes).toBeGreaterThan(2);
  });
});

describe('when Redis comes back', () => {
  test('at a start there is nothing to write: it is used at once', () => {
    const { remote, timers, modes } = setUp(false);
    expect(timers.degraded).toBe(true);
    remote.set(true);
    expect(timers.degraded).toBe(false);
    expect(modes).toEqual([false]);
  });

  test('what is old there is written over before it can be claimed, and claims go on (H3)', async () => {
    const { remote, timers, modes, settled } = setUp();
    await timers.armMany([timer('old', 100), timer('running', 200)], { onlyMissing: false });
    remote.set(false);
    await timers.armMany([timer('old', 90_000), timer('running', 300)], { onlyMissing: false });
    await timers.claimDue(due);
    remote.set(true);
    await settled();
    expect(modes).toEqual([true, false]);
    expect(await shows(remote)).toEqual({ old: 90_000, running: 61_000 });
    expect(await timers.claimDue(due)).toEqual([]);
    expect(await timers.claimDue({ ...due, nowMs: 61_000 })).toEqual([timer('running', 300)]);
  });

  test('what moves while it is written over is not lost (H3)', async () => {
    const { remote, timers, settled } = setUp(false);
    await timers.armMany([timer('stays', 5_000), timer('goes', 6_000), timer('due', 500)], { onlyMissing: false });
    const gate = Promise.withResolvers<void>();
    remote.gate = gate.promise;
    remote.set(true);
    expect(timers.degraded).toBe(true);
    await timers.arm(timer('new', 7_000));
    await timers.cancel('goes');
    expect(await timers.claimDue(due)).toEqual([timer('due', 500)]);
    gate.resolve();
    await settled();
    expect(timers.degraded).toBe(false);
    expect(await shows(remote)).toEqual({ stays: 5_000, new: 7_000, due: 61_000 });
  });

  test('where it goes again in the middle, memory is used as before, and the next return begins anew', async () => {
    const { remote, timers, modes, settled } = setUp(false);
    await timers.arm(timer('1', 5_000));
    const gate = Promise.withResolvers<void>();
    remote.gate = gate.promise;
    remote.set(true);
    await settled();
    remote.set(false);
    gate.resolve();
    await settled();
    expect(timers.degraded).toBe(true);
    expect(await shows(timers)).toEqual({ 1: 5_000 });
    remote.set(true);
    await settled();
    expect(modes).toEqual([false]);
    expect(await shows(remote)).toEqual({ 1: 5_000 });
  });

  test('a return that another outage overtook does not end the one after it', async () => {
    const { remote, timers, settled } = setUp(false);
    await timers.arm(timer('1', 5_000));
    const first = Promise.withResolvers<void>();
    remote.gate = first.promise;
    remote.set(true);
    await settled();
    remote.set(false);
    const second = Promise.withResolvers<void>();
    remote.gate = second.promise;
    await timers.arm(timer('1', 9_000));
    remote.set(true);
    await settled();
    first.resolve();
    await settled();
    expect(timers.degraded).toBe(true);
    second.resolve();
    await settled();
    expect(timers.degraded).toBe(false);
    expect(await shows(remote)).toEqual({ 1: 9_000 });
  });

  test('after close nothing changes any more', async () => {
    const { remote, timers, modes } = setUp();
    timers.close();
    remote.set(false);
    expect(timers.degraded).toBe(false);
    expect(modes).toEqual([]);
  });
});
