import { expect, test } from 'vitest';
import { rightsFindings } from '../../src/cli/doctor/postgres.ts';
import { grantLines, identifier, runtimeRole, tableRights } from '../../src/postgres/grants.ts';
import type { DatabaseHealth } from '../../src/postgres/operator/health.ts';
import { aclLine } from '../../src/redis/acl.ts';

const tables = Object.entries(tableRights).map(([name, rights]) => ({ name, owned: false, rights }));
const health = (more: Partial<DatabaseHealth>) =>
  ({ tables, user: 'runner', mayCreate: false, powers: [], ...more }) as DatabaseHealth;

test('exactly what is needed is said to be that', () => {
  expect(rightsFindings(health({})).map(({ level, hint }) => [level, hint])).toEqual([
    ['ok', ''],
    ['ok', ''],
  ]);
});

test('each right that is missing is asked for, and no other', () => {
  const without = tables.map((table) =>
    table.name === 'fabric_act'
      ? { ...table, rights: ['select'] }
      : table.name === 'fabric'
        ? { ...table, rights: [] }
        : table,
  );
  expect(rightsFindings(health({ tables: without, user: 'Ann "x"' }))).toMatchObject([
    {
      level: 'fail',
      hint: 'grant select, insert, update, delete on fabric to "Ann ""x"""; grant insert, delete on fabric_act to "Ann ""x""";',
    },
  ]);
});

test.each<[string, Partial<DatabaseHealth>, string, RegExp]>([
  ['a superuser', { powers: ['superuser'] }, 'warn', /far more .* superuser/],
  ['the owner', { tables: tables.map((table) => ({ ...table, owned: true })) }, 'ok', /runner owns the tables/],
  ['who may create', { mayCreate: true }, 'ok', /may create in the schema/],
  [
    'who may change what was done',
    { tables: tables.map((table) => ({ ...table, rights: [...new Set([...table.rights, 'update'])] })) },
    'ok',
    /may update on fabric_act.*may update on fabric_migration/,
  ],
])('%s has more than is needed, and is told of less', (_who, more, level, says) => {
  expect(rightsFindings(health(more))[1]).toMatchObject({
    level,
    detail: expect.stringMatching(says),
    hint: expect.stringContaining('doctor --grants'),
  });
});

test('names that need quotes have them, and no name ends a statement', () => {
  const hostile = 'a"; drop table fabric; --';
  for (const line of runtimeRole(hostile, hostile, 'public')) {
    expect(line.replaceAll(identifier(hostile), 'x')).not.toContain('drop');
  }
  expect(grantLines({ fabric: [], fabric_act: ['select'] }, 'r')).toEqual(['grant select on fabric_act to r;']);
});

test('a node of the lock may less than the Redis of the timers, and neither may anything of others', () => {
  const [timers, lock] = [aclLine('u', 'p', 'timers').split(' '), aclLine('u', 'p', 'lock').split(' ')];
  expect(lock.filter((word) => !timers.includes(word))).toEqual([]);
  expect(lock).not.toContain('+zadd');
  for (const word of timers) expect(word).not.toMatch(/@|^~\*|^allkeys|^\+(config|acl|flush|keys|eval_ro|script)/);
});
