import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SimulatedFabric } from '../../../src/demo/fabrics/fabric.ts';
import { apiVersionOf } from '../../../src/demo/fabrics/kinds.ts';
import { loadManifests, type Manifest } from '../../../src/demo/fabrics/manifests.ts';
import { ManifestsInvalid } from '../../../src/demo/fabrics/manifests-invalid.ts';
import { readCrds } from '../../support/crd-schema.ts';
import { given, type KubeObject, listPage } from '../../support/kube-client.ts';
import { fabricsOfThisFile } from '../../support/simulated-fabric.ts';

const start = fabricsOfThisFile();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifests-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

const vpc = (name: string, more = '') => `apiVersion: vpc.githedgehog.com/v1beta1
kind: VPC
metadata: {name: ${name}}
spec:
  subnets:
    default: {subnet: 10.0.1.0/24, vlan: 1001}
${more}`;

const problemsOf = (path: string) =>
  loadManifests([path]).then(
    () => [],
    (cause: ManifestsInvalid) => {
      expect(cause).toBeInstanceOf(ManifestsInvalid);
      return cause.problems.map((problem) => problem.replaceAll(folder, ''));
    },
  );

/** Every object that a fabric serves. */
async function served(fabric: SimulatedFabric): Promise<KubeObject[]> {
  const lists = fabric.store.kinds
    .filter((kind) => fabric.store.count(kind) > 0)
    .map((kind) => listPage(fabric, `/apis/${apiVersionOf(kind)}/${kind.plural}`));
  return (await Promise.all(lists)).flatMap(({ items }) => items);
}

/** The object as it was given, with the namespace that a server fills in. */
function withNamespace({ object }: Manifest): Pick<KubeObject, 'kind' | 'metadata'> {
  const { kind, metadata, ...rest } = object as unknown as KubeObject;
  return { ...rest, kind, metadata: { ...metadata, namespace: metadata.namespace ?? 'default' } };
}

