// The disk of a simulated cluster: one line for each write, so that a fabric that was killed comes back as it was.
//
//   J1. No revision is used twice, not even across a kill: they are reserved in blocks before they are used.
//   J2. What controllers write about themselves is remembered when it is created, and not with each heartbeat: after a
//       restart such an object has the same uid and a new resourceVersion.
//   J3. A file that was cut in the middle of a line, or belongs to another shape, is no reason not to start.

import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { at, isJsonObject, type Json, type JsonObject } from './json.ts';
import type { ClusterStore, Journal } from './store.ts';
import { keyOf, type StoredObject } from './stored-object.ts';

const file = 'objects.jsonl';
const format = 1;
const reservedAtOnce = 10_000;

/** Makes anew the content of an object that is not remembered with it. Null: the object is dropped. */
export type Revive = (kind: string, name: string) => (() => JsonObject) | null;

/**
 * Puts back into an empty store what the folder remembers.
 *
 * @param what of which shape and profile: with another, only the revision is taken over
 * @returns false where there was nothing to put back
 */
export function restoreObjects(
  store: ClusterStore,
  folder: string,
  what: string,
  revive: (store: ClusterStore) => Revive,
): boolean {
  const lines = readLines(join(folder, file));
  const header = lines[0];
  if (!header || header.format !== format) return false;
  const objects = new Map<string, StoredObject>();
  let revision = 0;
  for (const line of lines) {
    revision = Math.max(revision, numberAt(line, 'reserved'), numberAt(line, 'revision'));
    const stored = isJsonObject(line.put) ? readStored(store, line.put) : null;
    if (stored) objects.set(`${stored.kind.kind} ${stored.key}`, stored);
    if (typeof line.removed === 'string') objects.delete(line.removed);
  }
  const same = header.what === what;
  const remembered = same ? [...objects.values()] : [];
  store.restore(
    remembered.filter(({ kind }) => kind.role !== 'internal'),
    revision,
  );
  const reviveIn = revive(store);
  let next = revision;
  const internal = remembered.flatMap((stored): StoredObject[] => {
    if (stored.kind.role !== 'internal') return [];
    next += 1;
    const made = reviveIn(stored.kind.kind, stored.name);
    if (!made && Object.keys(stored.content).length === 0) return [];
    return [{ ...stored, content: made ?? stored.content, revision: next }];
  });
  store.restore(internal, next);
  return same;
}

/** Writes what the store holds, then every write from now on. */
export function keepJournal(store: ClusterStore, folder: string, what: string): { close(): void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, file);
  let reserved = store.revision + reservedAtOnce;
  const start = [{ format, what, reserved }, ...[...store.everything()].map((stored) => ({ put: fieldsOf(stored) }))];
  writeFileSync(`${path}.new`, `${start.map((line) => JSON.stringify(line)).join('\n')}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);

  const handle = openSync(path, 'a');
  let open = true;
  let waiting: string[] = [];
  const flush = () => {
    if (waiting.length > 0 && open) writeSync(handle, waiting.join(''));
    waiting = [];
  };
  const write = (line: JsonObject) => {
    if (waiting.length === 0) queueMicrotask(flush);
    waiting.push(`${JSON.stringify(line)}\n`);
  };
  const reserve = (revision: number) => {
    if (revision < reserved) return;
    reserved = revision + reservedAtOnce;
    write({ reserved });
  };
  const journal: Journal = {
    put(stored, how) {
      reserve(stored.revision);
      if (stored.kind.role !== 'internal' || how === 'created')
        write({ revision: stored.revision, put: fieldsOf(stored) });
    },
    removed(stored, revision) {
      reserve(revision);
      write({ revision, removed: `${stored.kind.kind} ${stored.key}` });
    },
  };
  store.attach(journal);
  return {
    close() {
      flush();
      if (open) closeSync(handle);
      open = false;
    },
  };
}

function fieldsOf(stored: StoredObject): JsonObject {
  const { kind, key: _, content, labels = {}, annotations = {}, metadata = {}, ...rest } = stored;
  return {
    ...rest,
    kind: kind.kind,
    labels,
    annotations,
    metadata,
    content: typeof content === 'function' ? {} : content,
  };
}

function readStored(store: ClusterStore, fields: JsonObject): StoredObject | null {
  const { kind, namespace, name, uid, content, metadata, author } = fields;
  if (typeof kind !== 'string' || !store.serves(kind)) return null;
  if (typeof namespace !== 'string' || typeof name !== 'string' || typeof uid !== 'string') return null;
  return {
    kind: store.kind(kind),
    key: keyOf(namespace, name),
    namespace,
    name,
    uid,
    labels: stringsAt(fields, 'labels'),
    annotations: stringsAt(fields, 'annotations'),
    metadata: isJsonObject(metadata) ? metadata : {},
    content: isJsonObject(content) ? content : {},
    author: author === 'controller' ? 'controller' : 'kubectl',
    revision: numberAt(fields, 'revision'),
    generation: numberAt(fields, 'generation'),
    createdMs: numberAt(fields, 'createdMs'),
    updatedMs: numberAt(fields, 'updatedMs'),
  };
}

function readLines(path: string): JsonObject[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line): JsonObject[] => {
    try {
      const value: Json = JSON.parse(line);
      return isJsonObject(value) ? [value] : [];
    } catch {
      return [];
    }
  });
}

function numberAt(value: JsonObject, key: string): number {
  const found = at(value, key);
  return typeof found === 'number' ? found : 0;
}

function stringsAt(value: JsonObject, key: string): Record<string, string> {
  const found = at(value, key);
  return isJsonObject(found)
    ? Object.fromEntries(Object.entries(found).map(([name, text]) => [name, String(text)]))
    : {};
}
