// Each right of the least role is needed: it is taken away, and something that a daemon or a verb does is refused. Whether
// they are enough is for test/process/least-rights.test.ts.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { backoffDefault } from '../../../machines/fabric/backoff.ts';
import type { Claimed } from '../../../src/ports/store.ts';
import { openDatabase } from '../../../src/postgres/connect.ts';
import { runtimeRole, tableRights } from '../../../src/postgres/grants.ts';
import { schemaState } from '../../../src/postgres/migrate.ts';
import { postgresFabricBook } from '../../../src/postgres/operator/fabric-book.ts';
import { postgresInspectorReads } from '../../../src/postgres/operator/inspector-reads.ts';
import { postgresOperator } from '../../../src/postgres/operator/operator.ts';
import { createStore } from '../../../src/postgres/store.ts';
import {
  claimRequest,
  commitRequest,
  daemon,
  neverAborted,
  object,
  openStorePlace,
  pruneAll,
  type StorePlace,
  settleRequest,
} from '../../support/fabric-store.ts';

const role = `each_${randomBytes(6).toString('hex')}`;
const password = randomBytes(12).toString('hex');
let place: StorePlace;
let database = '';

beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  const [row] = await place.observer<[{ name: string }]>`select current_database()::text as name`;
  database = row.name;
  // What everybody may do by default would hide what the role needs.
  await place.observer.unsafe(
    `revoke all on database "${database}" from public; revoke all on schema public from public`,
  );
  for (const statement of runtimeRole(role, database, 'public')) {
    await place.observer.unsafe(statement.replace('PASSWORD', password));
  }
});

afterAll(async () => {
  await place.observer.unsafe(`drop owned by ${role}; drop role ${role}`);
  await place.close();
});

/** All that is ever asked of Postgres by a daemon and its verbs, once, on a fabric of its own. */
async function everything(): Promise<void> {
  const url = place.url.replace(/^([a-z]+:\/\/)(?:[^@/]*@)?/, `$1${role}:${password}@`);
  const ours = openDatabase({ url, connectionsMax: 2, applicationName: 'each right' });
  try {
    await schemaState(ours);
    const [store, book, operator] = [createStore(ours, { daemon }), postgresFabricBook(ours), postgresOperator(ours)];
    const reads = postgresInspectorReads(ours);
    const stopListening = await store.listen(() => {});
    await stopListening();

    const values = {
      name: `fabric ${randomBytes(6).toString('hex')}`,
      server: 'https://192.0.2.1:6443',
      intervalSeconds: 60,
    };
    const added = await book.add(values, { kind: 'seal', seal: () => Buffer.from('sealed') });
    if (added.kind !== 'added') throw new Error('it was not added');
    const id = added.fabricId;
    await book.list();
    await book.reseal(id, Buffer.from('sealed'), Buffer.from('sealed anew'));
    await book.set(id, { intervalSeconds: 30 }, { kind: 'ref', ref: 'file:/nowhere' });

    const claimed = async (leaseTtlMs = 60_000): Promise<Extract<Claimed, { kind: 'claimed' }>> => {
      const row = await store.fabric(id);
      if (!row) throw new Error('it is gone');
      const [{ now }] = await place.observer<[{ now: number }]>`
        select floor(extract(epoch from now()) * 1000)::float8 as now`;
      const plan = {
        state: 'scheduled',
        kind: 'sync',
        dueAtMs: now,
        attempts: 0,
        failure: null,
        why: 'overdue',
      } as const;
      await store.remember([{ row, plan }]);
      const answer = await store.claim(claimRequest(id, { servedDueMs: now, leaseTtlMs }));
      if (answer.kind !== 'claimed') throw new Error(`not claimed but ${answer.kind}`);
      return answer;
    };
    const poor = { group: 'wiring.githedgehog.com', kind: 'Switch', namespace: 'default', reason: 'its name is none' };
    const first = await claimed();
    await store.renew({ fabricId: id, claim: first.claim, leaseTtlMs: 60_000 });
    await operator.request([id], 'ann', null);
    const staged = [object('a'), object('b')];
    await store.commit(commitRequest(first, { staged, quarantined: [{ ...poor, name: 'x' }] }), neverAborted);
    const [a, b] = [...(await store.known(id, neverAborted)).values()];
    const touched = [{ id: a?.id ?? '', version: 'v1', resourceVersion: '2', generation: 2 }];
    // Again in quarantine, and another one that is out of it.
    const quarantined = [{ ...poor, name: 'x', reason: 'another' }];
    const second = commitRequest(await claimed(), { touched, deletions: [b?.id ?? ''], quarantined });
    await store.commit(second, neverAborted);
    await store.commit(commitRequest(await claimed()), neverAborted);
    await store.settle(settleRequest(await claimed()));

    await operator.pause(id, { by: 'ann', reason: 'a look', untilMs: null });
    await store.endPauses();
    await operator.resume(id, 'ann');
    await operator.approve(id, { runId: '1', by: 'ann', ask: true, traceparent: null });
    await operator.cancel(id, 'ann');
    const [request] = await operator.request([id], 'ann', null);
    await store.openRequests(id);
    await store.refuseRequests(id, 'refused: by a test');
    await claimed();
    await operator.unlock(id, 'ann');
    await claimed(1);
    while ((await store.interruptExpired(backoffDefault, 0)).length === 0);

    await store.overdue(0, 1);
    const runs = await operator.runs(id, 10);
    await operator.changes(runs[0]?.runId ?? '');
    await operator.asOf(id, Date.UTC(2026, 0, 1));
    await operator.requests([request?.requestId ?? '']);
    await operator.status(id);
    await operator.quarantine(id);
    await operator.resourceNames([a?.id ?? ''], 1);
    await reads.endedRuns(1);
    await reads.acts(id, 10);
    await book.belongings(id);
    await pruneAll(store, 0);
    await book.remove(id);
  } finally {
    await ours.close();
  }
}

interface Right {
  readonly right: string;
  readonly what: string;
  /** As `grant` calls it. */
  readonly on: () => string;
}

const inDatabase = { what: 'the database', on: () => `database "${database}"` };
const rights: readonly Right[] = [
  { right: 'connect', ...inDatabase },
  { right: 'temporary', ...inDatabase },
  { right: 'usage', what: 'the schema', on: () => 'schema public' },
  ...Object.entries(tableRights).flatMap(([what, list]) => list.map((right) => ({ right, what, on: () => what }))),
];

describe('the least role', () => {
  test('may do all of it', everything);

  test.each(rights)('needs $right on $what', async ({ right, on }) => {
    await place.observer.unsafe(`revoke ${right} on ${on()} from ${role}`);
    try {
      // A schema that may not be used is not looked into: its tables are not there.
      const sqlstate = right === 'usage' ? '42P01' : '42501';
      await expect(everything()).rejects.toMatchObject({ facts: { sqlstate } });
    } finally {
      await place.observer.unsafe(`grant ${right} on ${on()} to ${role}`);
    }
  });
});
