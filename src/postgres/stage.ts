// Objects on their way into the inventory: by COPY into a table that only this transaction sees.

import { once } from 'node:events';
import type { StagedObject } from '../ports/store.ts';
import type { Transaction } from './transaction.ts';

/** Characters a piece of COPY text; the event loop gets its turn between two. */
const pieceLength = 64 * 1024;

/** The table itself, once a session. What is in it ends with the transaction. */
export function prepareStage(tx: Transaction): Promise<unknown> {
  return tx.run(
    (sql) => sql`
      create temporary table if not exists fabric_staged (
        api_group text, api_version text, kind text, plural text, namespace text, name text, uid text,
        resource_version text, generation bigint, creation_timestamp timestamptz, object jsonb, content_hash text)
      on commit delete rows`,
  );
}

export async function stage(tx: Transaction, objects: Iterable<StagedObject>): Promise<void> {
  const { stream, failed } = await tx.copyInto((sql) => sql`copy pg_temp.fabric_staged from stdin`);
  // What goes wrong while nobody waits for it is told by the next wait.
  const broken = new Promise<never>((_, reject) => stream.once('error', reject));
  broken.catch(() => {});
  const unless = (event: 'drain' | 'finish') =>
    Promise.race([once(stream, event, { signal: tx.signal }), failed, broken]);
  try {
    let piece = '';
    for (const object of objects) {
      piece += copyLine(object);
      if (piece.length >= pieceLength) {
        if (!stream.write(piece)) await unless('drain');
        tx.check();
        piece = '';
      }
    }
    stream.end(piece);
    await unless('finish');
  } catch (error) {
    // Tells the server that the copy failed; the transaction is rolled back.
    stream.destroy(error instanceof Error ? error : new Error('the copy was given up'));
    throw error;
  }
}

function copyLine(object: StagedObject): string {
  return `${[
    object.group,
    object.version,
    object.kind,
    object.plural,
    object.namespace,
    object.name,
    object.uid,
    object.resourceVersion,
    object.generation === null ? null : String(object.generation),
    object.creationTimestamp,
    object.json,
    object.hash,
  ]
    .map(copyField)
    .join('\t')}\n`;
}

const special = /[\\\n\r\t]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function copyField(value: string | null): string {
  if (value === null) return '\\N';
  return special.test(value) ? value.replace(/[\\\n\r\t]/g, (character) => escapes[character] ?? character) : value;
}
