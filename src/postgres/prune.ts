// History has an end: runs with what they changed, tombstones and answered requests go when they are old enough.
// In small pieces, so that no statement runs long and no lock is held for long.
//
//   P1. What a fabric was at any time that is still kept can be told: the last run that had committed by the beginning of
//       that time stays, however old it is, and with it what it deleted.
//   P2. A fabric's runs end in the order of their numbers. So only its oldest are looked at, by the index that is there
//       anyway: one of when they ended would cost every run a write to it.
//   P3. Changes go before what they belong to: else the cascade would delete any number of them in one statement.

import type { Fragment, PendingQuery, Row, Sql } from 'postgres';
import type { Pruned, PruneMark } from '../ports/store.ts';
import type { Database } from './connect.ts';

/** Rows that one statement deletes, at most. */
const pieceRows = 5_000;
/** How many fabrics' runs are looked at in one piece, and of each how many: as many as a piece may delete. */
const fabricsAtOnce = 50;
const runsAtOnce = pieceRows / fabricsAtOnce;

const steps = ['runs', 'tombstones', 'requests', 'acts'] as const;

/** One piece. @param keepMs what is younger stays; a run that has not ended stays whatever its age */
export async function prune(
  database: Database,
  keepMs: number,
  from: PruneMark | null,
  signal: AbortSignal,
): Promise<Pruned> {
  const mark: PruneMark = from ?? { step: 'runs', fabricId: '0' };
  const act = <T>(statement: (sql: Sql) => PromiseLike<T>) => database.actUntil('prune the history', statement, signal);
  const { step } = mark;
  if (step === 'runs') return pruneRuns(act, keepMs, mark);
  const { count: rows } = await act((sql) => others[step](sql, oldest(sql, keepMs)));
  return { rows, next: rows === pieceRows ? mark : after(step) };
}

/** What ended before it is old. */
function oldest(sql: Sql, keepMs: number): Fragment {
  return sql`now() - make_interval(secs => ${keepMs}::float8 / 1000)`;
}

type Act = <T>(statement: (sql: Sql) => PromiseLike<T>) => Promise<T>;

async function pruneRuns(act: Act, keepMs: number, mark: PruneMark): Promise<Pruned> {
  const [piece] = await act(
    (sql) => sql<{ last: string | null; old: string }[]>`
      select max(id)::text as last, (${oldest(sql, keepMs)})::text as old
        from (select id from fabric where id > ${mark.fabricId}::bigint order by id limit ${fabricsAtOnce}) f`,
  );
  if (!piece?.last) return { rows: 0, next: after('runs') };
  const { last } = piece;
  const over = (sql: Sql) => sql`
    select r.id
      from fabric f
     cross join lateral (
           select id, is_old and (not committed or id < max(id) filter (where is_old and committed) over ()) as is_over
             from (select id, coalesce(finished_at < ${piece.old}::timestamptz, false) as is_old,
                          coalesce(outcome in ('complete', 'partial', 'awaiting_approval'), false) as committed
                     from fabric_run where fabric_id = f.id order by id limit ${runsAtOnce}) oldest) r
     where f.id > ${mark.fabricId}::bigint and f.id <= ${last}::bigint and r.is_over`;
  const changes = await act(
    (sql) => sql`
      delete from fabric_change where ctid = any(array(
        select ch.ctid from (${over(sql)}) o
         -- By the index of each run: the table is never read whole, whatever the planner knows of it.
         cross join lateral (select c.ctid from fabric_change c where c.run_id = o.id offset 0) ch
         limit ${pieceRows}))`,
  );
  if (changes.count === pieceRows) return { rows: changes.count, next: mark };
  const runs = await act((sql) => sql`delete from fabric_run where id = any(array(${over(sql)}))`);
  // As long as some went there may be more of theirs.
  return { rows: changes.count + runs.count, next: runs.count > 0 ? mark : { step: 'runs', fabricId: last } };
}

const others: Readonly<Record<Exclude<PruneMark['step'], 'runs'>, (sql: Sql, old: Fragment) => PendingQuery<Row[]>>> = {
  // A tombstone is older than its own run only by less than that run took; the changes before it went with theirs.
  tombstones: (sql, old) => sql`
    delete from fabric_resource where id = any(array(
      select s.id from fabric_resource s
       where s.deleted_at < ${old} and not exists (select from fabric_run r where r.id = s.deleted_run)
       limit ${pieceRows}))`,
  // What people did is little: both are read as they are.
  requests: (sql, old) => sql`
    delete from fabric_request where id = any(array(
      select id from fabric_request where settled_at < ${old} limit ${pieceRows}))`,
  acts: (sql, old) => sql`
    delete from fabric_act where id = any(array(
      select id from fabric_act where at < ${old} limit ${pieceRows}))`,
};

function after(step: PruneMark['step']): PruneMark | null {
  const next = steps[steps.indexOf(step) + 1];
  return next ? { step: next, fabricId: '0' } : null;
}
