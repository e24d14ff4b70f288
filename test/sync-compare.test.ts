// What one complete list of one kind means for what is stored.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubeObject, ServedKind } from '../src/ports/fabric-api.ts';
import type { KnownObject, ObjectKey } from '../src/ports/store.ts';
import { indexKnown, KindComparison, type KindFindings } from '../src/sync/compare.ts';
import { FakeFabric, served } from './support/fake-fabric-api.ts';

const switches = served('wiring.githedgehog.com', 'v1beta1', 'Switch', 'switches');
const keyOf = (name: string, kind = 'Switch'): ObjectKey => `wiring.githedgehog.com/${kind}/default/${name}`;

function compare(stored: ReadonlyMap<ObjectKey, KnownObject>, ...pages: readonly (readonly unknown[])[]): KindFindings {
  return compareAs(switches, stored, ...pages);
}

function compareAs(
  kind: ServedKind,
  stored: ReadonlyMap<ObjectKey, KnownObject>,
  ...pages: readonly (readonly unknown[])[]
): KindFindings {
  const comparison = new KindComparison(kind, 'default', indexKnown(stored));
  for (const page of pages) expect(comparison.add(page as readonly KubeObject[])).toBe('added');
  return comparison.findings();
}

/** What would be stored after these objects had been synced. */
function storedAfter(objects: readonly KubeObject[]): Map<ObjectKey, KnownObject> {
  const { staged } = compare(new Map(), objects);
  return new Map(
    staged.map(({ name, uid, resourceVersion, hash, version }) => [
      keyOf(name),
      { id: `id-${name}`, uid, resourceVersion, hash, version },
    ]),
  );
}

function fabricOf(...names: readonly string[]): { fabric: FakeFabric; objects: () => readonly KubeObject[] } {
  const fabric = new FakeFabric();
  fabric.put('Switch', ...names);
  const objects = () => {
    const answer = fabric.pageOf(switches, { limit: 1000, continueToken: null });
    return answer.kind === 'page' ? answer.page.items : [];
  };
  return { fabric, objects };
}

const names = (objects: readonly { readonly name: string }[]) => objects.map(({ name }) => name);

