// Many fabrics in the database at once, as `fabric add` would write them one by one: sealed tokens, the CA of the farm.

import type { Sql } from 'postgres';
import type { FarmFacts } from '../../src/demo/fabrics/protocol.ts';
import { sealCredential } from '../../src/kube/credentials.ts';
import type { SealingKey } from '../../src/kube/sealing.ts';

export interface FleetOrder {
  readonly farm: FarmFacts;
  readonly key: SealingKey;
  readonly intervalSeconds: number;
  /** `now`: as if each had been synced just now, so that none is due before an interval has passed. */
  readonly lastSync: 'never' | 'now';
}

/** One fabric for each URL of the farm. @returns their ids */
export async function addFleet(sql: Sql, order: FleetOrder): Promise<readonly string[]> {
  const { farm, key, intervalSeconds, lastSync } = order;
  const names = farm.urls.map((_, index) => `farm-${index}`);
  const added = await sql<{ id: string }[]>`
    insert into fabric (name, kubernetes_server, kubernetes_ca_cert, sync_interval, last_sync, sync_status)
    select name, url, ${farm.caPem}, ${intervalSeconds},
           case when ${lastSync === 'now'} then now() end,
           case when ${lastSync === 'now'} then 'in_sync' else 'never_synced' end
      from unnest(${names}::text[], ${farm.urls as string[]}::text[]) with ordinality as o(name, url, n)
     order by n
    returning id::text`;
  const ids = added.map(({ id }) => id);
  const sealed = ids.map((id) =>
    Buffer.from(sealCredential(key, id, { kind: 'token', token: farm.token })).toString('hex'),
  );
  await sql`
    update fabric f set credential_sealed = decode(o.sealed, 'hex')
      from unnest(${ids}::bigint[], ${sealed}::text[]) as o(id, sealed)
     where f.id = o.id`;
  // As autovacuum leaves it in a database that is in use; without it the first plans are those of an empty table.
  await sql`analyze`;
  return ids;
}

/** A farm that serves nothing: for daemons that are not to sync. */
export function noFarm(count: number): FarmFacts {
  return {
    urls: Array.from({ length: count }, (_, index) => `https://127.0.0.1:9/f/${index}`),
    caPem: '',
    token: 'none',
  };
}

/** How many runs there are by outcome. */
export async function runsByOutcome(sql: Sql): Promise<Readonly<Record<string, number>>> {
  const rows = await sql<{ outcome: string; n: number }[]>`
    select coalesce(outcome, 'running') as outcome, count(*)::int as n from fabric_run group by 1`;
  return Object.fromEntries(rows.map(({ outcome, n }) => [outcome, n]));
}

/** @throws Error where a run ended otherwise than complete: its figures would be those of something else */
export async function assertAllComplete(sql: Sql): Promise<void> {
  const { complete: _, running: __, ...others } = await runsByOutcome(sql);
  if (Object.keys(others).length === 0) return;
  const [example] = await sql<{ failure: unknown }[]>`
    select failure from fabric_run where outcome not in ('complete') order by id limit 1`;
  throw new Error(`not every run was complete: ${JSON.stringify(others)}, such as ${JSON.stringify(example?.failure)}`);
}
