// The fabrics of a soak: many small ones behind one port, three labs of their own that people edit, and one that is dead
// for good.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { busier, usualRates } from '../../src/demo/fabrics/editing.ts';
import type { FabricProcess } from '../../src/demo/fabrics/process.ts';

/** A fabric that may be edited, spoilt, set anew and replaced. */
export interface Tenant {
  /** As the simulated fabrics know it: `farm/3`. */
  readonly plot: string;
  readonly name: string;
}

export interface Grounds {
  readonly tenants: readonly Tenant[];
  /** How many there are in the database. */
  readonly count: number;
  /** The fabric that answers nobody. */
  readonly dead: string;
  /** Puts a fabric that was removed back, as another one under the same name. */
  enrol(name: string): Promise<void>;
}

const labs = ['lab-1', 'lab-2', 'lab-3'] as const;
const dead = 'dead';
/** People edit this much faster than in real life. */
const haste = 300;

export async function layOut(options: {
  readonly fabrics: FabricProcess;
  readonly sql: Sql;
  readonly dir: string;
  readonly count: number;
  readonly intervalSeconds: number;
}): Promise<Grounds> {
  const { fabrics, sql, dir, count, intervalSeconds } = options;
  const farm = await fabrics.startFarm({ count });
  const rates = busier(usualRates.lab, haste);
  const own = await Promise.all([
    ...labs.map((name) => fabrics.start({ name, shape: 'lab', rates })),
    fabrics.start({ name: dead, shape: 'tiny' }),
  ]);
  await fabrics.setFault(dead, { does: 'refuse' });
  const ways = new Map([
    ...farm.urls.map((url, index) => [`farm-${index}`, { url, caPem: farm.caPem, token: farm.token }] as const),
    ...own.map(({ name, url, caPem, token }) => [name, { url, caPem, token }] as const),
  ]);
  const enrol = async (name: string): Promise<void> => {
    const way = ways.get(name);
    if (!way) throw new Error(`there is no fabric ${name}`);
    const tokenFile = join(dir, `${name}.token`);
    await writeFile(tokenFile, way.token, { mode: 0o600 });
    await sql`
      insert into fabric (name, kubernetes_server, kubernetes_ca_cert, credential_ref, sync_interval, guard_count)
      values (${name}, ${way.url}, ${way.caPem}, ${`file:${tokenFile}`}, ${intervalSeconds}, 100000)`;
  };
  for (const name of ways.keys()) await enrol(name);
  await sql`analyze`;
  return {
    tenants: [
      ...farm.urls.map((_, index) => ({ plot: `farm/${index}`, name: `farm-${index}` })),
      ...labs.map((name) => ({ plot: name, name })),
    ],
    count: ways.size,
    dead,
    enrol,
  };
}
