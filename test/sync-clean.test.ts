// What is kept of an object, and what it looks like when it is shown again.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../src/ports/fabric-api.ts';
import { clean, cleanLimitsDefault, rebuild } from '../src/sync/clean.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

function cleaned(object: KubeObject): { json: string; hash: string } {
  const answer = clean(object);
  if (answer.kind === 'refused') throw new Error(answer.reason);
  return answer;
}

function refusal(object: KubeObject, limits = cleanLimitsDefault): string {
  const answer = clean(object, limits);
  return answer.kind === 'refused' ? answer.reason : 'kept';
}

const columns = {
  group: 'wiring.githedgehog.com',
  version: 'v1beta1',
  kind: 'Switch',
  namespace: 'default',
  name: 'leaf-01',
  uid: 'uid-1',
  resourceVersion: '41',
  generation: 3,
  creationTimestamp: '2026-01-02T03:04:05Z',
};

const asServed = {
  apiVersion: 'wiring.githedgehog.com/v1beta1',
  kind: 'Switch',
  metadata: {
    annotations: { [lastApplied]: '{"big":true}', note: 'kept' },
    creationTimestamp: '2026-01-02T03:04:05Z',
    generation: 3,
    labels: { role: 'leaf' },
    managedFields: [{ manager: 'kubectl' }],
    name: 'leaf-01',
    namespace: 'default',
    ownerReferences: [{ uid: 'kept', kind: 'X' }],
    resourceVersion: '41',
    selfLink: '/apis/…',
    uid: 'uid-1',
  },
  spec: { asn: 65101, ports: ['E1/1', 'E1/2'], nested: { uid: 'kept', kind: 'kept', managedFields: ['kept'] } },
  status: {},
};

/** JSON values as a server may send them: any keys, any depth that is small. */
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }).map((number) => number + 0),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('10', '9', '__proto__', 'toJSON', 'constructor')),
      tie('value'),
      {
        maxKeys: 5,
      },
    ),
  ),
})).value;
const storable = json.filter((value) => !JSON.stringify(value).includes('\\u'));

/** The same value with every map's keys the other way round, as it would be parsed. */
function reversed(value: unknown): unknown {
  const text = (each: unknown): string => {
    if (Array.isArray(each)) return `[${each.map(text).join(',')}]`;
    if (typeof each !== 'object' || each === null) return JSON.stringify(each);
    const entries = Object.entries(each).reverse();
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${text(inner)}`).join(',')}}`;
  };
  return JSON.parse(text(value));
}

describe('what is kept', () => {
  test('is everything but what has a column, and who wrote it when', () => {
    expect(JSON.parse(cleaned(asServed).json)).toEqual({
      metadata: {
        annotations: { note: 'kept' },
        labels: { role: 'leaf' },
        ownerReferences: [{ uid: 'kept', kind: 'X' }],
      },
      spec: asServed.spec,
      status: {},
    });
  });

  test('an annotation map that only held the dropped one is gone with it; one that was empty stays', () => {
    const only = { ...asServed, metadata: { name: 'a', annotations: { [lastApplied]: '{}' } } };
    expect(JSON.parse(cleaned(only).json)).toEqual({ spec: asServed.spec, status: {} });
    const empty = { ...asServed, metadata: { name: 'a', annotations: {} } };
    expect(JSON.parse(cleaned(empty).json)).toMatchObject({ metadata: { annotations: {} } });
  });

  test('the hash is the SHA-256 of the text', () => {
    const { json: text, hash } = cleaned(asServed);
    expect(hash).toBe(createHash('sha256').update(text).digest('base64'));
  });

  test.each([
    ['resourceVersion', { metadata: { ...asServed.metadata, resourceVersion: '42' } }],
    ['managedFields', { metadata: { ...asServed.metadata, managedFields: [] } }],
    ['generation', { metadata: { ...asServed.metadata, generation: 4 } }],
    ['apiVersion', { apiVersion: 'wiring.githedgehog.com/v1' }],
    ['the last-applied annotation', { metadata: { ...asServed.metadata, annotations: { note: 'kept' } } }],
  ])('another %s alone is no other content', (_what, change) => {
    expect(cleaned({ ...asServed, ...change }).hash).toBe(cleaned(asServed).hash);
  });

  test.each([
    ['label', { metadata: { ...asServed.metadata, labels: { role: 'spine' } } }],
    ['annotation', { metadata: { ...asServed.metadata, annotations: { note: 'other' } } }],
    ['spec', { spec: { ...asServed.spec, asn: 65102 } }],
    ['order in a list', { spec: { ...asServed.spec, ports: ['E1/2', 'E1/1'] } }],
    ['status', { status: { vni: 1 } }],
  ])('another %s is other content', (_what, change) => {
    expect(cleaned({ ...asServed, ...change }).hash).not.toBe(cleaned(asServed).hash);
  });

  test('the order of keys changes nothing, at any depth', () => {
    fc.assert(
      fc.property(storable, (spec) => {
        const there = cleaned(JSON.parse(JSON.stringify({ metadata: { name: 'a' }, spec })));
        const back = cleaned(reversed({ metadata: { name: 'a' }, spec }) as KubeObject);
        expect(back).toEqual(there);
      }),
    );
  });

  test('nothing is lost or changed, whatever the keys are called', () => {
    fc.assert(
      fc.property(storable, (spec) => {
        const served = JSON.parse(JSON.stringify({ spec })) as KubeObject;
        expect(JSON.parse(cleaned(served).json)).toEqual(served);
      }),
    );
  });

  test('the object that was given is not changed', () => {
    const before = JSON.stringify(asServed);
    cleaned(asServed);
    expect(JSON.stringify(asServed)).toBe(before);
  });
});

