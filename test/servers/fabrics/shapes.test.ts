import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { apiVersionOf, coreKinds, kindsOf, type Profile, profiles } from '../../../src/demo/fabrics/kinds.ts';
import { addExtra, longestName } from '../../../src/demo/fabrics/shapes/extras.ts';
import { populate } from '../../../src/demo/fabrics/shapes/populate.ts';
import type { ShapeName } from '../../../src/demo/fabrics/shapes/shape.ts';
import { ClusterStore } from '../../../src/demo/fabrics/store.ts';
import { servedObject, servedText } from '../../../src/demo/fabrics/stored-object.ts';
import { readCrds } from '../../support/crd-schema.ts';
import { type Problems, referencesOf } from '../../support/hedgehog-references.ts';

const createdMs = Date.UTC(2026, 0, 2, 3, 4, 5);

function filled(shape: ShapeName, profile: Profile = 'v0.113+', seed = 'seed'): ClusterStore {
  const store = new ClusterStore({ kinds: kindsOf(profile), seed, clock: systemClock });
  populate(store, shape, profile, createdMs);
  return store;
}

function countsOf(store: ClusterStore): Record<string, number> {
  return Object.fromEntries(store.kinds.map((kind) => [kind.kind, store.count(kind)]));
}

const labels = (store: ClusterStore, value: string) =>
  store.all(store.kind('Connection')).filter((one) => one.labels?.['fabric.githedgehog.com/connection-type'] === value)
    .length;

const expected = {
  lab: {
    core: 36,
    counts: {
      Switch: 5,
      Server: 6,
      Connection: 14,
      SwitchGroup: 2,
      VLANNamespace: 1,
      IPv4Namespace: 1,
      VPC: 2,
      VPCAttachment: 4,
      VPCPeering: 1,
      External: 0,
      ExternalAttachment: 0,
      ExternalPeering: 0,
      Gateway: 1,
      GatewayGroup: 1,
      GatewayPeering: 0,
      SwitchProfile: 16,
      VPCInfo: 2,
      Agent: 5,
      GatewayAgent: 1,
      Catalog: 9,
      DHCPSubnet: 3,
      Fabricator: 1,
      ControlNode: 1,
      FabNode: 1,
    },
    cables: { fabric: 6, eslag: 2, unbundled: 2, bundled: 2, gateway: 2, external: 0 },
  },
  medium: {
    core: 500,
    counts: {
      Switch: 20,
      Server: 120,
      Connection: 196,
      SwitchGroup: 9,
      VLANNamespace: 1,
      IPv4Namespace: 2,
      VPC: 20,
      VPCAttachment: 110,
      VPCPeering: 12,
      External: 2,
      ExternalAttachment: 4,
      ExternalPeering: 4,
      Gateway: 2,
      GatewayGroup: 1,
      GatewayPeering: 8,
      SwitchProfile: 16,
      VPCInfo: 22,
      Agent: 20,
      GatewayAgent: 2,
      Catalog: 31,
      DHCPSubnet: 26,
      Fabricator: 1,
      ControlNode: 1,
      FabNode: 2,
    },
    cables: { fabric: 64, eslag: 60, unbundled: 40, bundled: 20, gateway: 8, external: 4 },
  },
  large: {
    core: 10_000,
    counts: {
      Switch: 64,
      Server: 2880,
      Connection: 3680,
      SwitchGroup: 25,
      VLANNamespace: 2,
      IPv4Namespace: 2,
      VPC: 200,
      VPCAttachment: 2880,
      VPCPeering: 167,
      External: 4,
      ExternalAttachment: 16,
      ExternalPeering: 80,
      Gateway: 2,
      GatewayGroup: 3,
      GatewayPeering: 40,
      SwitchProfile: 23,
      VPCInfo: 204,
      Agent: 64,
      GatewayAgent: 2,
      Catalog: 91,
      DHCPSubnet: 201,
      Fabricator: 1,
      ControlNode: 1,
      FabNode: 2,
    },
    cables: { fabric: 768, eslag: 0, unbundled: 2880, bundled: 0, gateway: 16, external: 16 },
  },
} as const;

