// A store on a fresh database, with what tests need beside it: fabrics made by hand, objects, and the whole of every table.

import { createHash } from 'node:crypto';
import type { Sql } from 'postgres';
import type {
  Claimed,
  ClaimRequest,
  CommitRequest,
  KindReport,
  Pruned,
  PruneMark,
  SettleRequest,
  StagedObject,
  Store,
} from '../../src/ports/store.ts';
import { type Database, openDatabase } from '../../src/postgres/connect.ts';
import { createStore } from '../../src/postgres/store.ts';
import { cloneDatabase } from './postgres.ts';

export const neverAborted = new AbortController().signal;

export interface StorePlace {
  readonly url: string;
  readonly database: Database;
  readonly sql: Sql;
  /** Connections that have nothing to do with the store's. */
  readonly observer: Sql;
  readonly store: Store;
  /** The same database seen by another daemon. Closed with the place. */
  another(daemon: string): Store;
  close(): Promise<void>;
}

export const daemon = 'host/1/aaaaaa';

export async function openStorePlace(server: { url: string; template: string }): Promise<StorePlace> {
  const clone = await cloneDatabase(server);
  const database = openDatabase({ url: clone.url });
  const observer = openDatabase({ url: clone.url, connectionsMax: 2 });
  const others: Database[] = [observer];
  return {
    url: clone.url,
    database,
    sql: database.sql,
    observer: observer.sql,
    store: createStore(database, { daemon }),
    another(name) {
      const other = openDatabase({ url: clone.url });
      others.push(other);
      return createStore(other, { daemon: name });
    },
    async close() {
      await Promise.all([database, ...others].map((open) => open.close()));
      await clone.drop();
    },
  };
}

/** The history to its end, piece by piece. @returns rows deleted */
export async function pruneAll(store: Pick<Store, 'prune'>, keepMs: number): Promise<number> {
  let deleted = 0;
  for (let from: PruneMark | null = null; ; ) {
    const { rows, next }: Pruned = await store.prune(keepMs, from, neverAborted);
    deleted += rows;
    if (next === null) return deleted;
    from = next;
  }
}

let made = 0;

/** A configured fabric, with any column of `fabric` given. @returns its id */
export async function addFabric(sql: Sql, columns: Record<string, unknown> = {}): Promise<string> {
  made += 1;
  const row = {
    name: `fabric-${made}`,
    kubernetes_server: 'https://192.0.2.1:6443',
    credential_ref: 'file:/nowhere',
    ...columns,
  };
  const [added] = await sql<{ id: string }[]>`insert into fabric ${sql(row)} returning id`;
  if (!added) throw new Error('the fabric was not added');
  return added.id;
}

/** In order of their ids. */
export async function addFabrics(sql: Sql, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) ids.push(await addFabric(sql));
  return ids;
}

/** Makes it due now, as a plan would. @returns the due time */
export async function makeDue(sql: Sql, fabricId: string, columns: Record<string, unknown> = {}): Promise<number> {
  const cycle = { state: 'scheduled', due_kind: 'sync', tick_interval: 60, ...columns };
  const [row] = await sql<{ due: number }[]>`
    update fabric_cycle set ${sql(cycle)}, due_at = date_trunc('milliseconds', now()), tick_at = date_trunc('milliseconds', now())
     where fabric_id = ${fabricId}
    returning extract(epoch from due_at)::float8 * 1000 as due`;
  if (!row) throw new Error('no such fabric');
  return Math.round(row.due);
}

export function claimRequest(fabricId: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  return { fabricId, daemon, leaseTtlMs: 30_000, trigger: 'sync', servedDueMs: null, traceparent: null, ...more };
}

/** Makes it due and claims it. */
export async function claimNow(
  { sql, store }: Pick<StorePlace, 'sql' | 'store'>,
  fabricId: string,
  more: Partial<ClaimRequest> = {},
): Promise<Extract<Claimed, { kind: 'claimed' }>> {
  const servedDueMs = await makeDue(sql, fabricId);
  const answer = await store.claim(claimRequest(fabricId, { servedDueMs, ...more }));
  if (answer.kind !== 'claimed') throw new Error(`not claimed but ${answer.kind}`);
  return answer;
}

