import { describe, expect, test } from 'vitest';
import { cellText, followPath } from '../../../src/demo/fabrics/json-path.ts';
import { age, table } from '../../../src/demo/fabrics/table.ts';

describe('what kubectl prints', () => {
  test.each([
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [125, '2m5s'],
    [599, '9m59s'],
    [600, '10m'],
    [3 * 3600 - 1, '179m'],
    [3 * 3600, '3h'],
    [7.5 * 3600, '7h30m'],
    [8 * 3600, '8h'],
    [47 * 3600, '47h'],
    [51 * 3600, '2d3h'],
    [8 * 86_400, '8d'],
    [729 * 86_400, '729d'],
    [740 * 86_400, '2y10d'],
    [9 * 365 * 86_400, '9y'],
    [-0.5, '0s'],
    [-5, '<invalid>'],
  ])('an age of %d seconds is %s', (seconds, text) => expect(age(seconds * 1000)).toBe(text));

  test('paths lead through fields, names with dots, and conditions', () => {
    const object = {
      metadata: { labels: { 'fabric.githedgehog.com/vpc1': 'a' } },
      status: {
        conditions: [
          { type: 'Applied', status: 'False' },
          { type: 'Ready', status: 'True' },
        ],
      },
      spec: { groups: ['x'], redundancy: {} },
    };
    expect(followPath(object, '.metadata.labels.fabric\\.githedgehog\\.com/vpc1')).toBe('a');
    expect(followPath(object, '.status.conditions[?(@.type=="Ready")].status')).toBe('True');
    expect(followPath(object, '.status.conditions[?(@.type=="Absent")].status')).toBeUndefined();
    expect(followPath(object, '.spec.toString')).toBeUndefined();
    expect([cellText(object.spec.groups), cellText(object.spec.redundancy), cellText(7)]).toEqual(['["x"]', '{}', '7']);
  });

  test('a kind without columns of its own shows its age; what is absent is an empty cell', () => {
    const object = { metadata: { name: 'a', creationTimestamp: '2026-01-01T00:00:00Z' } };
    const options = { metadata: {}, includeObject: 'None', nowMs: Date.UTC(2026, 0, 1, 0, 1) } as const;
    expect(table([], [object], options)).toMatchObject({
      columnDefinitions: [{ name: 'Name' }, { name: 'Age' }],
      rows: [{ cells: ['a', '60s'] }],
    });
    const column = { name: 'Role', type: 'string', path: '.spec.role', priority: 0 } as const;
    expect(table([column], [object], options)).toMatchObject({ rows: [{ cells: ['a', null] }] });
  });
});
