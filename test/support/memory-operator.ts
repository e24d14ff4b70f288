// What operators do to rows in memory: the acts behind `fabric add`, `set` and `remove`, and those of the operator's port
// that change something. They pass the suite of the real ones, and tell the daemons what those tell.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { FabricSettingsValues } from '../../src/ports/fabric-settings.ts';
import type { Operator } from '../../src/ports/operator.ts';
import type { StoredCredential } from '../../src/ports/store.ts';
import type { MemoryDatabase, Row } from './memory-database.ts';

export type ChangingOperator = Pick<
  Operator,
  'request' | 'pause' | 'resume' | 'approve' | 'unlock' | 'cancel' | 'announce'
>;

export function memoryOperator(database: MemoryDatabase): ChangingOperator {
  return {
    request: async (fabricIds, by, traceparent) =>
      fabricIds
        .filter((fabricId) => database.rows.has(fabricId))
        .map((fabricId) => ({ fabricId, requestId: database.request(fabricId, by, traceparent).requestId })),
    async pause(fabricId, { by, untilMs }) {
      const row = database.rows.get(fabricId);
      if (!row) return;
      row.paused = { untilMs };
      database.tell({ what: 'changed', fabricId, by });
    },
    async resume(fabricId, by) {
      const row = database.rows.get(fabricId);
      if (!row?.paused) return false;
      row.paused = null;
      database.tell({ what: 'changed', fabricId, by });
      return true;
    },
    async approve(fabricId, { runId, by, ask, traceparent }) {
      const row = database.rows.get(fabricId);
      if (row?.approval?.runId !== runId) return { kind: 'changed' };
      row.approved = true;
      return { kind: 'approved', requestId: ask ? database.request(fabricId, by, traceparent).requestId : null };
    },
    async unlock(fabricId, by) {
      const row = database.rows.get(fabricId);
      if (!row) return null;
      const { state, previousStatus, previousSyncMs, leaseHolder, runId } = row;
      const open = database.run(runId);
      const holder = database.isLeased(row) ? leaseHolder : null;
      if (state === 'syncing') {
        row.lastSyncMs = previousSyncMs;
        const unknown = previousSyncMs === null ? 'never_synced' : 'out_of_sync';
        row.status = previousStatus === null || previousStatus === 'syncing' ? unknown : previousStatus;
        row.state = restOf(row);
      }
      row.epoch += 1;
      database.end(row, 'fenced', FabricFailure.note(new FabricFailure('FENCE_STALE', `${by} unlocked the fabric`)));
      database.tell({ what: 'unlock', fabricId, by });
      return { holder, runId: open ? open.runId : null, epoch: row.epoch };
    },
    async cancel(fabricId, by) {
      database.tell({ what: 'cancel', fabricId, by });
    },
    async announce(fabricId) {
      database.tell(fabricId === null ? { what: 'everything' } : { what: 'changed', fabricId });
    },
  };
}

/** Where a run that was fenced off had come from, by what it served. */
function restOf({ dueKind }: Row): Row['state'] {
  if (dueKind === null) return 'idle';
  return ({ sync: 'scheduled', retry: 'backoff', probe: 'errored' } as const)[dueKind];
}

/** `fabric add`: the daemons hear of it. */
export function addFabric(database: MemoryDatabase, fabricId: string, values: Partial<Row> = {}): Row {
  const row = database.add(fabricId, values);
  database.tell({ what: 'settings', fabricId });
  return row;
}

export type Settable = Partial<
  Pick<
    FabricSettingsValues,
    'server' | 'syncEnabled' | 'schedulerEnabled' | 'intervalSeconds' | 'kindsRemoved' | 'guardShare' | 'guardCount'
  > & { readonly credential: StoredCredential }
>;

/** `fabric set`. A new way in makes a fabric in trouble due at once. */
export function setFabric(database: MemoryDatabase, fabricId: string, values: Settable): 'changed' | 'gone' {
  const row = database.rows.get(fabricId);
  if (!row) return 'gone';
  const { intervalSeconds, ...same } = values;
  const wanted = { ...same, ...(intervalSeconds !== undefined && { intervalMs: intervalSeconds * 1_000 }) };
  const before = JSON.stringify(row);
  const kindsBefore = JSON.stringify(row.kindsRemoved);
  Object.assign(row, wanted);
  const changed = JSON.stringify(row) !== before;
  const isNewWayIn = values.server !== undefined || values.credential !== undefined;
  if (isNewWayIn || JSON.stringify(row.kindsRemoved) !== kindsBefore) tryWayIn(database, row);
  if (changed) database.tell({ what: 'settings', fabricId });
  return 'changed';
}

function tryWayIn(database: MemoryDatabase, row: Row): void {
  const nowMs = database.now();
  row.wayInMs = nowMs;
  const inTrouble = row.state === 'backoff' || row.state === 'errored';
  if (inTrouble && row.dueAtMs !== null && row.dueAtMs > nowMs && !database.isLeased(row)) row.dueAtMs = nowMs;
}

/** `fabric remove`: with its inventory, runs and history. A run in hand finds its row gone. */
export function removeFabric(database: MemoryDatabase, fabricId: string): boolean {
  if (!database.rows.delete(fabricId)) return false;
  database.inventories.delete(fabricId);
  const stay = <One extends { readonly fabricId: string }>(all: One[]) =>
    all.splice(0, all.length, ...all.filter((one) => one.fabricId !== fabricId));
  stay(database.runs);
  stay(database.requests);
  database.tell({ what: 'settings', fabricId });
  return true;
}