export function object(name: string, more: Partial<StagedObject> & { spec?: unknown } = {}): StagedObject {
  const { spec = { name }, ...columns } = more;
  const kind = columns.kind ?? 'Switch';
  const json =
    columns.json ??
    JSON.stringify({
      apiVersion: 'wiring.githedgehog.com/v1beta1',
      kind,
      metadata: { name, namespace: 'default' },
      spec,
    });
  return {
    group: 'wiring.githedgehog.com',
    version: 'v1beta1',
    kind,
    plural: `${kind.toLowerCase()}s`,
    namespace: 'default',
    name,
    uid: `uid-of-${name}`,
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-02T03:04:05Z',
    ...columns,
    json,
    hash: createHash('sha256').update(json).digest('base64'),
  };
}

export const report = (more: Partial<KindReport> = {}): KindReport => ({
  answer: 'complete',
  listed: 0,
  created: 0,
  updated: 0,
  deleted: 0,
  touched: 0,
  quarantined: 0,
  ...more,
});

export function commitRequest(
  { claim, row }: Pick<Extract<Claimed, { kind: 'claimed' }>, 'claim' | 'row'>,
  more: Partial<Omit<CommitRequest, 'staged' | 'stagedCount'>> & { staged?: readonly StagedObject[] } = {},
): CommitRequest {
  const { staged = [], ...rest } = more;
  return {
    fabricId: row.fabricId,
    claim,
    outcome: 'complete',
    figures: { kinds: {}, requests: 1, bytesRead: 1_000 },
    touched: [],
    deletions: [],
    unsynced: [],
    kindsWanted: ['wiring.githedgehog.com/Switch', 'wiring.githedgehog.com/Server', 'vpc.githedgehog.com/VPC'],
    kindsComplete: ['wiring.githedgehog.com/Switch'],
    quarantined: [],
    clusterUid: null,
    approval: null,
    next: { tickMs: 2_000_000_000_000, dueAtMs: 2_000_000_000_123, intervalMs: 60_000 },
    remark: '',
    ...rest,
    staged,
    stagedCount: staged.length,
  };
}

export function settleRequest(
  { claim, row }: Pick<Extract<Claimed, { kind: 'claimed' }>, 'claim' | 'row'>,
  more: Partial<SettleRequest> = {},
): SettleRequest {
  return {
    fabricId: row.fabricId,
    claim,
    rest: 'backoff',
    outcome: 'failed',
    attempts: 1,
    failure: { code: 'UNREACHABLE', message: 'connection refused', hint: 'Look at the firewall.' },
    connection: 'disconnected',
    due: { kind: 'retry', dueAtMs: 2_000_000_000_000 },
    approval: null,
    figures: null,
    ...more,
  };
}

const tables = [
  'fabric',
  'fabric_cycle',
  'fabric_run',
  'fabric_resource',
  'fabric_change',
  'fabric_quarantine',
  'fabric_request',
] as const;

/** Every row of every table, as text: equal before and after means that nothing was written. */
export async function wholeDatabase(sql: Sql): Promise<string> {
  const parts = await Promise.all(
    tables.map(async (table) => {
      const rows = await sql<{ row: string }[]>`select t::text as row from ${sql(table)} t order by t::text`;
      return [table, ...rows.map(({ row }) => row)].join('\n');
    }),
  );
  return parts.join('\n\n');
}

/** One row as it stands. */
export async function rowOf(sql: Sql, table: (typeof tables)[number], where: Record<string, string>) {
  const [[column = '', value = ''] = []] = Object.entries(where);
  const [row] = await sql<Record<string, unknown>[]>`select * from ${sql(table)} where ${sql(column)} = ${value}`;
  if (!row) throw new Error(`no row of ${table} where ${column} = ${value}`);
  return row;
}
