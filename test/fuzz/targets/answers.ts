// What a fabric's API server may say: bodies of lists and of discovery, and whole answers byte by byte.

import type { OpenFabric } from '../../../src/kube/api.ts';
import { openFabricApi } from '../../../src/kube/api.ts';
import type { KubeObject, ServedKind } from '../../../src/ports/fabric-api.ts';
import type { KnownObject } from '../../../src/ports/store.ts';
import { cleanLimitsDefault } from '../../../src/sync/clean.ts';
import { indexKnown, KindComparison } from '../../../src/sync/compare.ts';
import { raw, startRawApi } from '../../support/raw-api.ts';
import { type OpenTarget, refusals, type Target } from '../target.ts';

const token = 'c4n4ry.t0k3n.0f-fabric';
const kind: ServedKind = {
  group: 'wiring.githedgehog.com',
  version: 'v1beta1',
  kind: 'Switch',
  plural: 'switches',
  namespaced: true,
};
const bodyBytesMax = 256 * 1024;

const item = (name: string, more: object = {}) => ({
  metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '7', ...more },
  spec: { asn: 65_101, ports: ['E1/1'] },
});
const list = (items: unknown, more: object = {}) =>
  JSON.stringify({
    kind: 'SwitchList',
    apiVersion: 'wiring.githedgehog.com/v1beta1',
    metadata: { resourceVersion: '9', ...more },
    items,
  });

const lists = [
  list([item('leaf-1'), item('leaf-2')]),
  list(null),
  list([item('leaf-1')], { continue: 'next' }),
  list([item('leaf-1', { name: '__proto__' }), item('a'.repeat(253))]),
  list([{ metadata: { name: 'x' }, __proto__: null, constructor: { prototype: { x: 1 } } }]),
  list([item('leaf-1'), item('leaf-1')]),
  JSON.stringify({ kind: 'Status', code: 410, reason: 'Expired' }),
  '<html>login</html>',
  '{"kind":"SwitchList","items":'.padEnd(20_000, '['),
];

const groups = [
  JSON.stringify({
    kind: 'APIGroupList',
    groups: [{ name: kind.group, versions: [{ version: 'v1beta1' }], preferredVersion: { version: 'v1beta1' } }],
  }),
  JSON.stringify({
    kind: 'APIResourceList',
    resources: [{ name: 'switches', kind: 'Switch', namespaced: true, verbs: ['list'] }, { name: 'switches/status' }],
  }),
  JSON.stringify({ kind: 'Namespace', metadata: { uid: 'u' } }),
  JSON.stringify({ gitVersion: 'v1.31.0' }),
];

/** Opens a fabric whose server answers with what `say` makes of the input. */
async function fabricThatSays(
  say: (input: Buffer) => Buffer,
  ask: (api: OpenFabric, signal: AbortSignal) => Promise<void>,
): Promise<OpenTarget> {
  let answer: Buffer = Buffer.alloc(0);
  const server = await startRawApi((_, socket) => socket.end(answer));
  const limits = { connectTimeoutMs: 5_000, requestTimeoutMs: 5_000, idleTimeoutMs: 2_000, bodyBytesMax };
  const api = openFabricApi(
    { fabricName: 'lab', server: server.url, caPem: server.caPem, tlsServerName: null },
    async () => ({ kind: 'token', token }),
    limits,
  );
  return {
    async run(input) {
      answer = say(input);
      await refusals(async () => {
        try {
          await ask(api, AbortSignal.timeout(8_000));
        } catch (thrown) {
          if (thrown instanceof Error && thrown.message.includes(token)) throw new Error('the token is told');
          throw thrown;
        }
      });
    },
    async close() {
      await api.close();
      await server.stop();
    },
  };
}

async function readList(api: OpenFabric, signal: AbortSignal): Promise<void> {
  const answer = await api.page(kind, { namespace: 'default', limit: 500, continueToken: null }, signal);
  if (answer.kind === 'page') compare(answer.page.items);
}

/** What the sync makes of a page: nothing of it may be more than what came, and nothing may be lost. */
export function compare(items: readonly KubeObject[]): void {
  const stored = { resourceVersion: '6', hash: 'x', version: kind.version };
  const known = indexKnown(
    new Map<string, KnownObject>([
      ['wiring.githedgehog.com/Switch/default/leaf-1', { id: '1', uid: 'uid-leaf-1', ...stored }],
      ['wiring.githedgehog.com/Switch/default/leaf-9', { id: '9', uid: 'uid-leaf-9', ...stored }],
    ]),
  );
  const comparison = new KindComparison(kind, 'default', known, cleanLimitsDefault);
  if (comparison.add(items) === 'repeated') return;
  const found = comparison.findings();
  if (found.listed !== items.length) throw new Error(`${found.listed} of ${items.length} objects were counted`);
  if (found.staged.length + found.touched.length + found.quarantined.length > items.length)
    throw new Error('more objects are stored than came');
  if (found.unidentified > 0 && found.absent.length > 0) throw new Error('an absence is told of an incomplete list');
  for (const { json } of found.staged) {
    if (Buffer.byteLength(json) > cleanLimitsDefault.objectBytesMax) throw new Error('an object is too large to store');
    if (/\\u0000/.test(json.replaceAll('\\\\', ''))) throw new Error('PostgreSQL stores no NUL');
    JSON.parse(json);
  }
}

export const listBodies: Target = {
  name: 'lists',
  about: 'the body of a list, over TLS, as far as the comparison with the inventory',
  seeds: lists,
  open: () => fabricThatSays((input) => Buffer.concat([head(input.length), input]), readList),
};

export const discoveryBodies: Target = {
  name: 'discovery',
  about: 'the bodies of discovery, of the version and of the namespace that identifies the cluster',
  seeds: groups,
  open: () =>
    fabricThatSays(
      (input) => Buffer.concat([head(input.length), input]),
      async (api, signal) => {
        await refusals(() => api.groups(signal));
        await refusals(() => api.kinds(kind.group, kind.version, signal));
        await refusals(() => api.clusterUid(signal));
        await refusals(() => api.serverVersion(signal));
      },
    ),
};

export const wholeAnswers: Target = {
  name: 'http',
  about: 'a whole HTTP answer to the request for a list, byte by byte',
  seeds: [
    ...lists.slice(0, 4).map((body) => raw(200, body)),
    ...[301, 401, 403, 404, 410, 429, 500, 503].map((status) =>
      raw(status, '{"kind":"Status","message":"no"}', { 'retry-after': '3', location: 'https://elsewhere.example/' }),
    ),
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"kin\r\n0\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}',
  ],
  open: () => fabricThatSays((input) => Buffer.from(input), readList),
};

function head(length: number): Buffer {
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n`,
  );
}
