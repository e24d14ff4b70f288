// The commit of a run: inventory, history, how it ended, what comes next, and the lease, all or nothing.
//
//   D1. Everything is under the epoch of the claim, and its holder's. A stale one changes nothing, and says so. The holder is
//       asked for too because a database that was restored from a backup gives epochs and run numbers out again.
//   D2. A run that found nothing new is one statement.
//   D3. Doing it again after an answer was lost is safe: a run that committed already says so once more.

import type { Claim } from '../../machines/fabric/ports.ts';
import type { CommitRequest, Committed } from '../ports/store.ts';
import type { Database } from './connect.ts';
import { finish } from './finish.ts';
import { bury, merge, touch } from './merge.ts';
import { type FabricColumns, fabricColumns, fabricRow } from './rows.ts';
import { prepareStage, stage } from './stage.ts';
import type { Transaction } from './transaction.ts';

/** A merge is several statements, each with the server's bound; no sane one comes near. */
const deadlineMs = 120_000;
const what = 'commit a run';

/** @throws the signal's reason where it is aborted first: nothing is written then */
export async function commit(
  database: Database,
  daemon: string,
  request: CommitRequest,
  signal: AbortSignal,
  onFenced: () => void = () => {},
): Promise<Committed> {
  signal.throwIfAborted();
  const { stagedCount, touched, deletions, unsynced } = request;
  const writes = stagedCount + touched.length + deletions.length + unsynced.length > 0;
  const ended = writes
    ? await withMerge(database, daemon, request, signal, onFenced)
    : await alone(database, daemon, request, signal);
  return ended ?? (await committedBefore(database, daemon, request));
}

async function alone(
  database: Database,
  daemon: string,
  request: CommitRequest,
  signal: AbortSignal,
): Promise<Committed | null> {
  const [row] = await database.actUntil(what, (sql) => finish(sql, daemon, request, false), signal);
  return row ? { kind: 'committed', row: fabricRow(row), changes: 0 } : null;
}

async function withMerge(
  database: Database,
  daemon: string,
  request: CommitRequest,
  signal: AbortSignal,
  onFenced: () => void,
): Promise<Committed | null> {
  const { fabricId, claim, stagedCount } = request;
  const target = { fabricId, runId: claim.runId };
  return database.transact(
    what,
    async (tx) => {
      const [mine] = await Promise.all([lockUnderEpoch(tx, daemon, fabricId, claim), prepareStage(tx)]);
      if (!mine) return null;
      onFenced();
      if (stagedCount > 0) await stage(tx, request.staged);
      // They go out together; each sees what those before it wrote.
      const [, deleted, unsynced, merged, [row]] = await Promise.all([
        touch(tx, target, request.touched),
        bury(tx, target, request.deletions, 'deleted'),
        bury(tx, target, request.unsynced, 'unsynced'),
        stagedCount > 0 ? merge(tx, target, stagedCount) : 0,
        tx.run((sql) => finish(sql, daemon, request, true)),
      ]);
      return row ? { kind: 'committed', row: fabricRow(row), changes: deleted + unsynced + merged } : null;
    },
    { deadlineMs, signal },
  );
}

/** From here to the end of the transaction the epoch cannot move (D1), and the claim cannot be renewed either. */
async function lockUnderEpoch(tx: Transaction, daemon: string, fabricId: string, claim: Claim): Promise<boolean> {
  const locked = await tx.run(
    (sql) => sql`
      select from fabric f join fabric_cycle c on c.fabric_id = f.id
       where f.id = ${fabricId}::bigint and c.epoch = ${claim.epoch} and c.run_id = ${claim.runId}::bigint
         and c.lease_holder = ${daemon}
         for no key update of f, c`,
  );
  return locked.count === 1;
}

async function committedBefore(
  database: Database,
  daemon: string,
  { fabricId, claim, outcome }: CommitRequest,
): Promise<Committed> {
  const [row] = await database.act(
    what,
    (sql) => sql<(FabricColumns & { changes: number })[]>`
      select ${fabricColumns(sql)},
             (select count(*)::int from fabric_change ch where ch.run_id = r.id) as changes
        from fabric_run r join fabric f on f.id = r.fabric_id join fabric_cycle c on c.fabric_id = f.id
       where r.id = ${claim.runId}::bigint and r.fabric_id = ${fabricId}::bigint and r.epoch = ${claim.epoch}
         and r.daemon = ${daemon} and r.outcome = ${outcome} and c.epoch = r.epoch`,
  );
  return row ? { kind: 'committed', row: fabricRow(row), changes: row.changes } : { kind: 'stale' };
}
