import type { InspectorReads } from '../../ports/inspector-reads.ts';
import type { Database } from '../connect.ts';
import { acts } from './acted.ts';
import { endedRuns } from './ended-runs.ts';
import { showFabric } from './show-fabric.ts';
import { status } from './status.ts';

/** @param deadlineMs what is not answered by then has failed; where absent, the bound of the connections */
export function postgresInspectorReads(database: Database, deadlineMs?: number): InspectorReads {
  const act: Database['act'] = (what, run) => database.act(what, run, deadlineMs);
  return {
    status: (fabricIds) => act('read the status', (sql) => status(sql, fabricIds)),
    endedRuns: (limit) => act('read the last runs', (sql) => endedRuns(sql, limit)),
    settings: (fabricId) => act('show the fabric', (sql) => showFabric(sql, fabricId)),
    acts: (fabricId, limit) => act('read who did what', (sql) => acts(sql, fabricId, limit)),
  };
}
