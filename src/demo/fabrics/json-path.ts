// The small part of JSONPath that printer columns use: fields (dots in names are escaped) and one equality filter.

import { at, isJsonObject, type Json } from './json.ts';

type Step = { readonly field: string } | { readonly where: string; readonly equals: string };

/** What the path leads to, or undefined. `.status.conditions[?(@.type=="Ready")].status` */
export function followPath(root: Json, path: string): Json | undefined {
  let here: Json | undefined = root;
  for (const step of steps(path)) {
    if ('field' in step) here = at(here, step.field);
    else here = Array.isArray(here) ? here.find((one) => at(one, step.where) === step.equals) : undefined;
  }
  return here;
}

const read = new Map<string, readonly Step[]>();

function steps(path: string): readonly Step[] {
  const known = read.get(path);
  if (known) return known;
  const found: Step[] = [];
  for (const part of path.matchAll(/\.((?:\\.|[^.[\\])+)|\[\?\(@\.(\w+)=="([^"]*)"\)\]/g)) {
    const [, field, where, equals] = part;
    if (field !== undefined) found.push({ field: field.replaceAll('\\', '') });
    else if (where !== undefined && equals !== undefined) found.push({ where, equals });
  }
  read.set(path, found);
  return found;
}

/** As a cell shows it: plain values bare, lists and objects as JSON. */
export function cellText(value: Json): string {
  return Array.isArray(value) || isJsonObject(value) ? JSON.stringify(value) : String(value);
}
