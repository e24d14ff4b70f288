import { homedir } from 'node:os';
import { describe, expect, test } from 'vitest';
import {
  entriesAreExecutable,
  filesAreShort,
  lockFileIsWhole,
  migrationsAreNumbered,
  namesSayWhatItIs,
  noMachinePaths,
  scriptsSayTheirKeys,
  topLevelIsBare,
} from './layout.ts';
import { planted, type Rule, readTree, told, top } from './tree.ts';

const tree = readTree();

/** Each rule: that the tree keeps it, and what it says of a planted fault. */
const rules: readonly [title: string, rule: Rule, plant: ReturnType<typeof planted>[], says: string[]][] = [
  [
    'the top level is bare',
    topLevelIsBare,
    [planted('scripts/x.ts', ''), planted('notes.md', ''), planted('.ci/x.ts', ''), planted('src/a.ts', '')],
    ['scripts/x.ts: the top level is', 'notes.md: the top level is'],
  ],
  [
    'files are short',
    filesAreShort,
    [planted('src/a.ts', 'x\n'.repeat(401)), planted('src/b.ts', 'x\n'.repeat(400))],
    ['src/a.ts:401: 401 lines, at most 400'],
  ],
  [
    'names say what it is, in kebab-case',
    namesSayWhatItIs,
    [
      planted('src/timerPump.ts', ''),
      planted('src/Fleet/a.ts', ''),
      planted('src/utils.ts', ''),
      planted('test/helpers/a.ts', ''),
      planted('src/redis/index.ts', ''),
      planted('src/timer-pump.ts', ''),
      planted('test/support/servers.global.ts', ''),
      planted('src/systemd/fabric-syncd.service', ''),
    ],
    [
      '"timerPump.ts" is not kebab-case',
      '"Fleet" is not kebab-case',
      'src/utils.ts: "utils.ts" is a drawer',
      '"helpers" is a drawer',
      '"index.ts" is a drawer',
    ],
  ],
  [
    'migrations are numbered without a gap, and say why',
    migrationsAreNumbered,
    [
      planted('src/postgres/migrations/0001_fabric.sql', '-- 0001: fabrics.\n'),
      planted('src/postgres/migrations/0002_more.sql', '-- 0001: copied.\n'),
      planted('src/postgres/migrations/0004_gap.sql', '-- 0004: a gap.\n'),
    ],
    ['0002_more.sql:1: begin with "-- 0002: "', '0004_gap.sql: the next migration is 0003_'],
  ],
  [
    'every Lua script says how many keys it takes',
    scriptsSayTheirKeys,
    [planted('src/redis/scripts/a.lua', '-- a\nreturn 1'), planted('src/redis/scripts/b.lua', '-- b\n-- keys: 2\n')],
    ['src/redis/scripts/a.lua:1: a script says'],
  ],
  [
    'what is run by name can be run',
    entriesAreExecutable,
    [planted('src/main.ts', 'x'), planted('.ci/run', '#!/usr/bin/env bash\n', true)],
    ['src/main.ts:1: begin with #!', 'src/main.ts: make it executable'],
  ],
  [
    'the lock file works with every registry and on every platform',
    lockFileIsWhole,
    [
      planted(
        'package-lock.json',
        JSON.stringify(
          {
            packages: {
              'node_modules/a': { resolved: 'https://registry.example/a.tgz' },
              'node_modules/b': { optionalDependencies: { 'b-linux': '1.0.0', 'b-mac': '1.0.0' } },
              'node_modules/b-linux': {},
            },
          },
          null,
          2,
        ),
      ),
    ],
    ['package-lock.json:3: names a registry', 'package-lock.json:6: lacks b-mac'],
  ],
  [
    'no path of one machine',
    noMachinePaths,
    [
      planted('src/a.ts', `one\n${top}src\n`),
      planted('src/b.ts', `${homedir()}/x`),
      planted('README.md', ['', 'home', 'ada', 'fabrics'].join('/')),
      planted('src/c.ts', 'https://example.org/work/one and /run/fabric-syncd/'),
    ],
    ['src/a.ts:2: a path of one machine', 'src/b.ts:1: ', 'README.md:1: '],
  ],
];

describe.each(rules)('%s', (_, rule, plant, says) => {
  test('in the tree', () => expect(told(rule(tree))).toEqual([]));

  test('and a planted fault is told', () => {
    expect(told(rule(plant))).toEqual(says.map((each) => expect.stringContaining(each)));
  });
});
