// Objects on their way into the inventory: by COPY into a table that only this transaction sees.

import { once } from 'node:events';
import type { Writable } from 'node:stream';
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
  const table = await tx.copyInto((sql) => sql`copy pg_temp.fabric_staged from stdin`);
  // Whatever goes wrong while we are busy elsewhere must find a listener.
  const failed = new Promise<never>((_, reject) => table.once('error', reject));
  failed.catch(() => {});
  try {
    let piece = '';
    for (const object of objects) {
      piece += copyLine(object);
      if (piece.length >= pieceLength) {
        await Promise.race([write(table, piece, tx.signal), failed]);
        tx.check();
        piece = '';
      }
    }
    table.end(piece);
    await Promise.race([once(table, 'finish', { signal: tx.signal }), failed]);
  } catch (error) {
    // Tells the server that the copy failed; the transaction is rolled back.
    table.destroy(error instanceof Error ? error : new Error('the copy was given up'));
    throw error;
  }
}

async function write(table: Writable, piece: string, signal: AbortSignal): Promise<void> {
  if (!table.write(piece)) await once(table, 'drain', { signal });
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
