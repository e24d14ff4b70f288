import { describe, expect, test } from 'vitest';
import type { RequestInfo } from '../../../src/kube/transport.ts';
import type { ServedKind } from '../../../src/ports/fabric-api.ts';
import { raw } from '../../support/raw-api.ts';
import { canary, failureOf, first, never, opened, rawFabric, simulated, switches } from './opened.ts';

const list = (items: unknown, metadata: object | null = { resourceVersion: '7' }) =>
  JSON.stringify({ apiVersion: 'wiring.githedgehog.com/v1beta1', kind: 'SwitchList', metadata, items });

describe('what a fabric serves', () => {
  test('groups come with their versions, kinds without their subresources', async () => {
    const { api } = await simulated();
    const groups = await api.groups(never());
    expect(groups.get('wiring.githedgehog.com')).toEqual(['v1beta1']);
    expect(groups.get('gateway.githedgehog.com')).toEqual(['v1alpha1']);
    const kinds = await api.kinds('wiring.githedgehog.com', 'v1beta1', never());
    expect(kinds).toContainEqual(switches);
    expect(kinds.filter(({ plural }) => plural.includes('/'))).toEqual([]);
  });

  test('the preferred version is the first one', async () => {
    const groups = [
      { name: 'a.example', versions: [{ version: 'v1' }, { version: 'v2' }], preferredVersion: { version: 'v2' } },
      { name: 'b.example', versions: [{ version: 'v1' }] },
      'nonsense',
    ];
    const { api } = await rawFabric((_request, socket) =>
      socket.write(raw(200, JSON.stringify({ kind: 'APIGroupList', groups }))),
    );
    expect([...(await api.groups(never()))]).toEqual([
      ['a.example', ['v2', 'v1']],
      ['b.example', ['v1']],
    ]);
  });

  test('a group that went away meanwhile serves nothing', async () => {
    const { api } = await simulated();
    expect(await api.kinds('wiring.githedgehog.com', 'v9', never())).toEqual([]);
  });

  test('the cluster is known by the uid of kube-system, and nothing is known where that may not be read', async () => {
    const { fabric, api } = await simulated();
    expect(await api.clusterUid(never())).toBe(fabric.clusterUid);
    await fabric.faults.set({ does: 'status', status: 403, where: { kind: 'Namespace' } });
    expect(await api.clusterUid(never())).toBeNull();
    expect(await api.serverVersion(never())).toMatch(/^v1\.\d+/);
  });

  test.each([
    ['our token', canary],
    ['our token among others', `uid-${canary}-1`],
    ['megabytes', 'x'.repeat(2_000_000)],
    ['a NUL', 'c1a55e77\0'],
    ['a sentence', 'it is me'],
    ['nothing', ''],
    ['a number', 7],
  ])('a cluster whose uid is %s is none', async (_what, uid) => {
    const body = JSON.stringify({ kind: 'Namespace', apiVersion: 'v1', metadata: { uid } });
    const { api } = await rawFabric((_request, socket) => socket.write(raw(200, body)));
    const failure = await failureOf(api.clusterUid(never()), 'NOT_KUBERNETES');
    expect(failure.message).toMatch(/a namespace without a usable uid$/);
  });

  test('what it calls its version is one short line, without our token', async () => {
    const body = JSON.stringify({ gitVersion: `v1\n${canary}${'x'.repeat(5_000)}` });
    const { api } = await rawFabric((_request, socket) => socket.write(raw(200, body)));
    const version = await api.serverVersion(never());
    expect(version).toMatch(/^v1 •••x+/);
    expect(version?.length).toBeLessThan(120);
  });

  test('a group, a version or a plural with our token in its name is none', async () => {
    const groups = [
      { name: `${canary}.example`, versions: [{ version: 'v1' }] },
      { name: 'a.example', versions: [{ version: canary }, { version: 'v1' }], preferredVersion: { version: canary } },
    ];
    const usual = { kind: 'Switch', namespaced: true, verbs: ['list'] };
    const resources = [
      { ...usual, name: canary },
      { ...usual, name: 'switches' },
    ];
    const { api } = await rawFabric(({ url }, socket) =>
      socket.write(
        raw(
          200,
          JSON.stringify(url === '/apis' ? { kind: 'APIGroupList', groups } : { kind: 'APIResourceList', resources }),
        ),
      ),
    );
    expect([...(await api.groups(never()))]).toEqual([['a.example', ['v1']]]);
    expect((await api.kinds('a.example', 'v1', never())).map(({ plural }) => plural)).toEqual(['switches']);
  });

  test('a server that answers 404 to /apis is no Kubernetes', async () => {
    const { api } = await rawFabric((_request, socket) => socket.write(raw(404, '{"message":"no route"}')));
    await failureOf(api.groups(never()), 'NOT_KUBERNETES');
  });
});

