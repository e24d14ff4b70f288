import { expect, test } from 'vitest';
import { kindsOf } from '../../src/demo/fabrics/kinds.ts';
import { keptOf } from '../../src/demo/kept-of.ts';

function object(kind: string, name: string, namespace = 'default') {
  const found = kindsOf('v0.113+').find((one) => one.kind === kind);
  if (!found) throw new Error(`no fabric serves ${kind}`);
  return { kind: found, namespace, name };
}

test('what is stored anyhow needs nothing', () => {
  expect(keptOf([object('VPC', 'one'), object('Switch', 'two')])).toEqual({
    namespace: 'default',
    kindsAdded: [],
    remarks: [],
  });
});

test('kinds that are stored by request are asked for, also those of another namespace', () => {
  expect(keptOf([object('VPC', 'one'), object('ControlNode', 'two', 'fab'), object('SwitchProfile', 'three')])).toEqual(
    {
      namespace: 'default',
      kindsAdded: ['SwitchProfile.wiring.githedgehog.com', 'ControlNode.fabricator.githedgehog.com'],
      remarks: [],
    },
  );
});

test('kinds that carry secrets are never stored, and that is told', () => {
  const { kindsAdded, remarks } = keptOf(['a', 'b', 'c', 'd'].map((name) => object('Fabricator', name, 'fab')));
  expect(kindsAdded).toEqual([]);
  expect(remarks).toEqual([
    'not stored: Fabricator fab/a, Fabricator fab/b, Fabricator fab/c and 1 more: fabric-syncd keeps no objects of this kind',
  ]);
});

test('one namespace is read: the usual one where it has objects, else the one that has them', () => {
  expect(keptOf([object('VPC', 'one', 'prod'), object('VPC', 'two')])).toMatchObject({
    namespace: 'default',
    remarks: ['not stored: VPC prod/one: of this fabric the namespace default is read'],
  });
  expect(keptOf([object('VPC', 'one', 'prod')])).toEqual({ namespace: 'prod', kindsAdded: [], remarks: [] });
});
