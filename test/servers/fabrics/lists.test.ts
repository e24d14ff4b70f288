import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { handClock } from '../../support/hand-clock.ts';
import { ask, type KubeObject, listAll, listPage } from '../../support/kube-client.ts';
import { fabricsOfThisFile } from '../../support/simulated-fabric.ts';

const start = fabricsOfThisFile();
const wiring = '/apis/wiring.githedgehog.com/v1beta1';
const inDefault = (plural: string) => `${wiring}/namespaces/default/${plural}`;
const names = (items: readonly KubeObject[]) => items.map(({ metadata }) => metadata.name);

describe('a LIST', () => {
  test('comes in pages that together hold each object once, in the order of names', async () => {
    const fabric = await start({ shape: 'medium' });
    const pages = await listAll(fabric, inDefault('connections'), 50);
    expect(pages.map(({ items }) => items.length)).toEqual([50, 50, 50, 46]);
    expect(pages.map(({ metadata }) => metadata.remainingItemCount)).toEqual([146, 96, 46, undefined]);
    expect(new Set(pages.map(({ metadata }) => metadata.resourceVersion)).size).toBe(1);
    const all = names(pages.flatMap(({ items }) => items));
    expect(all).toEqual([...new Set(all)].sort());
    const [page] = pages;
    expect(page).toMatchObject({ kind: 'ConnectionList', apiVersion: 'wiring.githedgehog.com/v1beta1' });
    for (const item of page?.items ?? []) {
      expect(item).toMatchObject({ kind: 'Connection', apiVersion: 'wiring.githedgehog.com/v1beta1', status: {} });
    }
  });

  test('shows all its pages as they were at the first, whatever is written meanwhile', async () => {
    const fabric = await start({ shape: 'lab' });
    const first = await listPage(fabric, `${inDefault('servers')}?limit=2`);
    const kind = fabric.store.kind('Server');
    for (const stored of [...fabric.store.all(kind)]) fabric.store.delete(stored);
    const rest = await listPage(fabric, `${inDefault('servers')}?limit=100&continue=${first.metadata.continue}`);
    expect(names([...first.items, ...rest.items])).toHaveLength(6);
    expect(rest.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    const anew = await listPage(fabric, inDefault('servers'));
    expect(anew.items).toEqual([]);
    expect(Number(anew.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
  });

  test('answers 410 to a continue token that is too old, with a token that goes on with what is there now', async () => {
    const fabric = await start({ shape: 'lab' });
    const first = await listPage(fabric, `${inDefault('servers')}?limit=2`);
    fabric.store.compact();
    const { status, text } = await ask(fabric, `${inDefault('servers')}?limit=2&continue=${first.metadata.continue}`);
    expect(status).toBe(410);
    const body = JSON.parse(text);
    expect(body).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'Expired', code: 410 });
    const rest = await listPage(fabric, `${inDefault('servers')}?continue=${body.metadata.continue}`);
    expect(names(rest.items)).toEqual(['server-03', 'server-04', 'server-05', 'server-06']);
  });

  test('gives tokens that are good from the first page on, however long nothing has changed before', async () => {
    const clock = handClock(Date.now());
    const fabric = await start({ shape: 'lab', clock });
    for (let turn = 0; turn < 3; turn++) {
      const first = await listPage(fabric, `${inDefault('servers')}?limit=2`);
      clock.advance(4 * 60_000);
      const rest = await listPage(fabric, `${inDefault('servers')}?limit=100&continue=${first.metadata.continue}`);
      expect(names([...first.items, ...rest.items])).toHaveLength(6);
    }
    const { metadata } = await listPage(fabric, `${inDefault('servers')}?limit=2`);
    clock.advance(6 * 60_000);
    expect((await ask(fabric, `${inDefault('servers')}?continue=${metadata.continue}`)).status).toBe(410);
  });

  test('refuses a token that is none', async () => {
    const fabric = await start({ shape: 'lab' });
    expect((await ask(fabric, `${inDefault('servers')}?continue=nonsense`)).status).toBe(400);
  });

  test('covers one namespace or all of them', async () => {
    const fabric = await start({ shape: 'lab' });
    const path = (rest: string) => `/apis/fabricator.githedgehog.com/v1beta1/${rest}`;
    expect((await listPage(fabric, path('namespaces/default/fabricators'))).items).toHaveLength(0);
    expect((await listPage(fabric, path('namespaces/fab/fabricators'))).items).toHaveLength(1);
    expect((await listPage(fabric, path('fabricators'))).items).toHaveLength(1);
  });

  test.each([
    ['labelSelector=fabric.githedgehog.com/connection-type=gateway', 2],
    ['labelSelector=fabric.githedgehog.com/connection-type!=fabric', 8],
    ['labelSelector=fabric.githedgehog.com/connection-type in (eslag, bundled)', 4],
    ['labelSelector=fabric.githedgehog.com/connection-type notin (fabric,gateway)', 6],
    ['labelSelector=switch.fabric.githedgehog.com/spine-01,!server.fabric.githedgehog.com/server-01', 4],
    ['fieldSelector=metadata.name=spine-01--fabric--leaf-01', 1],
    ['fieldSelector=metadata.namespace!=default', 0],
  ])('selects by %s', async (selector, howMany) => {
    const fabric = await start({ shape: 'lab' });
    const [key = '', ...value] = selector.split('=');
    const query = `${key}=${encodeURIComponent(value.join('='))}`;
    expect((await listPage(fabric, `${inDefault('connections')}?${query}`)).items).toHaveLength(howMany);
  });

  test('is compressed where it is large and the client takes that', async () => {
    const fabric = await start({ shape: 'medium' });
    const plain = await ask(fabric, inDefault('connections'));
    const packed = await ask(fabric, inDefault('connections'), { headers: { 'accept-encoding': 'gzip' } });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.bytes).equals(plain.bytes)).toBe(true);
    const small = await ask(fabric, inDefault('vlannamespaces'), { headers: { 'accept-encoding': 'gzip' } });
    expect(small.headers['content-encoding']).toBeUndefined();
  });
});