describe.each(['lab', 'medium', 'large'] as const)('the shape %s', (shape) => {
  test('has as many objects of each kind as a fabric of its size', () => {
    const store = filled(shape);
    const counts = countsOf(store);
    expect(counts).toMatchObject(expected[shape].counts);
    expect(coreKinds.reduce((sum, kind) => sum + (counts[kind] ?? 0), 0)).toBe(expected[shape].core);
    for (const [type, howMany] of Object.entries(expected[shape].cables))
      expect([type, labels(store, type)]).toEqual([type, howMany]);
  });

  test('refers to nothing that is not there, and uses each port once', () => {
    const found: Problems = referencesOf([...filled(shape).everything()].map(servedObject));
    expect(found).toEqual({ dangling: [], portsUsedTwice: [] });
  });

  test('is the same again for the same seed, and has other uids for another', () => {
    const texts = (store: ClusterStore) => [...store.everything()].map(servedText);
    expect(texts(filled(shape))).toEqual(texts(filled(shape)));
    const uids = (store: ClusterStore) => [...store.everything()].map(({ uid }) => uid);
    const [one, other] = [uids(filled(shape)), uids(filled(shape, 'v0.113+', 'other'))];
    expect(new Set([...one, ...other]).size).toBe(one.length + other.length);
  });
});

describe('sizes', () => {
  test('an object as served weighs what a real one weighs, and a whole pass over a large fabric some 13 MB', () => {
    const store = filled('large');
    const bytes = (kind: string) => {
      const all = store.all(store.kind(kind)).map((stored) => servedText(stored).length);
      return all.reduce((sum, one) => sum + one, 0) / all.length;
    };
    expect(bytes('Connection')).toBeGreaterThan(1100);
    expect(bytes('Connection')).toBeLessThan(2000);
    expect(bytes('Switch')).toBeGreaterThan(1400);
    const core = coreKinds.reduce((sum, kind) => sum + bytes(kind) * store.count(store.kind(kind)), 0);
    expect(core / 1e6).toBeGreaterThan(10);
    expect(core / 1e6).toBeLessThan(17);
  });

  test('an agent is as large as the ports of its switch make it', () => {
    const sizes = (shape: ShapeName) => {
      const store = filled(shape);
      return store.all(store.kind('Agent')).map((stored) => servedText(stored).length / 1024);
    };
    for (const size of sizes('lab')) expect(size).toBeGreaterThan(60);
    expect(Math.max(...sizes('large'))).toBeGreaterThan(300);
    expect(Math.max(...sizes('large'))).toBeLessThan(800);
  });
});

describe('variants', () => {
  test('lab-2025 has what a current controller refuses: MCLAG and VPC loopbacks', () => {
    const store = filled('lab-2025');
    expect(countsOf(store)).toMatchObject({ Connection: 26, Server: 10, Switch: 7, SwitchGroup: 3, VPC: 2 });
    const types = { fabric: 10, 'mclag-domain': 1, 'vpc-loopback': 5, mclag: 2, eslag: 2, unbundled: 3, bundled: 3 };
    for (const [type, howMany] of Object.entries(types)) expect([type, labels(store, type)]).toEqual([type, howMany]);
    expect(referencesOf([...store.everything()].map(servedObject)).portsUsedTwice).toEqual([]);
  });

  test('tiny has one of each thing that a server needs to be attached', () => {
    const counts = Object.entries(countsOf(filled('tiny'))).filter(([, howMany]) => howMany > 0);
    expect(counts).toEqual(
      ['Switch', 'Server', 'Connection', 'VLANNamespace', 'VPC', 'VPCAttachment', 'IPv4Namespace'].map((kind) => [
        kind,
        1,
      ]),
    );
  });

  test('every shape can be had in every generation of the product', () => {
    for (const profile of profiles) for (const shape of ['lab', 'medium'] as const) filled(shape, profile);
    expect(countsOf(filled('medium', 'v0.112')).Peering).toBe(8);
    expect(countsOf(filled('medium', 'next'))).toMatchObject({ Fabric: 1, FabricController: 1, GatewayPeering: 8 });
  });

  test('extras lie at the edges of what is allowed', () => {
    const store = filled('lab');
    expect(longestName).toHaveLength(253);
    expect(addExtra(store, 'longest_name').name).toBe(longestName);
    expect(servedText(addExtra(store, 'broad_vpc')).length).toBeGreaterThan(8000);
    expect(servedText(addExtra(store, 'broad_connection')).length).toBeGreaterThan(2000);
    expect(servedText(addExtra(store, 'large_annotation')).length).toBeGreaterThan(200_000);
    const large = servedText(addExtra(store, 'large_object')).length;
    expect(large).toBeGreaterThan(900_000);
    expect(large).toBeLessThan(950_000);
    expect(JSON.parse(servedText(addExtra(store, 'awkward_text'))).spec.description).toContain('🧵');
  });
});

