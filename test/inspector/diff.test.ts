import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Difference, differences, type Json, pathText } from '../../src/inspector/diff.ts';

const told = (before: Json, after: Json) =>
  differences(before, after).map((one) => {
    const was = one.change === 'added' ? '' : JSON.stringify(one.before);
    const is = one.change === 'removed' ? '' : JSON.stringify(one.after);
    return `${one.change} ${pathText(one.path)} ${was}>${is}`;
  });

describe('differences', () => {
  test('a field that changed is named by its path, and its neighbours are not', () => {
    expect(told({ spec: { role: 'spine', asn: 1 } }, { spec: { role: 'spine', asn: 2 } })).toEqual([
      'changed spec.asn 1>2',
    ]);
  });

  test('a key that came and a key that went are told as that, in order of the keys', () => {
    expect(told({ b: 1, c: 2 }, { a: 0, c: 2 })).toEqual(['added a >0', 'removed b 1>']);
  });

  test('null is a value: from null to nothing is a removal, from null to 0 a change', () => {
    expect(told({ a: null, b: null }, { b: 0 })).toEqual(['removed a null>', 'changed b null>0']);
  });

  test('an element put into the middle of an array is one addition, not a change of all that follow', () => {
    expect(told(['a', 'b', 'c'], ['a', 'x', 'b', 'c'])).toEqual(['added [1] >"x"']);
  });

  test('an element taken out of the middle is one removal, told where it was', () => {
    expect(told([{ n: 1 }, { n: 2 }, { n: 3 }], [{ n: 1 }, { n: 3 }])).toEqual(['removed [1] {"n":2}>']);
  });

  test('the order of keys means nothing, the order of elements does', () => {
    expect(told({ a: 1, b: [{ x: 1, y: 2 }] }, { b: [{ y: 2, x: 1 }], a: 1 })).toEqual([]);
    expect(told([1, 2], [2, 1])).toEqual(['changed [0] 1>2', 'changed [1] 2>1']);
  });

  test('a value that changed its kind is one change of the whole value', () => {
    expect(told({ a: [1] }, { a: { 0: 1 } })).toEqual(['changed a [1]>{"0":1}']);
  });

  test('keys that JavaScript’s own objects have are keys like any other', () => {
    const before = JSON.parse('{"constructor":1}') as Json;
    const after = JSON.parse('{"__proto__":{"a":1},"constructor":2}') as Json;
    expect(told(before, after)).toEqual(['added __proto__ >{"a":1}', 'changed constructor 1>2']);
  });

  test('a key with dots and slashes is quoted in its path', () => {
    expect(pathText(['metadata', 'labels', 'fabric.githedgehog.com/x'])).toBe(
      'metadata.labels["fabric.githedgehog.com/x"]',
    );
    expect(pathText(['spec', 'ports', 3, 'name'])).toBe('spec.ports[3].name');
    expect(pathText([])).toBe('$');
  });

  test('applied to the one, the differences give the other, whatever the two are', () => {
    const value = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(value, value, (one, other) => {
        const before = plain(one);
        const after = plain(other);
        expect(applied(before, differences(before, after))).toEqual(after);
        expect(differences(before, before)).toEqual([]);
      }),
    );
  });
});

/** As Postgres gives it back: no -0. */
const plain = (value: Json): Json => JSON.parse(JSON.stringify(value)) as Json;

/** Undoes removals from the back, then puts in what was added or changed from the front. */
function applied(before: Json, list: readonly Difference[]): Json {
  const box: { $: Json } = { $: structuredClone(before) as Json };
  const holder = (path: Difference['path']) => {
    const steps = ['$', ...path];
    let at: unknown = box;
    for (const step of steps.slice(0, -1)) at = (at as Record<string, unknown>)[step];
    return { at: at as Record<string, Json> | Json[], step: steps.at(-1) as string | number };
  };
  for (const one of [...list].reverse()) {
    if (one.change !== 'removed') continue;
    const { at, step } = holder(one.path);
    if (Array.isArray(at)) at.splice(Number(step), 1);
    else delete at[step];
  }
  for (const one of list) {
    if (one.change === 'removed') continue;
    const { at, step } = holder(one.path);
    const after = structuredClone(one.after) as Json;
    if (Array.isArray(at) && one.change === 'added') at.splice(Number(step), 0, after);
    else Object.defineProperty(at, step, { value: after, enumerable: true, configurable: true, writable: true });
  }
  return box.$;
}
