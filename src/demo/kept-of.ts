// What the daemon is to keep of a simulated fabric that serves given manifests, and what of them it cannot keep.

import { type KindKey, kindKey, kindsAddable, resolveKinds, type WantedKind } from '../sync/kinds.ts';
import type { StoredObject } from './fabrics/stored-object.ts';

export interface KeptOf {
  /** The fabric's own namespace, as its settings have it. */
  readonly namespace: string;
  /** Beside the default ones. */
  readonly kindsAdded: readonly string[];
  /** What is served and not stored, and why: one line each. */
  readonly remarks: readonly string[];
}

type Placed = Pick<StoredObject, 'kind' | 'namespace' | 'name'>;

const usualNamespace = 'default';
/** Of what is not stored, so many are named. */
const namedMax = 3;

/** Whatever may be stored of these objects is; of the rest it is told that it is not. */
export function keptOf(objects: readonly Placed[]): KeptOf {
  const served = new Set(objects.map(({ kind }) => kindKey(kind)));
  const kindsAdded = kindsAddable.filter((kind) => served.has(kindKey(kind))).map((one) => `${one.kind}.${one.group}`);
  const wanted: ReadonlyMap<KindKey, WantedKind> = new Map(
    resolveKinds(kindsAdded, []).map((kind) => [kindKey(kind), kind]),
  );
  const wantedAs = ({ kind }: Placed) => wanted.get(kindKey(kind));

  const own = new Set(objects.filter((one) => wantedAs(one)?.namespace === null).map(({ namespace }) => namespace));
  const [first = usualNamespace] = own;
  // Only one is read of a fabric.
  const namespace = own.has(usualNamespace) ? usualNamespace : first;
  const isElsewhere = (one: Placed) => {
    const kind = wantedAs(one);
    return kind !== undefined && one.namespace !== (kind.namespace ?? namespace);
  };
  return {
    namespace,
    kindsAdded,
    remarks: [
      ...told(
        objects.filter((one) => !wantedAs(one)),
        'fabric-syncd keeps no objects of this kind',
      ),
      ...told(objects.filter(isElsewhere), `of this fabric the namespace ${namespace} is read`),
    ],
  };
}

function told(left: readonly Placed[], why: string): string[] {
  if (left.length === 0) return [];
  const named = left.slice(0, namedMax).map(({ kind, namespace, name }) => `${kind.kind} ${namespace}/${name}`);
  const more = left.length > namedMax ? ` and ${left.length - namedMax} more` : '';
  return [`not stored: ${named.join(', ')}${more}: ${why}`];
}
