// Who imports whom.

import { posix } from 'node:path';
import { codeOf } from './scan.ts';
import { lineAt, type TreeFile } from './tree.ts';

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Gone when it runs: `import type` and `export type`. */
  readonly typeOnly: boolean;
  /** `import('…')`, at run time. */
  readonly dynamic: boolean;
}

// The insides of strings are blank in what these read: the specifier is taken from the file at the same offsets.
const statement = /(?<![\w$.])(?:import|export)(\s+type)?(?=[\s{*'"])(?:[\w$*{}\s,]*?[\s}]from)?\s*(['"])([^'"\n]*)\2/g;
const call = /(?<![\w$.])(?:import|require)\s*\(\s*(['"])([^'"\n]*)\1/g;

export function importsOf(file: TreeFile): Import[] {
  const code = codeOf(file.text);
  const found = (match: RegExpMatchArray, inside: string, typeOnly: boolean, dynamic: boolean): Import => {
    const end = match.index! + match[0].lastIndexOf(inside, match[0].length - 2) + inside.length;
    return { specifier: file.text.slice(end - inside.length, end), line: lineAt(file.text, end), typeOnly, dynamic };
  };
  return [
    ...[...code.matchAll(statement)].map((match) => found(match, match[3] ?? '', match[1] !== undefined, false)),
    ...[...code.matchAll(call)].map((match) => found(match, match[2] ?? '', false, true)),
  ];
}

export const isRelative = (specifier: string): boolean => /^\.{1,2}\//.test(specifier);

/** The path from the top that a relative import means. */
export const resolved = (file: TreeFile, specifier: string): string => posix.join(posix.dirname(file.path), specifier);

/** `@scope/name/deep` as `@scope/name`; null for Node's own modules and for relative paths. */
export function packageOf(specifier: string): string | null {
  if (isRelative(specifier) || specifier.startsWith('node:')) return null;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
