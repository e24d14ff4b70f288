// Writes the simulated fabrics into the database, as `fabric add` and `fabric set` would; fabrics of earlier demos are removed.
//
//   N1. In a database that was there before the demo, nothing is changed where a fabric is that no demo of this state folder
//       made: neither a row nor the schema. What such a demo made is sealed with the key in the folder.

import { readFile, writeFile } from 'node:fs/promises';
import { sealCredential } from '../kube/credentials.ts';
import { generateKey, keyIdOf, readKey, type SealingKey } from '../kube/sealing.ts';
import { type Database, openDatabase } from '../postgres/connect.ts';
import { migrate } from '../postgres/migrate.ts';
import { postgresFabricBook } from '../postgres/operator/fabric-book.ts';
import { fabricSeals } from '../postgres/operator/fabric-seals.ts';
import type { SimulatedFabric } from './fabrics/fabric.ts';
import { keptOf } from './kept-of.ts';
import type { Part } from './roster.ts';
import { NotStarted } from './servers/not-started.ts';

/** Of fabrics that are somebody else's, so many are named. */
const namedMax = 5;

export interface Enrolment {
  readonly databaseUrl: string;
  /** The database is the demo's own. */
  readonly ownDatabase: boolean;
  /** The key that seals; made where it is missing. */
  readonly keyFile: string;
  readonly parts: readonly Part[];
  readonly fabrics: ReadonlyMap<string, SimulatedFabric>;
  readonly say: (line: string) => void;
}

/** @throws NotStarted where the database has somebody else's fabrics */
export async function enrol(enrolment: Enrolment): Promise<void> {
  const { databaseUrl, ownDatabase, keyFile, parts, fabrics, say } = enrolment;
  const key = readKey(await keptKey(keyFile));
  const database = openDatabase({ url: databaseUrl, applicationName: 'fabric-syncd demo', connectionsMax: 1 });
  try {
    if (!ownDatabase) await refuseStrangers(database, key);
    await migrate(database);
    const book = postgresFabricBook(database);
    const known = new Map((await book.list()).map((fabric) => [fabric.name, fabric.fabricId]));
    for (const part of parts) {
      const fabric = fabrics.get(part.name);
      if (!fabric) continue;
      const { namespace, kindsAdded, remarks } =
        'manifests' in part.content ? keptOf([...fabric.store.everything()]) : usual;
      for (const remark of remarks) say(`${part.name}: ${remark}`);
      const values = {
        name: part.name,
        description: part.description,
        server: fabric.url,
        caPem: fabric.caPem,
        intervalSeconds: part.intervalSeconds,
        namespace,
        kindsAdded,
      };
      const credential = {
        kind: 'seal' as const,
        seal: (fabricId: string) => sealCredential(key, fabricId, { kind: 'token', token: fabric.token }),
      };
      const fabricId = known.get(part.name);
      if (fabricId) await book.set(fabricId, values, credential);
      else await book.add(values, credential);
      known.delete(part.name);
    }
    for (const fabricId of known.values()) await book.remove(fabricId);
  } finally {
    await database.close();
  }
}

const usual = { namespace: 'default', kindsAdded: [], remarks: [] };

async function refuseStrangers(database: Database, key: SealingKey): Promise<void> {
  const seals = await database.act('look whose fabrics it has', fabricSeals);
  const strangers = seals.filter(({ sealed }) => sealed === null || keyIdOf(sealed) !== key.id);
  if (strangers.length === 0) return;
  const names = strangers.slice(0, namedMax).map(({ name }) => name);
  const more = strangers.length > namedMax ? ` and ${strangers.length - namedMax} more` : '';
  throw new NotStarted(
    `The database in DATABASE_URL has fabrics that this demo did not make (${names.join(', ')}${more}), and it would ` +
      'replace them: give it an empty database, or unset DATABASE_URL.',
  );
}

async function keptKey(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    const key = generateKey();
    await writeFile(path, key, { mode: 0o600 });
    return key;
  }
}
