// The chronicle that chaos judges by: what it knows of runs that the tables themselves have forgotten.

import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { heldRuns, openChronicle, tellRestored } from '../../chaos/chronicle.ts';
import {
  addFabric,
  claimNow,
  commitRequest,
  daemon,
  neverAborted,
  object,
  openStorePlace,
  report,
  type StorePlace,
} from '../../support/fabric-store.ts';

let place: StorePlace;
beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  await openChronicle(place.sql);
});
afterAll(() => place.close());

const held = async (fabric: string) => {
  const runs = await heldRuns(place.sql, (name) => (name === daemon ? 'daemon 1' : null));
  return runs.filter((run) => run.fabric === fabric);
};

test('a run that committed says what it claims to have read, under the name of its place', async () => {
  const id = await addFabric(place.sql, { name: 'committed' });
  const run = await claimNow(place, id);
  expect(await held('committed')).toMatchObject([{ daemon: 'daemon 1', toMs: null, isFenced: false, claims: null }]);
  const figures = {
    kinds: { Switch: report({ listed: 1 }), VPC: report({ answer: 'forbidden' }) },
    requests: 7,
    bytesRead: 1,
  };
  await place.store.commit(commitRequest(run, { figures, staged: [object('a')] }), neverAborted);
  const [told] = await held('committed');
  expect(told).toMatchObject({ isFenced: false, claims: { requests: 7, kinds: ['Switch'] } });
  expect(told?.toMs).toBeGreaterThan(told?.fromMs ?? Number.POSITIVE_INFINITY);
});

test('a run in hand whose fabric is removed ends there, cut off, and is still known', async () => {
  const id = await addFabric(place.sql, { name: 'removed' });
  await claimNow(place, id);
  await place.sql`delete from fabric where id = ${id}`;
  const [told] = await held('removed');
  expect(told).toMatchObject({ isFenced: true, claims: null });
  expect(told?.toMs).not.toBeNull();
});

test('a run in hand when a dump is restored ends there; one that had ended stays as it was, whatever the dump says of it', async () => {
  const [open, done] = [await addFabric(place.sql, { name: 'open' }), await addFabric(place.sql, { name: 'done' })];
  await claimNow(place, open);
  const run = await claimNow(place, done);
  await place.store.commit(commitRequest(run), neverAborted);
  const [before] = await held('done');
  await tellRestored(place.sql);
  // As the sweep finds it in the older rows.
  await place.sql`update fabric_run set outcome = 'interrupted', finished_at = now() where fabric_id = ${done}`;
  expect(await held('done')).toEqual([before]);
  expect(await held('open')).toMatchObject([{ isFenced: true, claims: null }]);
});

test('a run of a process that sits nowhere of ours keeps its own name', async () => {
  const id = await addFabric(place.sql, { name: 'stranger' });
  await claimNow(place, id, { daemon: 'elsewhere/1/x' });
  expect(await held('stranger')).toMatchObject([{ daemon: 'elsewhere/1/x' }]);
});
