// Whether the inventory is what the fabrics serve: asked of each fabric with a client that shares nothing with the daemon,
// object by object, of the kinds that its row asks for.

import type { Sql } from 'postgres';
import type { FabricFacts } from '../../src/demo/fabrics/protocol.ts';
import { kindKey, resolveKinds, type WantedKind } from '../../src/sync/kinds.ts';
import { ask } from '../support/kube-client.ts';

interface Listed {
  readonly metadata: {
    readonly namespace?: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
}

/** @returns what differs, a line each; nothing may be changing meanwhile */
export async function inventoryFaults(sql: Sql, fabrics: readonly FabricFacts[]): Promise<readonly string[]> {
  const rows = await sql<{ name: string; added: string[]; removed: string[] }[]>`
    select name, kinds_added as added, kinds_removed as removed from fabric`;
  const found = await Promise.all(
    rows.map(({ name, added, removed }) => {
      const fabric = fabrics.find((one) => one.name === name);
      return fabric ? faultsOf(sql, fabric, resolveKinds(added, removed)) : [`${name} is none of ours`];
    }),
  );
  return found.flat();
}

async function faultsOf(sql: Sql, fabric: FabricFacts, kinds: readonly WantedKind[]): Promise<readonly string[]> {
  const served = await servedBy(fabric, kinds);
  const rows = await sql<{ key: string }[]>`
    select format('%s %s/%s %s %s', r.kind, r.namespace, r.name, r.uid, r.resource_version) as key
      from fabric_resource r join fabric f on f.id = r.fabric_id
     where f.name = ${fabric.name} and r.deleted_at is null`;
  const stored = new Set(rows.map(({ key }) => key));
  return [
    ...[...served].filter((key) => !stored.has(key)).map((key) => `${fabric.name} serves ${key}, which is not stored`),
    ...[...stored]
      .filter((key) => !served.has(key))
      .map((key) => `${fabric.name} does not serve ${key}, which is stored`),
  ];
}

async function servedBy(fabric: FabricFacts, kinds: readonly WantedKind[]): Promise<ReadonlySet<string>> {
  const wantedKeys = new Set(kinds.map(kindKey));
  const groups = [...new Set(kinds.map(({ group }) => group))];
  const keys = await Promise.all(
    groups.map(async (group) => {
      const { preferredVersion } = await json<{ preferredVersion?: { version: string } }>(fabric, `/apis/${group}`);
      // A fabric without this part of the product.
      if (!preferredVersion) return [];
      const base = `/apis/${group}/${preferredVersion.version}`;
      const { resources } = await json<{ resources: { kind: string; name: string }[] }>(fabric, base);
      const wanted = resources.filter(
        ({ kind, name }) => !name.includes('/') && wantedKeys.has(kindKey({ group, kind })),
      );
      const lists = await Promise.all(
        wanted.map(async ({ kind, name }) => {
          const { items } = await json<{ items: Listed[] }>(fabric, `${base}/namespaces/default/${name}`);
          return items.map(
            ({ metadata }) =>
              `${kind} ${metadata.namespace ?? ''}/${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`,
          );
        }),
      );
      return lists.flat();
    }),
  );
  return new Set(keys.flat());
}

async function json<Document>(fabric: FabricFacts, path: string): Promise<Document> {
  const { text } = await ask(fabric, path);
  return JSON.parse(text) as Document;
}