describe('reading manifests', () => {
  test('takes files and folders, several documents in one, and lists', async () => {
    const path = await write({
      'a.yaml': `${vpc('one')}\n---\n${vpc('two')}\n---\n# nothing here\n`,
      'deep/er/b.yml': `apiVersion: v1\nkind: List\nitems:\n- ${vpc('three').replaceAll('\n', '\n  ')}`,
      'deep/c.txt': 'not: looked at',
    });
    const { manifests } = await loadManifests([path]);
    expect(
      manifests.map(({ source, object }) => [source.replace(folder, ''), (object.metadata as { name: string }).name]),
    ).toEqual([
      ['/a.yaml, document 1', 'one'],
      ['/a.yaml, document 2', 'two'],
      ['/deep/er/b.yml, item 1', 'three'],
    ]);
    expect((await loadManifests([join(path, 'a.yaml')])).manifests).toHaveLength(2);
  });

  test('passes over what is not Hedgehog’s, and says so', async () => {
    const path = await write({
      'kustomization.yaml': 'resources: [a.yaml]',
      'a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\n${vpc('one')}`,
    });
    const { manifests, remarks } = await loadManifests([path]);
    expect(manifests).toHaveLength(1);
    expect(remarks.map((remark) => remark.replace(folder, ''))).toEqual([
      '/a.yaml, document 1: passed over: ConfigMap of v1 is not a Hedgehog kind',
      '/kustomization.yaml: passed over: kustomize is not run',
    ]);
  });

  test('tells every problem at once, with its file and document', async () => {
    const path = await write({
      'broken.yaml': `${vpc('one')}\n---\na: [1, 2\n`,
      'lacks.yaml': `kind: VPC\nmetadata: {name: x}\n---\nspec: {}\n---\njust a string`,
      'names.yaml': [
        vpc('Upper'),
        vpc('x', 'metadata2: {}').replace('{name: x}', '{}'),
        vpc('b'.repeat(254)),
        vpc('y').replace('{name: y}', '{name: y, namespace: a.b}'),
      ].join('\n---\n'),
      'number.yaml': vpc('z', '  limit: .inf'),
      'twice.yaml': vpc('t', 'spec: {}'),
    });
    expect(await problemsOf(path)).toEqual([
      expect.stringMatching(/^\/broken\.yaml, document 2: not YAML: Flow sequence .* at line \d+, column \d+:$/),
      '/lacks.yaml, document 1: not a Kubernetes object: apiVersion not set',
      '/lacks.yaml, document 2: not a Kubernetes object: apiVersion and kind not set',
      '/lacks.yaml, document 3: not an object',
      expect.stringMatching(/^\/names\.yaml, document 1: VPC: metadata\.name "Upper" is not a name: /),
      '/names.yaml, document 2: VPC: metadata.name is not set',
      expect.stringMatching(/^\/names\.yaml, document 3: VPC: metadata\.name "b{254}" is not a name: /),
      '/names.yaml, document 4: VPC: metadata.namespace "a.b" is not a name',
      '/number.yaml: .spec.limit is Infinity, which JSON does not have',
      expect.stringMatching(/^\/twice\.yaml: not YAML: Map keys must be unique/),
    ]);
  });

  test('a path that is not there, and a folder without YAML, are problems', async () => {
    expect(await problemsOf(join(folder, 'nowhere'))).toEqual(['/nowhere: no such file or folder']);
    expect(await problemsOf(await write({ 'a.txt': '' }))).toEqual([': holds no .yaml or .yml file']);
  });

  test('aliases and merges are opened; a bomb of aliases is refused', async () => {
    const path = await write({
      'a.yaml': vpc('one', '    other: &o {subnet: 10.0.2.0/24}\n    third: {<<: *o, vlan: 3}'),
    });
    const { manifests } = await loadManifests([path]);
    expect(manifests[0]?.object.spec).toMatchObject({ subnets: { third: { subnet: '10.0.2.0/24', vlan: 3 } } });
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefgh'
        .split('')
        .map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(', ')}]`),
    ];
    await write({ 'a.yaml': bomb.join('\n') });
    expect(await problemsOf(folder)).toEqual([expect.stringContaining('/a.yaml: Excessive alias count')]);
  });
});

describe('a fabric of manifests', () => {
  test('serves what was given, with nothing added but the metadata of the server', async () => {
    const path = await write({
      'a.yaml': `apiVersion: vpc.githedgehog.com/v1beta1
kind: VPC
metadata:
  name: one
  labels: {team: blue}
  annotations: {note: "kept: as it is"}
  uid: made-up
  resourceVersion: "7"
spec:
  nothing: null
  permit: [[a, b], []]
  subnets: {}
  big: 9007199254740991
  fraction: 0.1
  text: "yes"
  octal: 0o17
`,
    });
    const fabric = await start({ manifests: [path] });
    const [object] = await served(fabric);
    expect(object && given(object)).toEqual({
      apiVersion: 'vpc.githedgehog.com/v1beta1',
      kind: 'VPC',
      metadata: {
        name: 'one',
        namespace: 'default',
        labels: { team: 'blue' },
        annotations: { note: 'kept: as it is' },
      },
      spec: {
        nothing: null,
        permit: [['a', 'b'], []],
        subnets: {},
        big: 9007199254740991,
        fraction: 0.1,
        text: 'yes',
        octal: 15,
      },
    });
    expect(object?.metadata.uid).not.toBe('made-up');
    expect(object?.metadata.resourceVersion).not.toBe('7');
  });

  test('refuses a kind or version that the fabric does not serve, and says which it does', async () => {
    const path = await write({
      'a.yaml': vpc('one').replace('v1beta1', 'v1alpha2'),
      'b.yaml': vpc('two').replace('VPC', 'Rack'),
    });
    await expect(start({ manifests: [path] })).rejects.toMatchObject({
      problems: [
        `${folder}/a.yaml: no kind "VPC" in "vpc.githedgehog.com/v1alpha2": this fabric serves it in vpc.githedgehog.com/v1beta1`,
        `${folder}/b.yaml: no kind "Rack" in "vpc.githedgehog.com/v1beta1"`,
      ],
    });
  });

  test('of an object given twice the last stands, and this is told', async () => {
    const path = await write({ 'a.yaml': vpc('one'), 'b.yaml': vpc('one', '  defaultIsolated: true') });
    const fabric = await start({ manifests: [path] });
    expect((await served(fabric)).map(({ spec }) => spec?.defaultIsolated)).toEqual([true]);
    expect(fabric.remarks).toEqual([
      `${folder}/b.yaml: VPC default/one was given before in ${folder}/a.yaml: the last stands`,
    ]);
  });

  test('started again with other files it is the same cluster, changed by just what changed', async () => {
    const path = await write({ 'a.yaml': vpc('same'), 'b.yaml': vpc('changed'), 'c.yaml': vpc('gone') });
    const stateDir = join(folder, '.state');
    const identities = async () => {
      const fabric = await start({ manifests: [path], stateDir });
      const objects = await served(fabric);
      await fabric.stop();
      return new Map(objects.map(({ metadata }) => [metadata.name, metadata]));
    };
    const before = await identities();
    await rm(join(path, 'c.yaml'));
    await write({ 'b.yaml': vpc('changed', '  defaultIsolated: true'), 'd.yaml': vpc('new') });
    const after = await identities();
    expect([...after.keys()]).toEqual(['changed', 'new', 'same']);
    expect(after.get('same')).toEqual(before.get('same'));
    expect(after.get('changed')?.uid).toBe(before.get('changed')?.uid);
    expect(after.get('changed')?.generation).toBe(2);
    expect(after.get('changed')?.resourceVersion).not.toBe(before.get('changed')?.resourceVersion);
  });
});

const shared = fileURLToPath(new URL('../../../../shared/hedgehog', import.meta.url));

describe.skipIf(!existsSync(shared))('the real manifests (skipped where ../shared/hedgehog is not there)', () => {
  const crds = new Map([...readCrds(`${shared}/crds/fabric`), ...readCrds(`${shared}/crds/fabricator`)]);

  /** The vendor's documentation is not always what its API takes: left out, abbreviated, or newer than the CRDs. */
  const knownProblems = {
    docs: [
      'user-guide__external-15.yaml: .spec.neighbor is required',
      'user-guide__external-15.yaml: .spec.switch is required',
      'user-guide__gateway-failover-03.yaml: .spec.peering.vpc-1.expose[0] is "..", not object',
      'user-guide__gateway-failover-03.yaml: .spec.peering.vpc-2.expose[0] is "..", not object',
      'user-guide__gateway-peering-06.yaml: .spec.acl.default is required',
      'user-guide__vpcs-01.yaml: .spec.subnets.bgp-on-host.hostBGPMinPrefixLen is unknown and would be dropped',
      'user-guide__vpcs-01.yaml: .spec.subnets.bgp-on-host.hostBGPMaxPrefixLen is unknown and would be dropped',
      'user-guide__vpcs-01.yaml: .spec.subnets.bgp-on-host.hostBGPExtraPrefixes is unknown and would be dropped',
    ],
    derived: [],
  };

  test.each(['docs', 'derived'] as const)(
    'every object of %s is as the real CRDs want it, but for what is known',
    async (set) => {
      const path = `${shared}/manifests/${set}`;
      const { manifests, remarks } = await loadManifests([path]);
      expect(remarks).toEqual([]);
      expect(manifests.length).toBeGreaterThan(50);
      const problems = manifests.flatMap(({ source, object }) => {
        const crd = crds.get(`${object.apiVersion} ${object.kind}`);
        return (crd?.problems(object) ?? ['no CRD']).map((problem) => `${source.slice(path.length + 1)}: ${problem}`);
      });
      expect(problems).toEqual(knownProblems[set]);
    },
  );

  test.each(['docs', 'derived'])('what a fabric serves of %s is what was given', async (set) => {
    const path = `${shared}/manifests/${set}`;
    const fabric = await start({ manifests: [path] });
    const last = new Map(
      (await loadManifests([path])).manifests.map((manifest) => {
        const object = withNamespace(manifest);
        return [`${object.kind} ${object.metadata.namespace}/${object.metadata.name}`, object];
      }),
    );
    const seen = (await served(fabric)).map((object): [string, unknown] => [
      `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`,
      given(object),
    ]);
    expect(new Map(seen.sort())).toEqual(new Map([...last].sort()));
  });
});
