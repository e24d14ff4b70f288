import { beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { type Health, Watchdog } from '../../src/systemd/watchdog.ts';

const pid = 4711;
const stuck: Health = { ok: false, why: 'a timer is 40 s late' };

let health: Health;
let nowMs: number;
let timer: { atMs: number; act: () => void } | null;
let told: string[];

/** One timer is all that a watchdog has. */
const clock: Pick<Clock, 'after'> = {
  after(ms, act) {
    const mine = { atMs: nowMs + ms, act };
    timer = mine;
    return () => {
      if (timer === mine) timer = null;
    };
  },
};

function advance(ms: number): void {
  const untilMs = nowMs + ms;
  while (timer && timer.atMs <= untilMs) {
    const { atMs, act } = timer;
    timer = null;
    nowMs = atMs;
    act();
  }
  nowMs = untilMs;
}

const watchdog = (env: Record<string, string>) =>
  new Watchdog({
    env,
    pid,
    clock: clock as Clock,
    healthy: () => health,
    notifier: { alive: () => told.push('alive'), status: (text) => told.push(text) },
    onChange: (changed) => told.push(changed.ok ? 'mended' : `broken: ${changed.why}`),
  });

beforeEach(() => {
  health = { ok: true };
  nowMs = 0;
  timer = null;
  told = [];
});

describe('the watchdog', () => {
  test('is fed at once, and then at half of the time that systemd waits', async () => {
    const dog = watchdog({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(pid) });
    expect(dog.everyMs).toBe(30_000);
    await dog.start();
    expect(told).toEqual(['alive']);
    advance(29_999);
    expect(told).toHaveLength(1);
    advance(60_001);
    expect(told).toEqual(['alive', 'alive', 'alive', 'alive']);
  });

  test('goes hungry while the work stands still, with the reason, and is fed again when it gets on', async () => {
    const dog = watchdog({ WATCHDOG_USEC: '2000000' });
    await dog.start();
    told = [];
    health = stuck;
    advance(2_000);
    const status = 'stuck, not feeding the watchdog: a timer is 40 s late';
    expect(told).toEqual([status, 'broken: a timer is 40 s late', status]);
    told = [];
    health = { ok: true };
    advance(1_000);
    expect(told).toEqual(['alive', 'mended']);
  });

  test('is not fed after a stop; a second start does not feed it twice', async () => {
    const dog = watchdog({ WATCHDOG_USEC: '2000000' });
    await dog.start();
    await dog.start();
    expect(told).toEqual(['alive']);
    await dog.stop();
    await dog.stop();
    advance(10_000);
    expect(told).toEqual(['alive']);
    await dog.start();
    expect(told).toEqual(['alive', 'alive']);
  });

  test.each([
    ['systemd asked for none', {}],
    ['systemd asked another process', { WATCHDOG_USEC: '2000000', WATCHDOG_PID: '1' }],
    ['the time is no number', { WATCHDOG_USEC: 'soon' }],
    ['the time is zero', { WATCHDOG_USEC: '0' }],
  ])('is not there where %s', async (_, env: Record<string, string>) => {
    const dog = watchdog(env);
    await dog.start();
    advance(10_000);
    expect(dog.everyMs).toBeNull();
    expect(told).toEqual([]);
  });
});