describe('what cannot be kept', () => {
  const nested = (levels: number) => {
    let text = '1';
    for (let level = 0; level < levels; level++) text = level % 2 === 0 ? `[${text}]` : `{"a":${text}}`;
    return JSON.parse(`{"spec":${text}}`) as KubeObject;
  };

  test.each([
    ['a NUL in a text', { spec: { note: 'a\0b' } }, /NUL/],
    ['a NUL in a key', { spec: { 'a\0b': 1 } }, /NUL/],
    ['a NUL deep in a list', { spec: [[{ a: ['\0'] }]] }, /NUL/],
    ['half of a surrogate pair', { spec: { note: '\ud83d' } }, /surrogate/],
    ['half of a surrogate pair in a key', { spec: { '\udc00': 1 } }, /surrogate/],
    ['a number that was rounded when it was parsed', JSON.parse('{"spec":{"id":12345678901234567890}}'), /number/],
    ['a number beyond all numbers', JSON.parse('{"spec":{"id":1e999}}'), /number/],
  ])('%s', (_what, object, reason) => {
    expect(refusal(object as KubeObject)).toMatch(reason);
  });

  test('a control character, an emoji and a written-out \\u0000 can', () => {
    const spec = { note: '\u0001 🦔 \\u0000 \\ud83d "quoted"' };
    expect(JSON.parse(cleaned({ spec }).json)).toEqual({ spec });
  });

  test('too much depth, without overflowing the stack', () => {
    expect(refusal(nested(197))).toBe('kept');
    expect(refusal(nested(200))).toMatch(/deeper than 200/);
    expect(refusal(nested(200_000))).toMatch(/deeper than 200/);
  });

  test('too much size, counted in bytes and after cleaning', () => {
    const limits = { ...cleanLimitsDefault, objectBytesMax: 1000 };
    expect(refusal({ spec: 'x'.repeat(980) }, limits)).toBe('kept');
    expect(refusal({ spec: 'ü'.repeat(980) }, limits)).toMatch(/has 1971 bytes of JSON, more than 1000/);
    const dropped = { metadata: { annotations: { [lastApplied]: 'x'.repeat(5000) } }, spec: {} };
    expect(refusal(dropped, limits)).toBe('kept');
  });

  test('a very long flat list is no trouble', () => {
    expect(refusal({ spec: Array.from({ length: 600_000 }, () => 0) })).toBe('kept');
    expect(refusal({ spec: [...Array.from({ length: 300_000 }, () => 0), '\0'] })).toMatch(/NUL/);
  });
});

describe('what is shown again', () => {
  test('is what was served, less managedFields, selfLink and the last-applied annotation', () => {
    const object = JSON.parse(cleaned(asServed).json) as KubeObject;
    const { managedFields: _m, selfLink: _s, ...metadata } = asServed.metadata;
    expect(rebuild({ ...columns, object })).toEqual({
      ...asServed,
      metadata: { ...metadata, annotations: { note: 'kept' } },
    });
  });

  test('what is not known is left out, and a kind without namespaces has none', () => {
    const bare = { ...columns, uid: null, resourceVersion: null, generation: null, creationTimestamp: null };
    expect(rebuild({ ...bare, namespace: '', object: { spec: {} } })).toEqual({
      apiVersion: 'wiring.githedgehog.com/v1beta1',
      kind: 'Switch',
      metadata: { name: 'leaf-01' },
      spec: {},
    });
  });

  test('metadata stands where kubectl prints it, its keys in order', () => {
    const shown = rebuild({ ...columns, object: { metadata: { labels: {} }, spec: {}, status: {} } });
    expect(Object.keys(shown)).toEqual(['apiVersion', 'kind', 'metadata', 'spec', 'status']);
    const keys = Object.keys(shown.metadata as object);
    expect(keys).toEqual(keys.toSorted());
  });

  test('any object comes back as it was', () => {
    fc.assert(
      fc.property(storable, storable, (spec, labels) => {
        const metadata = { labels, name: 'leaf-01', namespace: 'default', uid: 'uid-1', resourceVersion: '41' };
        const served = JSON.parse(
          JSON.stringify({ apiVersion: 'wiring.githedgehog.com/v1beta1', kind: 'Switch', metadata, spec }),
        ) as KubeObject;
        const object = JSON.parse(cleaned(served).json) as KubeObject;
        expect(rebuild({ ...columns, generation: null, creationTimestamp: null, object })).toEqual(served);
      }),
    );
  });
});

const manifests = new URL('../../shared/hedgehog/manifests/', import.meta.url);
const present = existsSync(manifests);

describe.skipIf(!present)(`real manifests${present ? '' : ' (skipped: there are none beside this checkout)'}`, () => {
  test('come back exactly as they were given', () => {
    const files = readdirSync(manifests, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.yaml'),
    );
    const objects = files.flatMap((file) =>
      parseAllDocuments(readFileSync(new URL(file, manifests), 'utf8')).map((document) => document.toJS() as unknown),
    );
    let seen = 0;
    for (const each of objects) {
      if (typeof each !== 'object' || each === null || !('kind' in each) || !('metadata' in each)) continue;
      const given = each as KubeObject & { apiVersion: string; kind: string; metadata: Partial<typeof columns> };
      const [group = '', version = ''] = given.apiVersion.split('/');
      const { name = '', namespace = '', uid = null, resourceVersion = null, ...metadata } = given.metadata;
      const { generation = null, creationTimestamp = null } = metadata;
      const row = { group, version, kind: given.kind, name, namespace, uid, resourceVersion };
      const object = JSON.parse(cleaned(given).json) as KubeObject;
      expect(rebuild({ ...row, generation, creationTimestamp, object })).toEqual(given);
      seen += 1;
    }
    expect(seen).toBeGreaterThan(100);
  });
});
