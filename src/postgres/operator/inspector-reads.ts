import type { InspectorReads } from '../../ports/inspector-reads.ts';
import type { Database } from '../connect.ts';
import { acts } from './acted.ts';
import { endedRuns } from './ended-runs.ts';
import { showFabric } from './show-fabric.ts';
import { status } from './status.ts';

/** Somebody looks on and waits: what is not answered by then is told as missing. */
const patienceMs = 5_000;

export function postgresInspectorReads({ act }: Database): InspectorReads {
  return {
    status: (fabricIds) => act('read the status', (sql) => status(sql, fabricIds), patienceMs),
    endedRuns: (limit) => act('read the last runs', (sql) => endedRuns(sql, limit), patienceMs),
    settings: (fabricId) => act('show the fabric', (sql) => showFabric(sql, fabricId), patienceMs),
    acts: (fabricId, limit) => act('read who did what', (sql) => acts(sql, fabricId, limit), patienceMs),
  };
}
