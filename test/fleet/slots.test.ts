import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SlotClass, Slots } from '../../src/fleet/slots.ts';

/** Asks and keeps the order in which slots were granted. */
function bench(capacity: number) {
  const slots = new Slots(capacity);
  const granted: string[] = [];
  const ask = (fabricId: string, slotClass: SlotClass) => slots.ask(fabricId, slotClass, () => granted.push(fabricId));
  return { slots, granted, ask };
}

describe('slots', () => {
  test('no more than the capacity runs; who waits is granted when one ends, in order', () => {
    const { slots, granted, ask } = bench(2);
    for (const id of ['a', 'b', 'c', 'd']) ask(id, 'periodic');
    expect(granted).toEqual(['a', 'b']);
    slots.release('a');
    slots.release('b');
    expect(granted).toEqual(['a', 'b', 'c', 'd']);
  });

  test('fabrics in trouble, however many, leave half of the slots to the healthy', () => {
    const { granted, ask } = bench(4);
    for (let i = 0; i < 50; i++) ask(`dead-${i}`, 'trouble');
    expect(granted).toEqual(['dead-0', 'dead-1']);
    ask('well-1', 'periodic');
    ask('well-2', 'periodic');
    expect(granted.slice(2)).toEqual(['well-1', 'well-2']);
  });

  test('with one slot a fabric in trouble may still use it', () => {
    const { granted, ask } = bench(1);
    ask('dead', 'trouble');
    expect(granted).toEqual(['dead']);
  });

  test('a person goes first, and many people do not starve what is due', () => {
    const { slots, granted, ask } = bench(1);
    ask('first', 'periodic');
    ask('due', 'periodic');
    for (let i = 0; i < 8; i++) ask(`person-${i}`, 'manual');
    for (let i = 0; i < 9; i++) slots.release(granted.at(-1) ?? '');
    expect(granted[1]).toBe('person-0');
    expect(granted.indexOf('due')).toBeGreaterThan(1);
    expect(granted.indexOf('due')).toBeLessThan(7);
  });

  test('a fabric waits once, and a person asking moves it forward', () => {
    const { slots, granted, ask } = bench(1);
    ask('busy', 'periodic');
    ask('x', 'periodic');
    ask('y', 'periodic');
    ask('y', 'manual');
    ask('y', 'periodic');
    expect(slots.waiting).toBe(2);
    slots.release('busy');
    expect(granted).toEqual(['busy', 'y']);
  });

  test('whatever is asked and released: never above the capacity, nobody forgotten, nobody granted twice at a time', () => {
    const step = fc.record({
      fabric: fc.integer({ min: 0, max: 9 }).map(String),
      act: fc.constantFrom<SlotClass | 'release'>('manual', 'periodic', 'trouble', 'release'),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 200 }), (capacity, steps) => {
        const slots = new Slots(capacity);
        const running = new Set<string>();
        const waiting = new Set<string>();
        for (const { fabric, act } of steps) {
          if (act === 'release') {
            running.delete(fabric);
            waiting.delete(fabric);
            slots.release(fabric);
          } else {
            if (!running.has(fabric)) waiting.add(fabric);
            slots.ask(fabric, act, () => {
              expect(running.has(fabric)).toBe(false);
              running.add(fabric);
              waiting.delete(fabric);
            });
          }
          expect(running.size).toBeLessThanOrEqual(capacity);
          expect([slots.running, slots.waiting]).toEqual([running.size, waiting.size]);
        }
        while (running.size > 0) {
          for (const fabric of [...running]) {
            running.delete(fabric);
            slots.release(fabric);
          }
        }
        expect(waiting.size).toBe(0);
      }),
    );
  });
});