const crdFolder = fileURLToPath(new URL('../../../../shared/hedgehog/crds', import.meta.url));

describe.skipIf(!existsSync(crdFolder))(
  'against the real CRDs (skipped where ../shared/hedgehog/crds is not there)',
  () => {
    const crds = new Map([...readCrds(`${crdFolder}/fabric`), ...readCrds(`${crdFolder}/fabricator`)]);
    const upcoming = readCrds(`${crdFolder}/upcoming`);
    const legacy = readCrds(`${crdFolder}/gateway-legacy-repo`);

    test('the kinds served are just these, with their names, columns and categories', () => {
      const real = { 'v0.113+': crds, next: new Map([...crds, ...upcoming]), 'v0.112': new Map([...crds, ...legacy]) };
      real['v0.112'].delete('gateway.githedgehog.com/v1alpha1 GatewayPeering');
      for (const profile of profiles) {
        const ours = kindsOf(profile).map((kind) => `${apiVersionOf(kind)} ${kind.kind}`);
        expect(ours.toSorted()).toEqual([...real[profile].keys()].toSorted());
        for (const kind of kindsOf(profile)) {
          const crd = real[profile].get(`${apiVersionOf(kind)} ${kind.kind}`);
          expect([kind.kind, kind.plural, kind.singular, kind.shortNames, kind.categories]).toEqual([
            crd?.kind,
            crd?.plural,
            crd?.singular,
            crd?.shortNames,
            crd?.categories,
          ]);
          const columns = (crd?.columns ?? []).map(({ name, type, jsonPath, priority = 0 }) => ({
            name,
            type,
            path: jsonPath,
            priority,
          }));
          for (const column of kind.columns) expect(columns).toContainEqual(column);
          const shown = columns.filter(({ priority }) => priority === 0).map(({ name }) => name);
          expect(kind.columns.filter(({ priority }) => priority === 0).map(({ name }) => name)).toEqual(shown);
        }
      }
    });

    test.each([
      ['lab', 'v0.113+'],
      ['medium', 'v0.113+'],
      ['large', 'v0.113+'],
      ['tiny', 'v0.113+'],
      ['lab-2025', 'v0.113+'],
      ['medium', 'v0.112'],
      ['medium', 'next'],
    ] as const)('every object of %s in %s is one that a real API server would take whole', (shape, profile) => {
      const all = new Map([...crds, ...legacy, ...upcoming]);
      // The newest schema of a kind that two folders describe.
      for (const [name, crd] of crds) all.set(name, crd);
      const problems = [...filled(shape, profile).everything()].flatMap((stored) => {
        const object = servedObject(stored);
        const found = all.get(`${object.apiVersion} ${object.kind}`)?.problems(object) ?? ['no CRD'];
        return found.map((problem) => `${object.kind} ${stored.name}: ${problem}`);
      });
      expect(problems.slice(0, 10)).toEqual([]);
    });
  },
);
