// What every timer store does, whatever keeps it. T1, T2 and T3 are those of `src/ports/timers.ts`.

import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { StoredTimer, Timer, TimerStore } from '../../src/ports/timers.ts';

export interface TimersUnderTest {
  readonly store: TimerStore;
  /** Another daemon's hand on the same timers; the same hand where there is only one. */
  readonly other: TimerStore;
  close(): Promise<void>;
}

/** A timer of the kind that is asked about most. */
export function timer(fabricId: string, dueAtMs: number, more: Partial<Timer> = {}): Timer {
  return { fabricId, kind: 'sync', dueAtMs, traceparent: null, ...more };
}

const ids = (timers: readonly Timer[]) => timers.map(({ fabricId }) => fabricId);
const byId = (timers: readonly StoredTimer[]) =>
  [...timers].sort((a, b) => a.fabricId.localeCompare(b.fabricId, 'en', { numeric: true }));

/** @param open a store without any timer, ready to hear wakes */
export function timerStoreSuite(
  open: () => Promise<TimersUnderTest>,
  { modelRuns, modelActs = 80 }: { modelRuns: number; modelActs?: number },
): void {
  const opened: TimersUnderTest[] = [];
  const timers = async () => {
    const one = await open();
    opened.push(one);
    return one;
  };
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  describe('arming', () => {
    test('a store without timers has nothing due, nothing next and nothing at all', async () => {
      const { store } = await timers();
      expect(await store.claimDue({ nowMs: Number.MAX_SAFE_INTEGER, holdMs: 0, atMost: 10 })).toEqual([]);
      expect(await store.nextMs()).toBeNull();
      expect(await store.all()).toEqual([]);
    });

    test('a timer is kept with everything that it was armed with, and shows when it is due', async () => {
      const { store, other } = await timers();
      const armed = timer('7', 1_795_000_000_123, {
        kind: 'retry',
        traceparent: `00-${'a'.repeat(32)}-b7ad6b7169203331-01`,
      });
      await store.arm(armed);
      expect(await other.nextMs()).toBe(1_795_000_000_123);
      expect(await other.all()).toEqual([{ ...armed, showsAtMs: 1_795_000_000_123 }]);
    });

    test('a fabric has one timer: arming again replaces it, to earlier and to later (T2)', async () => {
      const { store } = await timers();
      await store.arm(timer('1', 5_000));
      await store.arm(timer('1', 3_000, { kind: 'probe' }));
      expect(await store.all()).toEqual([{ ...timer('1', 3_000, { kind: 'probe' }), showsAtMs: 3_000 }]);
      await store.arm(timer('1', 9_000));
      expect(await store.nextMs()).toBe(9_000);
      expect(await store.all()).toHaveLength(1);
    });

    test('many are armed at once, also more than fit one command, and all are there', async () => {
      const { store, other } = await timers();
      const many = Array.from({ length: 2_345 }, (_, i) => timer(`${i}`, 10_000 + i));
      expect(await store.armMany(many, { onlyMissing: false })).toEqual({ armed: 2_345 });
      expect(byId(await other.all())).toEqual(many.map((one) => ({ ...one, showsAtMs: one.dueAtMs })));
      expect(await store.armMany([], { onlyMissing: false })).toEqual({ armed: 0 });
    });

    test('arming only what is missing leaves the others as they are, also one that is claimed', async () => {
      const { store } = await timers();
      await store.arm(timer('claimed', 1_000));
      await store.arm(timer('armed', 5_000));
      await store.claimDue({ nowMs: 2_000, holdMs: 30_000, atMost: 10 });
      const wanted = [timer('claimed', 1_500), timer('missing', 7_000), timer('armed', 6_000)];
      expect(await store.armMany(wanted, { onlyMissing: true })).toEqual({ armed: 1 });
      expect(byId(await store.all())).toEqual([
        { ...timer('armed', 5_000), showsAtMs: 5_000 },
        { ...timer('claimed', 1_000), showsAtMs: 32_000 },
        { ...timer('missing', 7_000), showsAtMs: 7_000 },
      ]);
      expect(await store.armMany(wanted, { onlyMissing: true })).toEqual({ armed: 0 });
    });

    test('a cancelled timer is gone, and cancelling none is no error', async () => {
      const { store, other } = await timers();
      await store.arm(timer('1', 1_000));
      await other.cancel('1');
      await other.cancel('1');
      expect(await store.nextMs()).toBeNull();
      expect(await store.all()).toEqual([]);
      expect(await store.claimDue({ nowMs: 2_000, holdMs: 10, atMost: 1 })).toEqual([]);
    });
  });

  describe('claiming', () => {
    test('what is due is handed out earliest first, and what is due later is not', async () => {
      const { store } = await timers();
      await store.armMany([timer('c', 3_000), timer('a', 1_000), timer('d', 3_001), timer('b', 2_000)], {
        onlyMissing: false,
      });
      expect(ids(await store.claimDue({ nowMs: 3_000, holdMs: 60_000, atMost: 10 }))).toEqual(['a', 'b', 'c']);
      expect(await store.nextMs()).toBe(3_001);
    });

    test('no more are taken than were asked for, and the rest stay for others', async () => {
      const { store, other } = await timers();
      await store.armMany([timer('a', 1), timer('b', 2), timer('c', 3)], { onlyMissing: false });
      expect(ids(await store.claimDue({ nowMs: 10, holdMs: 60_000, atMost: 2 }))).toEqual(['a', 'b']);
      expect(await store.nextMs()).toBe(3);
      expect(ids(await other.claimDue({ nowMs: 10, holdMs: 60_000, atMost: 2 }))).toEqual(['c']);
      expect(await store.claimDue({ nowMs: 10, holdMs: 60_000, atMost: 0 })).toEqual([]);
    });

    test('a claim hides a timer for the hold and never removes it: then it shows again, as it was armed (T1)', async () => {
      const { store, other } = await timers();
      const armed = timer('1', 1_000, { kind: 'retry' });
      await store.arm(armed);
      expect(await store.claimDue({ nowMs: 1_200, holdMs: 500, atMost: 5 })).toEqual([armed]);
      expect(await store.nextMs()).toBe(1_700);
      expect(await other.all()).toEqual([{ ...armed, showsAtMs: 1_700 }]);
      expect(await other.claimDue({ nowMs: 1_699, holdMs: 500, atMost: 5 })).toEqual([]);
      expect(await other.claimDue({ nowMs: 1_700, holdMs: 500, atMost: 5 })).toEqual([armed]);
    });

    test('what shows next after a claim is the end of its hold where that is earlier than all others', async () => {
      const { store } = await timers();
      await store.armMany([timer('a', 1_000), timer('b', 90_000)], { onlyMissing: false });
      await store.claimDue({ nowMs: 1_000, holdMs: 30_000, atMost: 10 });
      expect(await store.nextMs()).toBe(31_000);
    });

    test('what shows next is asked anew after anybody changed it', async () => {
      const { store, other } = await timers();
      await store.armMany([timer('a', 1_000), timer('b', 9_000)], { onlyMissing: false });
      await store.claimDue({ nowMs: 1_000, holdMs: 30_000, atMost: 10 });
      await other.arm(timer('c', 4_000));
      expect(await store.nextMs()).toBe(4_000);
      await store.claimDue({ nowMs: 1_000, holdMs: 30_000, atMost: 10 });
      await store.cancel('c');
      expect(await store.nextMs()).toBe(9_000);
    });

    test('arming a claimed timer ends the claim: it shows when it is due', async () => {
      const { store } = await timers();
      await store.arm(timer('1', 1_000));
      await store.claimDue({ nowMs: 1_000, holdMs: 60_000, atMost: 1 });
      await store.arm(timer('1', 2_000));
      expect(ids(await store.claimDue({ nowMs: 2_000, holdMs: 60_000, atMost: 1 }))).toEqual(['1']);
    });

    test('many hands that claim at once never get the same timer', async () => {
      const { store, other } = await timers();
      const many = Array.from({ length: 300 }, (_, i) => timer(`${i}`, i));
      await store.armMany(many, { onlyMissing: false });
      const claims = Array.from({ length: 12 }, (_, i) =>
        (i % 2 === 0 ? store : other).claimDue({ nowMs: 1_000, holdMs: 60_000, atMost: 40 }),
      );
      const taken = ids((await Promise.all(claims)).flat());
      expect(taken).toHaveLength(300);
      expect(new Set(taken).size).toBe(300);
    });
  });

  describe('holding', () => {
    test('a hold keeps a claimed timer hidden for longer, and is never shortened', async () => {
      const { store } = await timers();
      await store.arm(timer('1', 1_000));
      await store.claimDue({ nowMs: 1_000, holdMs: 10_000, atMost: 1 });
      await store.hold('1', 21_000);
      expect(await store.nextMs()).toBe(21_000);
      await store.hold('1', 15_000);
      expect(await store.all()).toEqual([{ ...timer('1', 1_000), showsAtMs: 21_000 }]);
    });

    test('where a fabric has no timer a hold makes none', async () => {
      const { store } = await timers();
      await store.hold('1', 5_000);
      expect(await store.nextMs()).toBeNull();
      expect(await store.all()).toEqual([]);
    });
  });

  describe('waking', () => {
    /** Counts wakes from now on. `after(n)` resolves when there were so many. */
    const ear = (store: TimerStore) => {
      let heard = 0;
      let tell = () => {};
      const stop = store.onWake(() => {
        heard++;
        tell();
      });
      return {
        stop,
        get heard() {
          return heard;
        },
        async after(count: number) {
          while (heard < count) {
            const { promise, resolve } = Promise.withResolvers<void>();
            tell = resolve;
            await promise;
          }
        },
      };
    };

    test('who sleeps is woken when anybody arms an earlier timer, and only then (T3)', async () => {
      const { store, other } = await timers();
      const marks = ear(store);
      await store.arm(timer('first', 5_000));
      // Told to whoever arms as well, and later than the answer.
      await marks.after(1);
      await other.arm(timer('later', 6_000));
      await other.armMany([timer('much later', 7_000), timer('as late', 5_000)], { onlyMissing: false });
      await other.arm(timer('earlier', 4_000));
      await marks.after(2);
      await other.armMany([timer('x', 9_000), timer('earliest', 3_000)], { onlyMissing: true });
      await marks.after(3);
      // Wakes arrive in their order: had a later timer woken us, it would have been counted before these.
      expect(marks.heard).toBe(3);
      marks.stop();
    });

    test('an earlier timer is told also where the earliest one is hidden by a claim', async () => {
      const { store, other } = await timers();
      await store.arm(timer('1', 1_000));
      await store.claimDue({ nowMs: 1_000, holdMs: 30_000, atMost: 1 });
      const marks = ear(store);
      await other.arm(timer('2', 20_000));
      await marks.after(1);
      marks.stop();
    });

    test('the first timer of an empty store wakes', async () => {
      const { store, other } = await timers();
      const marks = ear(store);
      await other.arm(timer('1', 1_000));
      await marks.after(1);
      marks.stop();
    });

    test('who stopped listening is left alone', async () => {
      const { store, other } = await timers();
      const gone = ear(store);
      const stays = ear(store);
      gone.stop();
      await other.arm(timer('1', 1_000));
      await stays.after(1);
      expect(gone.heard).toBe(0);
      stays.stop();
    });
  });

  test('any order of acts leaves what the simplest model says', async () => {
    const fabricId = fc.integer({ min: 0, max: 12 }).map(String);
    const time = fc.integer({ min: 0, max: 1_000 });
    const act = fc.oneof(
      fc.record({ does: fc.constant('arm' as const), fabricId, time }),
      fc.record({ does: fc.constant('missing' as const), fabricId, time }),
      fc.record({ does: fc.constant('cancel' as const), fabricId }),
      fc.record({ does: fc.constant('hold' as const), fabricId, time }),
      fc.record({ does: fc.constant('claim' as const), time, atMost: fc.integer({ min: 1, max: 5 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: modelActs, size: 'max' }), async (acts) => {
        const under = await open();
        try {
          await followModel(under.store, acts);
        } finally {
          await under.close();
        }
      }),
      { numRuns: modelRuns },
    );
  });
}

type Act =
  | { does: 'arm' | 'missing' | 'hold'; fabricId: string; time: number }
  | { does: 'cancel'; fabricId: string }
  | { does: 'claim'; time: number; atMost: number };

const holdMs = 100;

async function followModel(store: TimerStore, acts: readonly Act[]): Promise<void> {
  const model = new Map<string, StoredTimer>();
  for (const act of acts) {
    switch (act.does) {
      case 'arm':
      case 'missing': {
        const armed = timer(act.fabricId, act.time);
        const onlyMissing = act.does === 'missing';
        await store.armMany([armed], { onlyMissing });
        if (!onlyMissing || !model.has(act.fabricId)) model.set(act.fabricId, { ...armed, showsAtMs: act.time });
        break;
      }
      case 'cancel':
        await store.cancel(act.fabricId);
        model.delete(act.fabricId);
        break;
      case 'hold': {
        await store.hold(act.fabricId, act.time);
        const held = model.get(act.fabricId);
        if (held) model.set(act.fabricId, { ...held, showsAtMs: Math.max(held.showsAtMs, act.time) });
        break;
      }
      case 'claim': {
        const due = [...model.values()].filter(({ showsAtMs }) => showsAtMs <= act.time);
        const shows = due.map(({ showsAtMs }) => showsAtMs).sort((a, b) => a - b);
        const claimed = await store.claimDue({ nowMs: act.time, holdMs, atMost: act.atMost });
        // Which of two that show at the same time comes first is not said.
        expect(claimed.map((one) => model.get(one.fabricId)?.showsAtMs)).toEqual(shows.slice(0, act.atMost));
        expect(new Set(ids(claimed)).size).toBe(claimed.length);
        for (const one of claimed) model.set(one.fabricId, { ...one, showsAtMs: act.time + holdMs });
        break;
      }
    }
    const next = Math.min(...[...model.values()].map(({ showsAtMs }) => showsAtMs));
    expect(await store.nextMs()).toBe(Number.isFinite(next) ? next : null);
  }
  expect(byId(await store.all())).toEqual(byId([...model.values()]));
}
