// What may lie where, and under which name.

import { homedir } from 'node:os';
import { posix } from 'node:path';
import { type Fault, lineAt, type Rule, type TreeFile, top, within } from './tree.ts';

const fault = (file: TreeFile, line: number, says: string): Fault => ({ file: file.path, line, says });

const topLevel = new Set([
  'package.json',
  'tsconfig.json',
  'src',
  'machines',
  'test',
  'otel',
  'README.md',
  // What convention demands beside them.
  'package-lock.json',
  'LICENSE',
  'CHANGELOG.md',
  'biome.json',
  'vitest.config.ts',
  'tsconfig.build.json',
]);

/** Dot files are the tools' own. */
export const topLevelIsBare: Rule = (files) =>
  files
    .filter((file) => !topLevel.has(file.path.split('/')[0] ?? '') && !file.path.startsWith('.'))
    .map((file) =>
      fault(file, 0, `the top level is ${[...topLevel].join(', ')} and dot files: put it into one of them`),
    );

const linesMax = 400;

export const filesAreShort: Rule = (files) =>
  files
    .filter((file) => /\.(?:ts|js|sql|lua|html|css)$/.test(file.path))
    .map((file) => ({ file, lines: file.text.replace(/\n$/, '').split('\n').length }))
    .filter(({ lines }) => lines > linesMax)
    .map(({ file, lines }) =>
      fault(file, linesMax + 1, `${lines} lines, at most ${linesMax}: a second role is hiding in it`),
    );

const ours = (file: TreeFile) => within(file.path, ['src', 'machines', 'otel', 'test']);
const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/;
const drawers = new Set([
  'util',
  'utils',
  'helper',
  'helpers',
  'common',
  'misc',
  'manager',
  'shared',
  'types',
  'index',
]);

export const namesSayWhatItIs: Rule = (files) =>
  files.filter(ours).flatMap((file) =>
    file.path.split('/').flatMap((part): Fault[] => {
      // What a browser is given first has its name by convention.
      if (part !== 'index.html' && drawers.has(part.split('.')[0] ?? ''))
        return [fault(file, 0, `"${part}" is a drawer: name the noun or the act`)];
      // What a person reads first when looking into a folder, likewise.
      if (part === 'README.md' || isMigration(file) || kebab.test(part)) return [];
      return [fault(file, 0, `"${part}" is not kebab-case`)];
    }),
  );

const migrations = 'src/postgres/migrations';
const isMigration = (file: TreeFile) => posix.dirname(file.path) === migrations;

/** Append-only and in one row: a gap would be a migration that some database has and others have not. */
export const migrationsAreNumbered: Rule = (files) =>
  files
    .filter(isMigration)
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .flatMap((file, index): Fault[] => {
      const number = String(index + 1).padStart(4, '0');
      const name = posix.basename(file.path);
      if (!new RegExp(`^${number}_[a-z0-9]+(?:_[a-z0-9]+)*\\.sql$`).test(name)) {
        return [
          fault(file, 0, `the next migration is ${number}_what_it_is_about.sql: numbers have no gap and no double`),
        ];
      }
      const header = new RegExp(`^-- ${number}: \\S`);
      return header.test(file.text) ? [] : [fault(file, 1, `begin with "-- ${number}: " and why`)];
    });

export const scriptsSayTheirKeys: Rule = (files) =>
  files
    .filter((file) => file.path.endsWith('.lua'))
    .filter((file) => !/^-- keys: \d+$/m.test(file.text))
    .map((file) => fault(file, 1, 'a script says how many keys it takes: a line "-- keys: N"'));

export const entriesAreExecutable: Rule = (files) =>
  files
    .filter((file) => ['src/main.ts', '.ci/run'].includes(file.path))
    .flatMap((file): Fault[] => [
      ...(file.text.startsWith('#!/usr/bin/env ')
        ? []
        : [fault(file, 1, 'begin with #!/usr/bin/env …: it is run by name')]),
      ...(file.executable ? [] : [fault(file, 0, `make it executable: chmod +x ${file.path}`)]),
    ]);

interface Locked {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** `npm ci` works against any registry, on any platform. */
export const lockFileIsWhole: Rule = (files) =>
  files
    .filter((file) => file.path === 'package-lock.json')
    .flatMap((file) => {
      const { packages } = JSON.parse(file.text) as { packages: Readonly<Record<string, Locked>> };
      const line = (name: string) => lineAt(file.text, file.text.indexOf(`"${name}": {`));
      return Object.entries(packages).flatMap(([path, locked]): Fault[] => [
        ...(locked.resolved === undefined
          ? []
          : [fault(file, line(path), 'names a registry: keep omit-lockfile-registry-resolved=true in .npmrc')]),
        ...Object.keys(locked.optionalDependencies ?? {})
          .filter((name) => !(`${path}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages))
          .map((name) =>
            fault(file, line(path), `lacks ${name}, which npm ci asks for on every platform: add its entry`),
          ),
      ]);
    });

/** This checkout, this home, and what looks like somebody else's. */
const machinePaths = [
  top,
  ...(homedir().length > 1 ? [`${homedir()}/`] : []),
  ...['root', 'work', 'home/[a-z_][\\w-]*', 'Users/\\w+'].map((place) => new RegExp(`(?<![\\w.}$])/${place}/`)),
];

export const noMachinePaths: Rule = (files) =>
  files.flatMap((file) =>
    file.text.split('\n').flatMap((line, index): Fault[] => {
      const found = machinePaths.find((path) => (typeof path === 'string' ? line.includes(path) : path.test(line)));
      return found ? [fault(file, index + 1, 'a path of one machine: make it relative')] : [];
    }),
  );
