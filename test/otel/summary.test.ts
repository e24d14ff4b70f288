import { describe, expect, test } from 'vitest';
import { summaryOf } from '../../src/postgres/summary.ts';

describe('the summary of a statement', () => {
  test.each([
    ['select c.state from fabric f join fabric_cycle c on true', 'SELECT fabric'],
    ['begin', 'BEGIN'],
    ['commit', 'COMMIT'],
    ['create temporary table if not exists fabric_staged (a text)', 'CREATE'],
    ['copy pg_temp.fabric_staged from stdin', 'COPY fabric_staged'],
    ['update fabric_cycle c set due_at = $1 from fabric f', 'UPDATE fabric_cycle'],
    [
      `with locked as materialized (select f from fabric f for no key update of f, c),
            run as (insert into fabric_run (id) select 1 from locked),
            cycle as (update fabric_cycle c set state = $1)
       select * from run`,
      'INSERT fabric_run UPDATE fabric_cycle',
    ],
    ['insert into a (b) values ($1) on conflict (b) do update set b = $1', 'INSERT a'],
    ['with made as (select 1) select * from made, jsonb_each($1) join fabric_run on true', 'SELECT'],
    ['-- update fabric\nselect 1', 'SELECT'],
  ])('of %s', (statement, summary) => {
    expect(summaryOf(statement).summary).toBe(summary);
  });

  test('tells its first operation, and the text on one line, cut where it is long', () => {
    const told = summaryOf(`delete from fabric_run\n  -- the old ones\n where id = $1 ${'and true '.repeat(500)}`);
    expect(told.operation).toBe('DELETE');
    expect(told.text).toMatch(/^delete from fabric_run where id = \$1 and true .*…$/);
    expect(told.text.length).toBe(255);
  });
});
