// What differs between two JSON values, field by field.
//
//   D1. Pure, and total: any two JSON values, equal ones give nothing.
//   D2. Each difference is as deep as it can be: a path leads to the smallest value that is not the same.
//   D3. Removals applied from the last to the first, then the rest in order, turn `before` into `after`: nothing is left out.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** `$.spec.ports[3]["a.b"]` as steps: a key or an index. */
export type JsonPath = readonly (string | number)[];

export type Difference =
  | { readonly change: 'added'; readonly path: JsonPath; readonly after: Json }
  | { readonly change: 'removed'; readonly path: JsonPath; readonly before: Json }
  | { readonly change: 'changed'; readonly path: JsonPath; readonly before: Json; readonly after: Json };

/**
 * Every difference, in order of the keys. An index in a path counts in `after` for what was added or changed, and in
 * `before` for what was removed, so each can be found where it is said to be.
 */
export function differences(before: Json, after: Json): readonly Difference[] {
  const found: Difference[] = [];
  compare(before, after, [], found);
  return found;
}

/** As JSONPath without the `$.`: `spec.ports[3].name`, `metadata.labels["fabric.githedgehog.com/x"]`; `$` is the whole. */
export function pathText(path: JsonPath): string {
  if (path.length === 0) return '$';
  return path
    .map((step, at) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return at === 0 ? step : `.${step}`;
    })
    .join('');
}

function compare(before: Json, after: Json, path: JsonPath, found: Difference[]): void {
  if (before === after) return;
  if (isArray(before) && isArray(after)) compareArrays(before, after, path, found);
  else if (isObject(before) && isObject(after)) compareObjects(before, after, path, found);
  else found.push({ change: 'changed', path, before, after });
}

function compareObjects(
  before: { readonly [key: string]: Json },
  after: { readonly [key: string]: Json },
  path: JsonPath,
  found: Difference[],
): void {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  for (const key of keys) {
    // A key may be called `constructor` or `__proto__`: only what the object itself has counts.
    const was = Object.hasOwn(before, key) ? before[key] : undefined;
    const is = Object.hasOwn(after, key) ? after[key] : undefined;
    compareMember(was, is, [...path, key], found);
  }
}

function compareMember(was: Json | undefined, is: Json | undefined, path: JsonPath, found: Difference[]): void {
  if (was !== undefined && is !== undefined) compare(was, is, path, found);
  else if (is !== undefined) found.push({ change: 'added', path, after: is });
  else if (was !== undefined) found.push({ change: 'removed', path, before: was });
}

/**
 * What both arrays begin and end with is set aside; of the rest, pairs are compared in place. So an element that was
 * put in or taken out of the middle is told as that, and not as a change of all that follow.
 */
function compareArrays(before: readonly Json[], after: readonly Json[], path: JsonPath, found: Difference[]): void {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && same(before[head], after[head])) head++;
  let tail = 0;
  while (tail < shorter - head && same(before[before.length - 1 - tail], after[after.length - 1 - tail])) tail++;

  const paired = shorter - head - tail;
  for (let at = head; at < head + paired; at++) compareMember(before[at], after[at], [...path, at], found);
  for (let at = head + paired; at < after.length - tail; at++)
    compareMember(undefined, after[at], [...path, at], found);
  for (let at = head + paired; at < before.length - tail; at++)
    compareMember(before[at], undefined, [...path, at], found);
}

/** Whether two JSON values are equal; the order of keys is of no meaning, that of elements is. */
function same(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined) return false;
  if (isArray(one)) {
    return isArray(other) && one.length === other.length && one.every((element, at) => same(element, other[at]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]))
  );
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
