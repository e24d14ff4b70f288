// What is stored of kinds that nobody wants to be read any more: a person removed them, or does not add them any longer.
// They leave the inventory with the next commit. Nothing is asked of the fabric about them, so none of it is a deletion,
// and the guard, which is there for what a fabric answers, has no say in it.

import type { Known } from './compare.ts';
import { type KindKey, kindKey, type WantedKind } from './kinds.ts';

export interface UnwantedKind {
  readonly key: KindKey;
  /** For people: the kind, with its group where the name alone could be another's. */
  readonly label: string;
  /** Resource ids of what is live of it. */
  readonly resources: readonly string[];
}

/** The kinds that are stored and not among those to be read. */
export function unwantedKinds({ objects, keysByKind }: Known, wanted: readonly WantedKind[]): readonly UnwantedKind[] {
  const read = new Set(wanted.map(kindKey));
  const left = [...keysByKind].filter(([key]) => !read.has(key));
  const names = [...wanted.map(({ kind }) => kind), ...left.map(([key]) => nameOf(key))];
  return left.map(([key, rows]) => {
    const name = nameOf(key);
    const alone = names.filter((other) => other === name).length === 1;
    return {
      key,
      label: alone ? name : `${name}.${key.slice(0, key.indexOf('/'))}`,
      resources: rows.flatMap((row) => objects.get(row)?.id ?? []),
    };
  });
}

function nameOf(key: KindKey): string {
  return key.slice(key.indexOf('/') + 1);
}