describe('a listed object', () => {
  test('that is not stored is staged as new, with its columns and its content apart', () => {
    const { objects } = fabricOf('leaf-01');
    const { staged, created, updated, listed } = compare(new Map(), objects());
    expect({ created, updated, listed }).toEqual({ created: 1, updated: 0, listed: 1 });
    expect(staged).toEqual([
      {
        group: 'wiring.githedgehog.com',
        version: 'v1beta1',
        kind: 'Switch',
        plural: 'switches',
        namespace: 'default',
        name: 'leaf-01',
        uid: expect.any(String),
        resourceVersion: '101',
        generation: 1,
        creationTimestamp: '2026-01-02T03:04:05Z',
        json: '{"spec":{"of":"leaf-01"},"status":{}}',
        hash: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
      },
    ]);
  });

  test('of the stored uid and resourceVersion is unchanged, and nothing else of it is looked at', () => {
    const { objects } = fabricOf('leaf-01');
    const stored = storedAfter(objects());
    const [object] = objects();
    const watched = new Proxy(object ?? {}, {
      get: (target, key) => {
        if (key !== 'metadata') throw new Error(`${String(key)} was looked at`);
        return Reflect.get(target, key) as unknown;
      },
    });
    expect(compare(stored, [watched])).toMatchObject({ staged: [], touched: [], absent: [], sameUid: 1, stored: 1 });
  });

  test('of the same content under another resourceVersion is touched', () => {
    const { fabric, objects } = fabricOf('leaf-01');
    const stored = storedAfter(objects());
    fabric.edit('Switch', 'leaf-01', { metadata: { generation: 2 } });
    expect(compare(stored, objects())).toMatchObject({
      staged: [],
      touched: [{ id: 'id-leaf-01', version: 'v1beta1', resourceVersion: '102', generation: 2 }],
      created: 0,
      updated: 0,
    });
  });

  test('that is served in another version of its API is looked at: touched, or staged where that version says it otherwise', () => {
    const { objects } = fabricOf('leaf-01', 'leaf-02');
    const stored = storedAfter(objects());
    const newer = { ...switches, version: 'v1beta2' };
    const [one, two] = objects().map((object) => ({ ...object, apiVersion: 'wiring.githedgehog.com/v1beta2' }));
    const found = compareAs(newer, stored, [one, { ...two, spec: { renamed: 'leaf-02' } }]);
    expect(found.touched).toEqual([{ id: 'id-leaf-01', version: 'v1beta2', resourceVersion: '101', generation: 1 }]);
    expect(found.staged).toMatchObject([{ name: 'leaf-02', version: 'v1beta2', resourceVersion: '102' }]);
    expect(found).toMatchObject({ updated: 1, created: 0, absent: [] });
  });

  test('of other content is staged as updated', () => {
    const { fabric, objects } = fabricOf('leaf-01');
    const stored = storedAfter(objects());
    fabric.edit('Switch', 'leaf-01', { spec: { role: 'spine' } });
    expect(compare(stored, objects())).toMatchObject({ created: 0, updated: 1, touched: [], sameUid: 1 });
  });

  test('of another uid was made again: it is staged, also where its content is the same', () => {
    const { fabric, objects } = fabricOf('leaf-01');
    const stored = storedAfter(objects());
    fabric.edit('Switch', 'leaf-01', { metadata: { uid: 'another' } });
    const found = compare(stored, objects());
    expect(found).toMatchObject({ created: 0, updated: 1, touched: [], absent: [], sameUid: 0 });
    expect(found.staged).toMatchObject([{ uid: 'another' }]);
  });

  test('of another uid and the same resourceVersion is not taken for unchanged', () => {
    const { objects } = fabricOf('leaf-01');
    const stored = storedAfter(objects());
    const other = structuredClone(objects()[0]) as { metadata: { uid: string } };
    other.metadata.uid = 'another';
    expect(compare(stored, [other]).updated).toBe(1);
  });
});

describe('an absence', () => {
  test('is what is stored of this kind and was not seen on any page', () => {
    const { fabric, objects } = fabricOf('a', 'b', 'c', 'd');
    const stored = storedAfter(objects());
    stored.set(keyOf('of-another-kind', 'SwitchGroup'), {
      id: 'x',
      uid: 'x',
      resourceVersion: '1',
      hash: '',
      version: 'v1beta1',
    });
    fabric.drop('Switch', 'b', 'd');
    const [a, c] = objects();
    expect(compare(stored, [a], [c]).absent).toEqual(['id-b', 'id-d']);
  });

  test('of everything is found in an empty list', () => {
    const { objects } = fabricOf('a', 'b');
    expect(compare(storedAfter(objects()), [])).toMatchObject({ absent: ['id-a', 'id-b'], stored: 2, listed: 0 });
  });

  test('cannot be told where an entry of the list could not be told', () => {
    const { fabric, objects } = fabricOf('a', 'b');
    const stored = storedAfter(objects());
    fabric.drop('Switch', 'b');
    for (const odd of [{ metadata: {} }, null, 'text', { metadata: { name: 'b', namespace: 'elsewhere' } }]) {
      expect(compare(stored, [...objects(), odd])).toMatchObject({ absent: [], unidentified: 1 });
    }
  });
});

