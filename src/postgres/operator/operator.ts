import type { Operator } from '../../ports/operator.ts';
import type { Database } from '../connect.ts';
import { announce } from './announce.ts';
import { approve } from './approve.ts';
import { asOf } from './as-of.ts';
import { cancel } from './cancel.ts';
import { changes } from './changes.ts';
import { findFabric } from './find-fabric.ts';
import { pause } from './pause.ts';
import { quarantine } from './quarantine.ts';
import { request } from './request.ts';
import { requests } from './requests.ts';
import { resourceNames } from './resource-names.ts';
import { resources } from './resources.ts';
import { resume } from './resume.ts';
import { run, runs } from './runs.ts';
import { status } from './status.ts';
import { unlock } from './unlock.ts';

/**
 * Each act in words, bounded and with its errors translated by `Database.act`.
 * @param deadlineMs what is not answered by then has failed; where absent, the bound of the connections
 */
export function postgresOperator(database: Database, deadlineMs?: number): Operator {
  const act: Database['act'] = (what, run) => database.act(what, run, deadlineMs);
  return {
    status: (fabricId) => act('read the status', (sql) => status(sql, fabricId === undefined ? null : [fabricId])),
    find: (nameOrNumber) => act('look up a fabric', (sql) => findFabric(sql, nameOrNumber)),
    quarantine: (fabricId) => act('read the quarantine', (sql) => quarantine(sql, fabricId)),
    runs: (fabricId, limit) => act('read the history', (sql) => runs(sql, fabricId, limit)),
    run: (runId) => act('read a run', (sql) => run(sql, runId)),
    changes: (runId) => act('read the changes of a run', (sql) => changes(sql, runId)),
    asOf: (fabricId, atMs) => act('read the history', (sql) => asOf(sql, fabricId, atMs)),
    resources: (query) => act('read the resources', (sql) => resources(sql, query)),
    resourceNames: (ids, limit) => act('read the resources', (sql) => resourceNames(sql, ids, limit)),
    request: (ids, by, traceparent, as) => act('ask for a sync', (sql) => request(sql, ids, by, traceparent, as)),
    requests: (ids) => act('read the requests', (sql) => requests(sql, ids)),
    pause: (fabricId, how) => act('pause a fabric', (sql) => pause(sql, fabricId, how)),
    resume: (fabricId, by) => act('resume a fabric', (sql) => resume(sql, fabricId, by)),
    approve: (fabricId, what) => act('approve', (sql) => approve(sql, fabricId, what)),
    unlock: (fabricId, by) => act('unlock a fabric', (sql) => unlock(sql, fabricId, by)),
    cancel: (fabricId, by) => act('cancel a run', (sql) => cancel(sql, fabricId, by)),
    announce: (fabricId) => act('tell the daemons', (sql) => announce(sql, fabricId)),
  };
}
