// How the makers of a shape write their objects down.

import type { JsonObject } from '../json.ts';
import type { SimulatedKind } from '../kinds.ts';
import type { Draft } from '../stored-object.ts';

export interface More {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly status?: JsonObject;
}

/** Writes one object of a kind that is named as in `kind:`. */
export type Drafting = (kind: string, name: string, spec: JsonObject, more?: More) => Draft;

/** @param kindOf the kind by its name */
export function drafting(kindOf: (name: string) => SimulatedKind): Drafting {
  return (name, objectName, spec, { labels, annotations, status = {} } = {}) => {
    const kind = kindOf(name);
    return {
      kind,
      namespace: kind.namespace,
      name: objectName,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      content: { spec, status },
      author: kind.role === 'user' || kind.namespace === 'fab' ? 'kubectl' : 'controller',
    };
  };
}

const own = 'fabric.githedgehog.com';
/** `fabric.githedgehog.com/<name>`: what the controller labels with a value. */
export const label = (name: string, value: string): Record<string, string> => ({ [`${own}/${name}`]: value });
/** `<list>.fabric.githedgehog.com/<member>=true`: what it labels once for each member of a list. */
export const listLabels = (list: string, members: readonly string[]): Record<string, string> =>
  Object.fromEntries(members.map((member) => [`${list}.${own}/${member}`, 'true']));