describe('an object that cannot be stored', () => {
  const odd = (metadata: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
    ...new FakeFabric().make('Switch', { name: 'leaf-01', metadata }),
    ...more,
  });

  test.each([
    ['not an object', 'text', /not an object/],
    ['no metadata', { kind: 'Switch' }, /no metadata/],
    ['no name', odd({ name: undefined }), /no name/],
    ['an empty name', odd({ name: '' }), /no name/],
    ['a name that is a number', odd({ name: 7 }), /no name/],
    ['a name of 254 characters', odd({ name: 'a'.repeat(254) }), /254 characters/],
    ['a name with a slash', odd({ name: 'a/b' }), /not one that Kubernetes allows/],
    ['a name with a NUL', odd({ name: 'a\0' }), /NUL/],
    ['an upper-case name', odd({ name: 'Leaf' }), /not one that Kubernetes allows/],
    ['another namespace', odd({ namespace: 'kube-system' }), /namespace is "kube-system", in a list of default/],
    ['no namespace', odd({ namespace: undefined }), /namespace is missing/],
    ['no uid', odd({ uid: undefined }), /no usable uid/],
    ['a uid with a NUL', odd({ uid: 'a\0' }), /no usable uid/],
    ['an empty uid', odd({ uid: '' }), /no usable uid/],
    ['no resourceVersion', odd({ resourceVersion: undefined }), /no usable resourceVersion/],
    ['a resourceVersion that is a number', odd({ resourceVersion: 5 }), /no usable resourceVersion/],
    ['a generation that is no number', odd({ generation: '1' }), /generation/],
    ['a generation beyond all columns', odd({ generation: 1e300 }), /generation/],
    ['a time that is none', odd({ creationTimestamp: 'yesterday' }), /creationTimestamp/],
    ['a day that no month has', odd({ creationTimestamp: '2026-02-30T00:00:00Z' }), /creationTimestamp/],
    ['a 29th of February in 2027', odd({ creationTimestamp: '2027-02-29T00:00:00Z' }), /creationTimestamp/],
    ['a leap second', odd({ creationTimestamp: '2016-12-31T23:59:60Z' }), /creationTimestamp/],
    ['the year zero', odd({ creationTimestamp: '0000-01-01T00:00:00Z' }), /creationTimestamp/],
    ['another kind', odd({}, { kind: 'Secret' }), /of kind "Secret", in a list of Switch/],
    ['another group', odd({}, { apiVersion: 'v1' }), /apiVersion is "v1"/],
    ['a NUL in its content', odd({}, { spec: { note: '\0' } }), /NUL/],
    ['half of a surrogate pair in a label', odd({ labels: { a: '\ud800' } }), /surrogate/],
    ['too much content', odd({}, { spec: 'x'.repeat(1_600_000) }), /bytes of JSON/],
  ])('is quarantined: %s', (_what, object, reason) => {
    const healthy = new FakeFabric().make('Switch', { name: 'spine-01' });
    const found = compare(new Map(), [object, healthy]);
    expect(found.quarantined).toMatchObject([
      { group: 'wiring.githedgehog.com', kind: 'Switch', reason: expect.stringMatching(reason) },
    ]);
    expect(names(found.staged)).toEqual(['spine-01']);
    expect(found.listed).toBe(2);
    const text = JSON.stringify(found.quarantined);
    expect(text).not.toMatch(/\\u0000|\\ud8/);
  });

  test.each([
    ['a name of 253 characters with dots', { name: `${'a.'.repeat(126)}z` }],
    ['no generation', { generation: null }],
    ['no creationTimestamp, as a manifest has it', { creationTimestamp: null }],
    ['a 29th of February in 2028, with an offset', { creationTimestamp: '2028-02-29T23:59:59.123456+05:30' }],
  ])('is not one with %s', (_what, metadata) => {
    expect(compare(new Map(), [odd(metadata)])).toMatchObject({ quarantined: [], created: 1 });
  });

  test('keeps the row that is stored under its name', () => {
    const { fabric, objects } = fabricOf('leaf-01');
    const stored = storedAfter(objects());
    fabric.edit('Switch', 'leaf-01', { spec: { note: '\0' } });
    const found = compare(stored, objects());
    expect(found).toMatchObject({ absent: [], staged: [], touched: [], sameUid: 1 });
    expect(found.quarantined).toMatchObject([{ namespace: 'default', name: 'leaf-01' }]);
  });

  test('is named apart from hundreds of thousands that look the same, before anybody waits for it', () => {
    const { quarantined } = compare(
      new Map(),
      Array.from({ length: 300_000 }, () => ({})),
    );
    expect(quarantined).toHaveLength(300_000);
    expect(quarantined.at(-1)?.name).toBe('(no name) #300000');
  });

  test('is named apart from others that look the same', () => {
    const found = compare(new Map(), [
      { metadata: {} },
      { metadata: {} },
      odd({ name: 'a\u0001' }),
      odd({ name: 'a' }),
    ]);
    expect(names(found.quarantined)).toEqual(['(no name)', '(no name) #2', 'a']);
    expect(names(found.staged)).toEqual(['a']);
  });
});

