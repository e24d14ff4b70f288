// The connections that outlive a run: of a few fabrics, and never at the cost of a request.

import { expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { startFabricFarm } from '../../../src/demo/fabrics/farm.ts';
import { systemDice } from '../../../src/dice.ts';
import { sealCredential } from '../../../src/kube/credentials.ts';
import { openFabricApis } from '../../../src/kube/pool.ts';
import { generateKey, readKey } from '../../../src/kube/sealing.ts';
import { settingsOf } from '../../support/fabric-settings.ts';
import { raw } from '../../support/raw-api.ts';
import { atEnd, limits, never, rawFabric } from './opened.ts';

const keptMax = 32;

async function farmOf(count: number) {
  const farm = await startFabricFarm({ count, clock: systemClock, dice: systemDice });
  atEnd(() => farm.stop());
  const key = readKey(generateKey());
  const apis = openFabricApis({ sources: () => ({ key, credentialsDirectory: null }), limits });
  atEnd(() => apis.close());
  const settings = farm.fabrics.map(({ url }, index) => {
    const fabricId = String(index + 1);
    const sealed = sealCredential(key, fabricId, { kind: 'token', token: farm.token });
    return settingsOf({ fabricId, server: url, caPem: farm.caPem, credential: { kind: 'sealed', sealed } });
  });
  const visit = async (index: number) => {
    const fabric = settings[index];
    if (!fabric) throw new Error(`there is no fabric ${index}`);
    return (await apis.of(fabric)).clusterUid(never());
  };
  return { farm, apis, settings, visit };
}

test('the next run of a fabric goes over the connection of its last one', async () => {
  const { farm, visit } = await farmOf(1);
  expect(await visit(0)).toBe(farm.fabrics[0]?.clusterUid);
  expect(await visit(0)).toBe(farm.fabrics[0]?.clusterUid);
  expect(farm.connections).toEqual({ open: 1, accepted: 1 });
});

test('of many fabrics only those that ran last keep their connections, and the others connect again', async () => {
  const { farm, visit } = await farmOf(keptMax + 8);
  for (const index of farm.fabrics.keys()) await visit(index);
  await expect.poll(() => farm.connections).toEqual({ open: keptMax, accepted: keptMax + 8 });
  expect(await visit(keptMax + 7)).toBe(farm.fabrics[keptMax + 7]?.clusterUid);
  expect(farm.connections.accepted).toBe(keptMax + 8);
  expect(await visit(0)).toBe(farm.fabrics[0]?.clusterUid);
  await expect.poll(() => farm.connections).toEqual({ open: keptMax, accepted: keptMax + 9 });
});

test('of many fabrics nothing is kept but of those that ran last, and one that lost its place is read all the same', async () => {
  const { farm, apis, settings, visit } = await farmOf(keptMax + 8);
  const [first] = settings;
  if (!first) throw new Error('the farm is empty');
  // As a run would hold it that is in hand, but asks nothing just now.
  const inHand = await apis.of(first);
  for (const index of farm.fabrics.keys()) if (index > 0) await visit(index);
  expect(apis.kept).toBe(keptMax);
  expect(await inHand.clusterUid(never())).toBe(farm.fabrics[0]?.clusterUid);
  await inHand.close();
  expect(apis.kept).toBe(keptMax);
});

test('a fabric does not rest while it is asked something', async () => {
  const asked = Promise.withResolvers<() => void>();
  const { api } = await rawFabric((_request, socket) =>
    asked.resolve(() => socket.write(raw(200, '{"kind":"APIGroupList","groups":[]}'))),
  );
  const groups = api.groups(never());
  const answer = await asked.promise;
  expect(api.rest()).toBe(false);
  answer();
  expect(await groups).toEqual(new Map());
  expect(api.rest()).toBe(true);
});