describe('an object', () => {
  test('carries what a real server adds: versions, times, who wrote what, and what was applied last', async () => {
    const fabric = await start({ shape: 'lab' });
    const { items } = await listPage(fabric, inDefault('switches'));
    const leaf = items.find(({ metadata }) => metadata.name === 'leaf-01');
    expect(leaf?.metadata).toMatchObject({
      namespace: 'default',
      generation: 1,
      uid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      resourceVersion: expect.stringMatching(/^[1-9]\d*$/),
      creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      labels: { 'fabric.githedgehog.com/profile': 'vs', 'switchgroup.fabric.githedgehog.com/eslag-1': 'true' },
    });
    const applied = JSON.parse(leaf?.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'] ?? '');
    expect(applied.spec).toEqual(leaf?.spec);
    expect(leaf?.metadata.managedFields).toMatchObject([
      { manager: 'kubectl-client-side-apply', fieldsV1: { 'f:spec': { 'f:role': {} } } },
      { manager: 'fabric', fieldsV1: { 'f:metadata': { 'f:labels': {} } } },
    ]);
  });

  test('is there by name, and 404 tells which one is not', async () => {
    const fabric = await start({ shape: 'lab' });
    const one = await ask(fabric, `${inDefault('switches')}/leaf-01`);
    expect(JSON.parse(one.text)).toMatchObject({ kind: 'Switch', metadata: { name: 'leaf-01' } });
    const none = await ask(fabric, `${inDefault('switches')}/leaf-99`);
    expect(none.status).toBe(404);
    expect(JSON.parse(none.text)).toMatchObject({
      reason: 'NotFound',
      message: 'switches.wiring.githedgehog.com "leaf-99" not found',
      details: { name: 'leaf-99', group: 'wiring.githedgehog.com', kind: 'switches' },
    });
  });
});

describe('the rest of the API', () => {
  test('only the token opens it', async () => {
    const fabric = await start({ shape: 'tiny' });
    for (const path of ['/version', '/apis', inDefault('switches')]) {
      const refused = await ask(fabric, path, { token: `${fabric.token}x` });
      expect(refused.status).toBe(401);
      expect(JSON.parse(refused.text)).toMatchObject({ kind: 'Status', reason: 'Unauthorized', code: 401 });
    }
  });

  test('a group, a version and a resource that it does not have are told apart as a real server does', async () => {
    const fabric = await start({ shape: 'tiny' });
    const nothing = await ask(fabric, '/apis/vpc.githedgehog.com/v1alpha2/vpcs');
    expect([nothing.status, nothing.text]).toEqual([404, '404 page not found\n']);
    const resource = await ask(fabric, `${wiring}/racks`);
    expect([resource.status, JSON.parse(resource.text).message]).toEqual([
      404,
      'the server could not find the requested resource',
    ]);
  });

  test.each([
    ['v0.112', 'peerings', 'gatewaypeerings'],
    ['v0.113+', 'gatewaypeerings', 'peerings'],
    ['next', 'gatewaypeerings', 'peerings'],
  ] as const)('generation %s serves %s and not %s', async (profile, served, notServed) => {
    const fabric = await start({ shape: 'medium', profile });
    const { resources } = JSON.parse((await ask(fabric, '/apis/gateway.githedgehog.com/v1alpha1')).text);
    const plurals = resources.map(({ name }: { name: string }) => name);
    expect(plurals).toContain(served);
    expect(plurals).toContain(`${served}/status`);
    expect(plurals).not.toContain(notServed);
    expect((await listPage(fabric, `/apis/gateway.githedgehog.com/v1alpha1/${served}`)).items).toHaveLength(8);
    const groups = JSON.parse((await ask(fabric, '/apis')).text).groups.map(({ name }: { name: string }) => name);
    expect(groups.includes('fcint.githedgehog.com')).toBe(profile === 'next');
  });

  test('its namespace kube-system tells this cluster from another', async () => {
    const [one, same, other] = [
      await start({ shape: 'tiny', seed: 'a' }),
      await start({ shape: 'tiny', seed: 'a' }),
      await start({ shape: 'tiny', seed: 'b' }),
    ];
    const uidOf = async (fabric: typeof one) =>
      JSON.parse((await ask(fabric, '/api/v1/namespaces/kube-system')).text).metadata.uid;
    expect(await uidOf(one)).toBe(one.clusterUid);
    expect(await uidOf(same)).toBe(one.clusterUid);
    expect(await uidOf(other)).not.toBe(one.clusterUid);
  });

  test('a table of metadata tells an agent’s health without its secrets', async () => {
    const fabric = await start({ shape: 'lab' });
    const { text } = await ask(
      fabric,
      '/apis/agent.githedgehog.com/v1beta1/namespaces/default/agents?includeObject=Metadata',
      {
        headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
      },
    );
    const { kind, columnDefinitions, rows } = JSON.parse(text);
    expect(kind).toBe('Table');
    const columns = columnDefinitions.map(({ name }: { name: string }) => name);
    const cell = (name: string) => rows[0].cells[columns.indexOf(name)];
    expect([cell('Name'), cell('Role'), cell('AppliedG'), cell('CurrentG')]).toEqual(['leaf-01', 'server-leaf', 1, 1]);
    expect(cell('Heartbeat')).toMatch(/^\d+d$/);
    expect(rows[0].object.kind).toBe('PartialObjectMetadata');
    expect(/demo-password|ssh-ed25519|\$5\$/.exec(text)?.[0]).toBeUndefined();
  });

  test('what a person writes with kubectl’s requests is what is served', async () => {
    const fabric = await start({ shape: 'lab' });
    const path = '/apis/vpc.githedgehog.com/v1beta1/namespaces/default/vpcs';
    const body = JSON.stringify({
      apiVersion: 'vpc.githedgehog.com/v1beta1',
      kind: 'VPC',
      metadata: { name: 'mine' },
      spec: { subnets: {} },
    });
    const created = await ask(fabric, path, { method: 'POST', body });
    expect(created.status).toBe(201);
    expect((await ask(fabric, path, { method: 'POST', body })).status).toBe(409);
    const patched = await ask(fabric, `${path}/mine`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: '{"metadata":{"labels":{"who":"me"}},"spec":{"defaultIsolated":true}}',
    });
    expect(JSON.parse(patched.text)).toMatchObject({
      metadata: { generation: 2, labels: { who: 'me' }, uid: JSON.parse(created.text).metadata.uid },
      spec: { defaultIsolated: true, subnets: {} },
    });
    expect((await ask(fabric, `${path}/mine`, { method: 'DELETE' })).status).toBe(200);
    expect((await ask(fabric, `${path}/mine`)).status).toBe(404);
  });

  test('every request is in the access log with its page, its status and its size', async () => {
    const fabric = await start({ shape: 'lab' });
    await listAll(fabric, inDefault('servers'), 4);
    await ask(fabric, `${inDefault('racks')}`);
    await expect.poll(() => fabric.accesses.length).toBe(3);
    expect(fabric.accesses).toMatchObject([
      { method: 'GET', kind: 'Server', page: 1, status: 200, bytes: expect.any(Number) },
      { method: 'GET', kind: 'Server', page: 2, status: 200 },
      { method: 'GET', kind: null, page: 0, status: 404 },
    ]);
    expect(fabric.counts).toMatchObject({ requests: 3, inFlight: 0 });
    expect(fabric.connections.accepted).toBe(3);
  });
});