test('an object that comes twice makes the pass worthless, on one page and across two', () => {
  const { objects } = fabricOf('a', 'b');
  const [a, b] = objects() as [KubeObject, KubeObject];
  expect(new KindComparison(switches, 'default', indexKnown(new Map())).add([a, b, a])).toBe('repeated');
  const comparison = new KindComparison(switches, 'default', indexKnown(new Map()));
  expect(comparison.add([a, b])).toBe('added');
  expect(comparison.add([b])).toBe('repeated');
});

test('a kind without namespaces is keyed without one', () => {
  const kind = { ...switches, namespaced: false };
  const object = new FakeFabric().make('Switch', { name: 'a', metadata: { namespace: undefined } });
  const comparison = new KindComparison(kind, 'default', indexKnown(new Map()));
  comparison.add([object]);
  const [staged] = comparison.findings().staged;
  expect(staged).toMatchObject({ namespace: '', name: 'a' });
});

test('whatever changes, applying the findings gives what is served, and a second look finds nothing', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  const step = fc.oneof(
    fc.record({ act: fc.constant('put' as const), name }),
    fc.record({ act: fc.constant('drop' as const), name }),
    fc.record({ act: fc.constant('rewrite' as const), name }),
    fc.record({ act: fc.constant('change' as const), name, to: fc.integer({ min: 0, max: 3 }) }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.array(step, { maxLength: 8 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 5 }),
      (rounds, size) => {
        const { fabric, objects } = fabricOf();
        const rows = new Map<ObjectKey, KnownObject & { readonly json: string }>();
        for (const round of rounds) {
          for (const each of round) {
            const there = objects().some((object) => (object.metadata as { name: string }).name === each.name);
            if (each.act === 'put') fabric.put('Switch', each.name);
            if (each.act === 'drop') fabric.drop('Switch', each.name);
            if (each.act === 'rewrite' && there) fabric.edit('Switch', each.name, {});
            if (each.act === 'change' && there) fabric.edit('Switch', each.name, { spec: { to: each.to } });
          }
          const listed = objects();
          const pages = Array.from({ length: Math.ceil(listed.length / size) }, (_, at) =>
            listed.slice(at * size, at * size + size),
          );
          const found = compare(rows, ...pages);
          for (const { name: of, uid, resourceVersion, hash, version, json } of found.staged) {
            rows.set(keyOf(of), { id: `id-${of}`, uid, resourceVersion, hash, version, json });
          }
          for (const [key, row] of rows) {
            const touched = found.touched.find(({ id }) => id === row.id);
            if (touched) rows.set(key, { ...row, resourceVersion: touched.resourceVersion });
            if (found.absent.includes(row.id)) rows.delete(key);
          }
          const truth = compare(new Map(), listed).staged;
          const columns = (row: { uid: string; resourceVersion: string; json: string }) =>
            [row.uid, row.resourceVersion, row.json].join(' ');
          expect(new Map([...rows].map(([key, row]) => [key, columns(row)]))).toEqual(
            new Map(truth.map((row) => [keyOf(row.name), columns(row)])),
          );
          expect(compare(rows, ...pages)).toMatchObject({ staged: [], touched: [], absent: [], quarantined: [] });
        }
      },
    ),
  );
});
