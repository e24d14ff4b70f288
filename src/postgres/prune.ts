// History has an end: runs with what they changed, tombstones and answered requests go when they are old enough.
// In small pieces, so that no statement runs long and no lock is held for long.
//
//   P1. What a fabric was at any time that is still kept can be told: the last run that had committed by the beginning of
//       that time stays, however old it is, and with it what it deleted.

import type { PendingQuery, Row } from 'postgres';
import type { Database } from './connect.ts';

const pieceRows = 5_000;

/**
 * @param keepMs what is younger stays; a run that has not ended stays whatever its age
 * @returns rows deleted
 */
export async function prune(database: Database, keepMs: number): Promise<number> {
  const { sql } = database;
  const old = sql`now() - make_interval(secs => ${keepMs}::float8 / 1000)`;
  const over = sql`
    r.finished_at < ${old} and (
      r.outcome not in ('complete', 'partial', 'awaiting_approval')
      or exists (select from fabric_run later
                  where later.fabric_id = r.fabric_id and later.id > r.id and later.finished_at < ${old}
                    and later.outcome in ('complete', 'partial', 'awaiting_approval')))`;
  // Changes before what they belong to: else the cascade would delete any number of them in one statement.
  const pieces: readonly (() => PendingQuery<Row[]>)[] = [
    () => sql`
      delete from fabric_change where ctid = any(array(
        select ch.ctid from fabric_change ch join fabric_run r on r.id = ch.run_id
         where ${over} limit ${pieceRows}))`,
    () => sql`
      delete from fabric_run where id = any(array(
        select r.id from fabric_run r where ${over} limit ${pieceRows}))`,
    // A tombstone is older than its own run only by less than that run took; the changes before it went with theirs.
    () => sql`
      delete from fabric_resource where id = any(array(
        select s.id from fabric_resource s
         where s.deleted_at < ${old} and not exists (select from fabric_run r where r.id = s.deleted_run)
         limit ${pieceRows}))`,
    () => sql`
      delete from fabric_request where id = any(array(
        select id from fabric_request where settled_at < ${old} limit ${pieceRows}))`,
    () => sql`
      delete from fabric_act where id = any(array(
        select id from fabric_act where at < ${old} limit ${pieceRows}))`,
  ];
  let deleted = 0;
  for (const piece of pieces) {
    for (let more = true; more; ) {
      const { count } = await database.act('prune the history', () => piece());
      deleted += count;
      more = count === pieceRows;
    }
  }
  return deleted;
}
