import type { Store } from '../ports/store.ts';
import { claim } from './claim.ts';
import { commit } from './commit.ts';
import type { Database } from './connect.ts';
import { endPauses } from './end-pauses.ts';
import { fabric, fabrics, overdue } from './fabrics.ts';
import { interruptExpired } from './interrupt-expired.ts';
import { known } from './known.ts';
import { listen } from './listen.ts';
import { ping } from './ping.ts';
import { prune } from './prune.ts';
import { remember } from './remember.ts';
import { renew } from './renew.ts';
import { openRequests, refuseRequests } from './requests.ts';
import { settle } from './settle.ts';

/** The truth, in Postgres. `daemon` is the name under which this process claims. */
export function createStore(database: Database, { daemon }: { daemon: string }): Store {
  return {
    fabrics: () => fabrics(database),
    fabric: (fabricId) => fabric(database, fabricId),
    claim: (request) => claim(database, request),
    renew: (request) => renew(database, daemon, request),
    known: (fabricId, signal) => known(database, fabricId, signal),
    commit: (request, signal, onFenced) => commit(database, daemon, request, signal, onFenced),
    settle: (request) => settle(database, daemon, request),
    remember: (plans) => remember(database, plans),
    interruptExpired: (backoff, roll) => interruptExpired(database, backoff, roll),
    overdue: (dueBeforeMs, atMost) => overdue(database, dueBeforeMs, atMost),
    endPauses: () => endPauses(database),
    openRequests: (fabricId) => openRequests(database, fabricId ?? null),
    refuseRequests: (fabricId, refusal) => refuseRequests(database, fabricId, refusal),
    prune: (keepMs, from, signal) => prune(database, keepMs, from, signal),
    listen: (hear) => listen(database, daemon, hear),
    ping: () => ping(database),
  };
}
