// What a commit may do to an inventory, judged by what its fabric really had: nothing of the product's comparison or guard
// is believed here.
//
//   c. The objects of each kind that it read are one list of that kind, as the fabric had it at some time of the run: their
//      names, uids, versions and contents; and what waits for approval besides.
//   d. Nothing of a kind that was not read completely is touched; what goes is absent from that list. Or nobody wants its
//      kind to be read any more.
//   G. No more goes at once than a share and a count, unless a person approved those very objects.
//   P. Objects of another cluster come in only when a person approved that cluster.

import type { CommitRequest } from '../../src/ports/store.ts';
import type { Row } from '../support/memory-database.ts';
import type { InventoryObject, MemoryInventory } from '../support/memory-inventory.ts';
import type { Contents } from './contents.ts';
import { nameOf, type SimFabric, uidOf, versionOf } from './fabric.ts';

/** What stood there before. */
export interface BeforeCommit {
  readonly row: Row;
  readonly live: readonly InventoryObject[];
}

export function beforeCommit(row: Row, inventory: MemoryInventory): BeforeCommit {
  return { row: { ...row }, live: [...inventory.live()].map((object) => ({ ...object })) };
}

/** @returns what is wrong, or null */
export function judgeCommit(
  { row, live }: BeforeCommit,
  inventory: MemoryInventory,
  request: CommitRequest,
  fabric: SimFabric,
  contents: Contents,
  run: { readonly fromMs: number; readonly toMs: number; readonly kindsRemoved: readonly string[] },
): string | null {
  const wrong = contents.learn(request.staged);
  if (wrong) return wrong;
  const held = request.approval?.kind === 'deletions' ? new Set(request.approval.resources) : new Set<string>();
  const complete = new Set(request.kindsComplete);
  for (const kindKey of complete) {
    const kind = kindKey.slice(kindKey.indexOf('/') + 1);
    const now = [...inventory.live(kindKey)];
    const states = fabric.between(kind, run.fromMs, run.toMs);
    if (!states.some(({ objects }) => sameList(now, objects, held, contents))) {
      const had = states.map(({ objects }) => objects.length).join(' or ');
      return `c. the ${now.length} objects of ${kind} are no list that the fabric had in the run (it had ${had})`;
    }
  }
  const gone = live.filter(({ id }) => !inventory.byId(id)?.live);
  const unwanted = (kindKey: string) => run.kindsRemoved.includes(kindKey.slice(kindKey.indexOf('/') + 1));
  const early = gone.find(({ kindKey }) => !complete.has(kindKey) && !unwanted(kindKey));
  if (early) return `d. ${early.kindKey} ${early.name} went, though its list was not read to the end`;
  const listed = gone.filter(({ kindKey }) => complete.has(kindKey));
  return judgeGuard(row, live, listed, complete) ?? judgeCluster(row, live, request);
}

function sameList(
  now: readonly InventoryObject[],
  objects: ReturnType<SimFabric['between']>[number]['objects'],
  held: ReadonlySet<string>,
  contents: Contents,
): boolean {
  const listed = new Map(objects.map((object) => [nameOf(object), object]));
  let met = 0;
  for (const { id, name, uid, resourceVersion, hash } of now) {
    const object = listed.get(name);
    if (!object) {
      if (held.has(id)) continue;
      return false;
    }
    if (uidOf(object) !== uid || versionOf(object) !== resourceVersion) return false;
    if (!contents.isOf(hash, object)) return false;
    met++;
  }
  return met === listed.size;
}

function judgeGuard(
  row: Row,
  live: readonly InventoryObject[],
  gone: readonly InventoryObject[],
  complete: ReadonlySet<string>,
): string | null {
  const waited = row.approval?.kind === 'deletions' && row.approved ? row.approval.resources : [];
  const approved = new Set(waited);
  const beyond = gone.filter(({ id }) => !approved.has(id));
  const of = live.filter(({ id, kindKey }) => complete.has(kindKey) && !approved.has(id)).length;
  if (beyond.length <= row.guardCount || beyond.length <= row.guardShare * of) return null;
  return `G. ${beyond.length} of ${of} objects went without a person's word`;
}

function judgeCluster(row: Row, live: readonly InventoryObject[], request: CommitRequest): string | null {
  const came = new Set([...request.staged].map(({ uid }) => clusterOf(uid)));
  const known = row.clusterUid ?? null;
  if (known === null || known.startsWith('objects:')) return null;
  // Where the uid was hidden when a person approved it, the pin stays behind: what came in before was judged then.
  const here = new Set(live.map(({ uid }) => clusterOf(uid)));
  const stranger = [...came].find((cluster) => cluster !== known && !here.has(cluster));
  if (stranger === undefined || (row.approval?.kind === 'cluster' && row.approved)) return null;
  // A handful of objects that were all made anew proves nothing where the uid may not be read; nor does what was not listed.
  const complete = new Set(request.kindsComplete);
  if (live.filter(({ kindKey }) => complete.has(kindKey)).length < 3) return null;
  return `P. objects of ${stranger} came in, and ${known} was pinned`;
}

const clusterOf = (uid: string) => uid.slice(0, uid.lastIndexOf('/'));