describe('lists', () => {
  test('an object has our token in nothing that it goes by; its content is its own', async () => {
    const metadata = {
      name: canary,
      namespace: canary,
      uid: `a${canary}`,
      resourceVersion: canary,
      labels: { a: canary },
    };
    const object = { apiVersion: canary, kind: canary, metadata, spec: { note: canary } };
    const { api } = await rawFabric((_request, socket) => socket.write(raw(200, list([object]))));
    const answer = await api.page(switches, first, never());
    expect(answer).toMatchObject({
      page: {
        items: [
          {
            apiVersion: '•••',
            kind: '•••',
            metadata: { name: '•••', namespace: '•••', uid: 'a•••', resourceVersion: '•••', labels: { a: canary } },
            spec: { note: canary },
          },
        ],
      },
    });
  });

  test('pages lead to one another until the last one, each below the server’s prefix', async () => {
    const { fabric, api } = await simulated();
    const names: unknown[] = [];
    let continueToken: string | null = null;
    let pages = 0;
    do {
      const answer = await api.page(switches, { ...first, limit: 2, continueToken }, never());
      if (answer.kind !== 'page') throw new Error(answer.kind);
      names.push(...answer.page.items.map((item) => (item.metadata as { name: string }).name));
      expect(answer.page.bytes).toBeGreaterThan(0);
      expect(answer.page.resourceVersion).toMatch(/^\d+$/);
      ({ continueToken } = answer.page);
      pages += 1;
    } while (continueToken !== null);
    expect(pages).toBe(3);
    expect(names).toEqual(['leaf-01', 'leaf-02', 'leaf-03', 'spine-01', 'spine-02']);
    expect(fabric.accesses.map(({ url }) => url).join('\n')).not.toContain('resourceVersion');
    expect(fabric.connections.accepted).toBe(1);
  });

  test('a request says where, how many and from where on, and who asks', async () => {
    const { server, api } = await rawFabric((_request, socket) => socket.write(raw(200, list([]))), {});
    await api.page(switches, { namespace: 'de/fault', limit: 3, continueToken: 'a+b/c=&limit=9' }, never());
    const [request] = server.requests;
    expect(request?.url).toBe(
      '/apis/wiring.githedgehog.com/v1beta1/namespaces/de%2Ffault/switches?limit=3&continue=a%2Bb%2Fc%3D%26limit%3D9',
    );
    expect(request?.headers).toMatchObject({
      accept: 'application/json',
      'accept-encoding': 'identity',
      authorization: `Bearer ${canary}`,
      'user-agent': 'fabric-syncd',
      host: `127.0.0.1:${server.port}`,
    });
  });

  test('a path in the server URL comes before every request', async () => {
    const { server } = await rawFabric((_request, socket) => socket.write(raw(200, list([]))));
    const api = opened({ url: `${server.url}/k8s/clusters/c-1/`, caPem: server.caPem });
    const cluster: ServedKind = { ...switches, namespaced: false };
    await api.page(cluster, first, never());
    expect(server.requests[0]?.url).toBe('/k8s/clusters/c-1/apis/wiring.githedgehog.com/v1beta1/switches?limit=500');
  });

  test('403 and 404 on a kind, and 410, are answers and not failures', async () => {
    const { fabric, api } = await simulated();
    const id = await fabric.faults.set({ does: 'status', status: 403, where: { kind: 'Switch' } });
    expect(await api.page(switches, first, never())).toEqual({
      kind: 'forbidden',
      message: expect.stringContaining('cannot list resource "switches"'),
    });
    await fabric.faults.clear(id);
    await fabric.faults.set({ does: 'status', status: 404, where: { kind: 'Switch' } });
    expect(await api.page(switches, first, never())).toEqual({ kind: 'not_served' });
    await fabric.faults.clear();
    await fabric.faults.set({ does: 'expire' });
    const begun = await api.page(switches, { ...first, limit: 2 }, never());
    const continueToken = begun.kind === 'page' ? begun.page.continueToken : null;
    expect(await api.page(switches, { ...first, continueToken }, never())).toEqual({ kind: 'expired' });
  });

  test.each([
    ['items that are null, as Go writes an empty list', list(null), 0],
    ['an empty list', list([]), 0],
    ['one object', list([{ kind: 'Switch' }]), 1],
  ])('%s is a page', async (_what, body, count) => {
    const { api } = await rawFabric((_request, socket) => socket.write(raw(200, body)));
    const answer = await api.page(switches, first, never());
    expect(answer).toMatchObject({ kind: 'page', page: { continueToken: null, resourceVersion: '7' } });
    expect(answer.kind === 'page' && answer.page.items.length).toBe(count);
  });

  test.each([
    ['HTML', '<!doctype html><title>Sign in</title>'],
    ['HTML that says it is JSON', '\n  <html>'],
    ['an array', '[]'],
    ['a text', '"ok"'],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['a Status with 200', '{"kind":"Status","apiVersion":"v1","status":"Success"}'],
    ['a list of another group', list([]).replace('wiring', 'vpc')],
    ['a list without items', list(undefined)],
    ['items that are no objects', list(['a'])],
    ['items that are lists', list([[]])],
    ['a list without metadata', list([], null)],
    ['a list without a resourceVersion', list([], {})],
  ])('%s is no page, and never an empty one', async (_what, body) => {
    const { api } = await rawFabric((_request, socket) => socket.write(raw(200, body)));
    await failureOf(api.page(switches, first, never()), 'NOT_KUBERNETES');
  });

  test('hostile JSON is handed on as it is and changes nothing of ours', async () => {
    const { fabric, api } = await simulated();
    await fabric.faults.set({ does: 'poison' });
    const answer = await api.page(switches, first, never());
    const [item] = answer.kind === 'page' ? answer.page.items : [];
    const { hostile } = (item as { spec: { hostile: object } }).spec;
    expect(Object.getPrototypeOf(hostile)).toBe(Object.prototype);
    expect(Object.hasOwn(hostile, '__proto__')).toBe(true);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test.each([
    ...[
      '..',
      '.',
      '',
      'a/../../b',
      '../secrets',
      'a?watch=true',
      'a#b',
      'a b',
      'A',
      '%2e%2e',
      'a\r\nx-evil: 1',
      'a\0',
      'ä',
    ],
    ...['__proto__', '-a', 'a.', 'x'.repeat(300)],
  ])('a group, a version or a plural named %j is passed over, and never asked for', async (name) => {
    const verbs = ['list'];
    const { server, api } = await rawFabric(({ url }, socket) => {
      const groups = [name, 'good.example'].map((group) => ({
        name: group,
        versions: [{ version: name }, { version: 'v1' }],
      }));
      const resources = [name, 'goods'].map((plural) => ({ name: plural, kind: 'Good', namespaced: true, verbs }));
      const body = url === '/apis' ? { kind: 'APIGroupList', groups } : { kind: 'APIResourceList', resources };
      socket.write(raw(200, JSON.stringify(body)));
    });
    expect([...(await api.groups(never()))]).toEqual([['good.example', ['v1']]]);
    expect((await api.kinds('good.example', 'v1', never())).map(({ plural }) => plural)).toEqual(['goods']);
    expect(server.requests.map(({ url }) => url)).toEqual(['/apis', '/apis/good.example/v1']);
  });

  test('a namespace and a token of a list stay what they are in the address', async () => {
    const { server, api } = await rawFabric((_request, socket) => socket.write(raw(200, list([]))));
    for (const hostile of ['../../api/v1/secrets', 'a?x=1', 'a\r\nx-evil: 1', '%2e%2e']) {
      await api.page(switches, { ...first, namespace: hostile, continueToken: hostile }, never());
      const { url, headers } = server.requests.at(-1) ?? { url: '', headers: {} };
      const [path = '', query = ''] = url.split('?');
      expect(path).toContain(`/namespaces/${encodeURIComponent(hostile)}/switches`);
      expect(new URLSearchParams(query).get('continue')).toBe(hostile);
      expect(headers).not.toHaveProperty('x-evil');
    }
  });

  test('a page of nothing but empty objects is given up before it is many times as large in memory', async () => {
    const body = list(Array.from({ length: 1_000 }, () => ({})));
    const { api } = await rawFabric((_request, socket) => socket.write(raw(200, body)), {
      limits: { bodyBytesMax: 8_000 },
    });
    const failure = await failureOf(api.page(switches, first, never()), 'BODY_TOO_LARGE');
    expect(failure.message).toContain('500 objects and lists');
  });

  test('a million nested arrays do not break the process', async () => {
    const deep = `{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`;
    const body = list([]).replace('[]', `[${deep}]`);
    const { api } = await rawFabric((_request, socket) => socket.write(raw(200, body)), {
      limits: { bodyBytesMax: 64 * 1024 * 1024 },
    });
    expect(await api.page(switches, first, never())).toMatchObject({ kind: 'page' });
  });
});

describe('being told of requests', () => {
  test('each exchange is told once, without its query, with its size and its status', async () => {
    const told: RequestInfo[] = [];
    const { fabric, api } = await simulated({ onRequest: (info) => told.push(info) });
    const answer = await api.page(switches, first, never());
    await fabric.faults.set({ does: 'refuse' });
    await failureOf(api.groups(never()), 'UNREACHABLE');
    expect(told).toEqual([
      {
        method: 'GET',
        urlPath: '/apis/wiring.githedgehog.com/v1beta1/namespaces/default/switches',
        status: 200,
        bytes: answer.kind === 'page' ? answer.page.bytes : Number.NaN,
        durationMs: expect.any(Number),
      },
      { method: 'GET', urlPath: '/apis', status: null, bytes: 0, durationMs: expect.any(Number) },
    ]);
  });
});
