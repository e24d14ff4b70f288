// The tree as the rules of the house read it: every file that git knows or would take.

import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface TreeFile {
  /** From the top of the tree, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly executable: boolean;
}

/** One breach of one rule. */
export interface Fault {
  readonly file: string;
  /** Counted from 1; 0 where the file as a whole is meant. */
  readonly line: number;
  /** What is wrong, and what to do instead. */
  readonly says: string;
}

/** A rule reads files and tells what breaks it. Pure: a test can plant a fault. */
export type Rule = (files: readonly TreeFile[]) => Fault[];

export const top = fileURLToPath(new URL('../../', import.meta.url));

export function readTree(): TreeFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: top,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const files: TreeFile[] = [];
  for (const path of new Set(listed.split('\0').filter(Boolean))) {
    const stat = statSync(top + path, { throwIfNoEntry: false });
    // Listed and not there: deleted, and not told git yet.
    if (!stat?.isFile()) continue;
    files.push({ path, text: readFileSync(top + path, 'utf8'), executable: (stat.mode & 0o111) !== 0 });
  }
  return files;
}

/** A file that is not there: for planting a fault. */
export const planted = (path: string, text: string, executable = false): TreeFile => ({ path, text, executable });

/** What a person reads: file, line, and what to do. */
export const told = (faults: readonly Fault[]): string[] =>
  faults.map(({ file, line, says }) => `${file}${line > 0 ? `:${line}` : ''}: ${says}`);

export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

/** Is this path the place itself, or inside it? */
export const within = (path: string, places: readonly string[]): boolean =>
  places.some((place) => path === place || path.startsWith(`${place}/`));

export const isCode = (file: TreeFile): boolean => file.path.endsWith('.ts');

/** What runs in production. */
export const isProduct = (file: TreeFile): boolean => isCode(file) && within(file.path, ['machines', 'otel', 'src']);
