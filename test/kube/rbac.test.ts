import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { rbacManifest } from '../../src/kube/rbac.ts';
import { kindsAddable, kindsDefault } from '../../src/sync/kinds.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly name: string; readonly namespace: string }[];
}

function documents(yaml: string): readonly Manifest[] {
  return parseAllDocuments(yaml).map((document) => {
    if (!('errors' in document)) throw new Error('no document');
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
}

const lab = { name: 'lab', namespace: 'default' };

describe('the rights of a fabric', () => {
  const all = documents(rbacManifest(lab, kindsDefault));

  test('are one account, its token, and two roles with their bindings', () => {
    expect(all.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? '-'}/${metadata.name}`)).toEqual([
      'ServiceAccount default/fabric-syncd',
      'Secret default/fabric-syncd',
      'Role default/fabric-syncd',
      'RoleBinding default/fabric-syncd',
      'ClusterRole -/fabric-syncd-identity',
      'ClusterRoleBinding -/fabric-syncd-identity',
    ]);
  });

  test('list what is synced, read one namespace, and allow nothing else', () => {
    const rules = all.flatMap((document) => document.rules ?? []);
    expect(rules).toEqual([
      {
        apiGroups: ['wiring.githedgehog.com'],
        resources: ['switches', 'servers', 'connections', 'switchgroups', 'vlannamespaces'],
        verbs: ['list'],
      },
      {
        apiGroups: ['vpc.githedgehog.com'],
        resources: [
          'vpcs',
          'vpcattachments',
          'vpcpeerings',
          'externals',
          'externalattachments',
          'externalpeerings',
          'ipv4namespaces',
        ],
        verbs: ['list'],
      },
      {
        apiGroups: ['gateway.githedgehog.com'],
        resources: ['gateways', 'gatewaygroups', 'gatewaypeerings'],
        verbs: ['list'],
      },
      { apiGroups: [''], resources: ['namespaces'], resourceNames: ['kube-system'], verbs: ['get'] },
    ]);
  });

  test('are bound to the account by names that exist', () => {
    for (const { kind, roleRef, subjects } of all.filter((document) => document.roleRef)) {
      expect(
        all.map((document) => `${document.kind} ${document.metadata.name}`),
        kind,
      ).toContain(`${roleRef?.kind} ${roleRef?.name}`);
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'fabric-syncd', namespace: 'default' }]);
    }
  });

  test('every kind that is known by its bare name has a plural', () => {
    const text = rbacManifest(lab, [...kindsDefault, ...kindsAddable]);
    expect(text).not.toContain('Add by hand');
    expect(text).not.toContain('*');
  });

  test('a kind in another namespace gets a role there', () => {
    const found = documents(
      rbacManifest(lab, [{ group: 'fabricator.githedgehog.com', kind: 'FabNode', namespace: 'fab' }]),
    );
    expect(
      found.filter(({ kind }) => kind.startsWith('Role')).map(({ kind, metadata }) => `${kind} ${metadata.namespace}`),
    ).toEqual(['Role default', 'RoleBinding default', 'Role fab', 'RoleBinding fab']);
  });

  test('a kind whose plural nobody knows is left to a person, unless it is given', () => {
    const widget = { group: 'new.example', kind: 'Widget' };
    expect(rbacManifest(lab, [widget])).toContain('# Add by hand the plural of Widget.new.example');
    expect(rbacManifest(lab, [{ ...widget, plural: 'widgetry' }])).toContain('- widgetry');
  });

  test('a name cannot break out of its comment', () => {
    const text = rbacManifest({ name: 'x\n---\nkind: Secret', namespace: 'default' }, kindsDefault);
    expect(documents(text).length).toBe(6);
  });
});
