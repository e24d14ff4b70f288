// What a run changed, object by object and field by field: for `diff` and for the page.

import type { ChangeKind, ChangeRow, ObjectName } from '../ports/operator.ts';
import { type Difference, differences, type Json, pathText } from './diff.ts';
import type { ChangeDocument } from './documents.ts';

export interface ChangedObject extends ObjectName {
  readonly change: ChangeKind;
  readonly differences: readonly Difference[];
}

/** A recreated object has another uid, which is worth a line of its own. */
export function compared({ before, after, ...named }: ChangeRow): ChangedObject {
  if (!before || !after) return { ...named, differences: [] };
  const uid = before.uid !== null && after.uid !== null && before.uid !== after.uid;
  return {
    ...named,
    differences: [
      ...(uid ? [{ change: 'changed', path: ['metadata', 'uid'], before: before.uid, after: after.uid } as const] : []),
      ...differences(before.object as Json, after.object as Json),
    ],
  };
}

/** @param fieldsMax fields that are told of one object */
export function changeDocument({ differences, ...named }: ChangedObject, fieldsMax: number): ChangeDocument {
  return {
    ...named,
    fields: differences.slice(0, fieldsMax).map(({ path, ...difference }) => ({ path: pathText(path), ...difference })),
    fields_total: differences.length,
  };
}
