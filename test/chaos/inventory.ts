// Whether the inventory is what the fabrics serve: asked of each fabric with a client that shares nothing with the daemon,
// object by object.

import type { Sql } from 'postgres';
import type { FabricFacts } from '../../src/demo/fabrics/protocol.ts';
import { kindsDefault } from '../../src/sync/kinds.ts';
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
  const found = await Promise.all(fabrics.map((fabric) => faultsOf(sql, fabric)));
  return found.flat();
}

async function faultsOf(sql: Sql, fabric: FabricFacts): Promise<readonly string[]> {
  const served = await servedBy(fabric);
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

async function servedBy(fabric: FabricFacts): Promise<ReadonlySet<string>> {
  const groups = [...new Set(kindsDefault.map(({ group }) => group))];
  const keys = await Promise.all(
    groups.map(async (group) => {
      const { preferredVersion } = await json<{ preferredVersion?: { version: string } }>(fabric, `/apis/${group}`);
      // A fabric without this part of the product.
      if (!preferredVersion) return [];
      const base = `/apis/${group}/${preferredVersion.version}`;
      const { resources } = await json<{ resources: { kind: string; name: string }[] }>(fabric, base);
      const wanted = resources.filter(
        ({ kind, name }) =>
          !name.includes('/') && kindsDefault.some((known) => known.kind === kind && known.group === group),
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
