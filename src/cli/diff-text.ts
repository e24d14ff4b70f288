// A run's changes as people read them: an object a heading, a field a line.

import type { ChangedObject } from '../inspector/changes-view.ts';
import { type Difference, type Json, pathText } from '../inspector/diff.ts';
import type { ChangeKind, ObjectName } from '../ports/operator.ts';
import type { Paint } from './colours.ts';
import { plain } from './plain-text.ts';

export interface DiffOptions {
  readonly paint: Paint;
  /** Fields shown of each object, and objects that only came or went, by kind. */
  readonly fieldsMax: number;
  readonly namesMax: number;
}

const marks: Readonly<Record<ChangeKind, readonly [mark: string, colour: 'green' | 'red' | 'yellow']>> = {
  created: ['+', 'green'],
  restored: ['+', 'green'],
  deleted: ['-', 'red'],
  unsynced: ['-', 'yellow'],
  updated: ['~', 'yellow'],
  recreated: ['!', 'yellow'],
};

/** Lines, and how much was left out. */
export function diffText(
  objects: readonly ChangedObject[],
  options: DiffOptions,
): { lines: string[]; leftOut: number } {
  const { paint, fieldsMax, namesMax } = options;
  const lines: string[] = [];
  const named = new Map<string, number>();
  let leftOut = 0;
  for (const object of objects) {
    const { change, differences } = object;
    if (differences.length === 0) {
      const group = `${change} ${object.kind}`;
      const seen = (named.get(group) ?? 0) + 1;
      named.set(group, seen);
      if (seen > namesMax) {
        leftOut++;
        continue;
      }
    }
    const [mark, colour] = marks[change];
    lines.push(`${paint(colour, mark)} ${plain(objectText(object))} ${paint('dim', change)}`);
    for (const difference of differences.slice(0, fieldsMax)) lines.push(...fieldLines(difference, paint));
    leftOut += Math.max(0, differences.length - fieldsMax);
  }
  return { lines, leftOut };
}

/** `Switch leaf-1`, with its namespace where it is not the one that all user objects live in. */
export function objectText({ kind, namespace, name }: ObjectName): string {
  return `${kind} ${namespace === 'default' || namespace === '' ? '' : `${namespace}/`}${name}`;
}

function fieldLines(difference: Difference, paint: Paint): string[] {
  const path = plain(pathText(difference.path));
  const value = (value: Json) => plain(JSON.stringify(value));
  switch (difference.change) {
    case 'added':
      return [`    ${path}: ${paint('green', `+ ${value(difference.after)}`)}`];
    case 'removed':
      return [`    ${path}: ${paint('red', `- ${value(difference.before)}`)}`];
    case 'changed':
      return [`    ${path}: ${paint('red', value(difference.before))} → ${paint('green', value(difference.after))}`];
  }
}
