// History has an end: runs with what they changed, tombstones and answered requests go when they are old enough.
// In small pieces, so that no statement runs long and no lock is held for long.

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
  // Changes before what they belong to: else the cascade would delete any number of them in one statement.
  const pieces: readonly (() => PendingQuery<Row[]>)[] = [
    () => sql`
      delete from fabric_change where ctid = any(array(
        select ch.ctid from fabric_change ch join fabric_run r on r.id = ch.run_id
         where r.finished_at < ${old} limit ${pieceRows}))`,
    () => sql`
      delete from fabric_change where ctid = any(array(
        select ch.ctid from fabric_change ch join fabric_resource r on r.id = ch.resource_id
         where r.deleted_at < ${old} limit ${pieceRows}))`,
    () => sql`
      delete from fabric_resource where id = any(array(
        select id from fabric_resource where deleted_at < ${old} limit ${pieceRows}))`,
    () => sql`
      delete from fabric_run where id = any(array(
        select id from fabric_run where finished_at < ${old} limit ${pieceRows}))`,
    () => sql`
      delete from fabric_request where id = any(array(
        select id from fabric_request where settled_at < ${old} limit ${pieceRows}))`,
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
