// A transaction that stands in the way of others until it is let go: how a test stops others at one exact place.

import type { PendingQuery, ReservedSql, Row, Sql } from 'postgres';
import { expect, onTestFinished, vi } from 'vitest';
import { eventually } from './process/daemon.ts';

export interface Hold {
  /** Resolves when somebody waits for it. */
  waitedFor(): Promise<void>;
  letGo(): Promise<void>;
}

/** @param lock what takes the locks */
export async function hold(sql: Sql, lock: (tx: Sql) => PendingQuery<Row[]>): Promise<Hold> {
  // postgres.js 3.4.9 never hands out a connection that it has yet to open, where it need not ask for types.
  await sql`select`;
  const tx: ReservedSql = await sql.reserve();
  let held = true;
  const letGo = async () => {
    if (!held) return;
    held = false;
    // Where the server went away meanwhile, the locks went with it.
    await tx`rollback`.catch(() => {});
    tx.release();
  };
  onTestFinished(letGo);
  await tx`begin`;
  await lock(tx);
  const [me] = await tx<[{ pid: number }]>`select pg_backend_pid() as pid`;
  return {
    waitedFor: () =>
      vi.waitFor(async () => {
        const [one] = await sql<[{ waiting: number }]>`
          select count(*)::int as waiting from pg_stat_activity
           where datname = current_database() and ${me.pid} = any(pg_blocking_pids(pid))`;
        expect(one.waiting, 'waits for the lock').toBeGreaterThan(0);
      }, eventually),
    letGo,
  };
}
