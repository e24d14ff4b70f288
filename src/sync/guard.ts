// What a run may not do without a person's word.
//
//   G1. More deletions than the count AND more than the share wait, counted over the fabric. So a fabric of a few objects
//       may lose some, and a large one may lose many, but neither may be emptied by an answer that was merely empty.
//   G2. A kind that loses its last object waits too, where it had more than the count: 200 VPCs that are gone at once are
//       only 2 % of 10,000 objects. A share of 1 turns both rules off.
//   G3. An approval covers the resources that were shown and no others. What goes beyond it is judged anew, by itself.
//   G4. The cluster is told by its uid. Where the token may not read that, it is told by its objects: a uid is never used
//       twice, so of three or more stored objects one at least is met again, or it is another cluster.
//   G5. What waits already, and is the same, keeps its run and its time: what a person was shown stays approvable.

import type { Approval, FabricSettings, StagedObject } from '../ports/store.ts';

type Deletions = Extract<Approval, { kind: 'deletions' }>;

/** A kind that was read completely. */
export interface KindAbsence {
  /** For people. */
  readonly label: string;
  /** How many live objects are stored. */
  readonly stored: number;
  /** Resource ids of those that are not there any more. */
  readonly absent: readonly string[];
}

export interface GuardSettings {
  readonly share: number;
  readonly count: number;
}

export interface Occasion {
  readonly runId: string;
  readonly nowMs: number;
  /** What waits, or waited until a person approved it. */
  readonly approval: Approval | null;
  readonly approved: boolean;
}

export interface DeletionVerdict {
  /** The resources that may go. */
  readonly allowed: ReadonlySet<string>;
  /** What has to wait; null where nothing has to. */
  readonly held: Deletions | null;
}

/** Which absent resources may go now, and which wait for a person (G1 to G3, G5). Each is in exactly one of the two. */
export function judgeDeletions(
  absences: readonly KindAbsence[],
  { share, count }: GuardSettings,
  occasion: Occasion,
): DeletionVerdict {
  const { approval, approved } = occasion;
  const covered = new Set(approved && approval?.kind === 'deletions' ? approval.resources : []);
  const beyond = absences.map(({ label, stored, absent }) => {
    const rest = absent.filter((resource) => !covered.has(resource));
    return { label, of: stored - (absent.length - rest.length), rest };
  });
  const of = sum(beyond.map((kind) => kind.of));
  const rest = beyond.flatMap((kind) => kind.rest);
  const tooMany = (gone: number, all: number) => gone > count && gone > share * all;
  const emptied = beyond.some((kind) => kind.rest.length === kind.of && tooMany(kind.rest.length, kind.of));
  if (!emptied && !tooMany(rest.length, of)) {
    return { allowed: new Set(absences.flatMap(({ absent }) => absent)), held: null };
  }
  const losing = beyond.filter((kind) => kind.rest.length > 0);
  const fresh: Deletions = {
    kind: 'deletions',
    runId: occasion.runId,
    sinceMs: occasion.nowMs,
    deletions: Object.fromEntries(losing.map((kind) => [kind.label, kind.rest.length])),
    of,
    resources: rest,
  };
  const resting = new Set(rest);
  return {
    allowed: new Set(absences.flatMap(({ absent }) => absent).filter((resource) => !resting.has(resource))),
    held: approval?.kind === 'deletions' && sameResources(approval, fresh) ? approval : fresh,
  };
}

export type ClusterVerdict =
  /** `pin`: the uid to keep; null where there is none to read. */
  | { readonly kind: 'same'; readonly pin: string | null }
  | { readonly kind: 'changed'; readonly approval: Extract<Approval, { kind: 'cluster' }> };

type Pinned = Pick<FabricSettings, 'clusterUid'>;

/** The first look, before anything is read: does the uid speak against it? */
export function judgeClusterUid({ clusterUid }: Pinned, found: string | null, occasion: Occasion): ClusterVerdict {
  if (clusterUid === null || found === null || clusterUid === found) return { kind: 'same', pin: found };
  return changedUnlessApproved(clusterUid, found, found, occasion);
}

/** What the complete lists say of the objects that were stored before, of their kinds. */
export interface Encounter {
  readonly stored: number;
  /** Listed objects that have the uid which is stored. */
  readonly sameUid: number;
  readonly storedUids: Iterable<string>;
  readonly staged: Iterable<StagedObject>;
}

/** Fewer stored objects may all have been made anew by a person. */
const storedMin = 3;

/** The second look, after the lists were read, where no uid could prove it (G4). */
export function judgeObjects(
  { clusterUid }: Pinned,
  found: string | null,
  { stored, sameUid, storedUids, staged }: Encounter,
  occasion: Occasion,
): ClusterVerdict {
  const proven = found !== null && clusterUid === found;
  if (proven || sameUid > 0 || stored < storedMin) return { kind: 'same', pin: found };
  // Only an object that changed can have another uid: what was listed is staged. Nothing listed, nothing proven: see G1.
  const oldest = oldestUid(staged);
  if (oldest === null) return { kind: 'same', pin: found };
  const least = [...storedUids].reduce((one, other) => (other < one ? other : one), '~');
  return changedUnlessApproved(clusterUid ?? `objects:${least}`, found ?? `objects:${oldest}`, found, occasion);
}

/** A cluster without a uid goes by its oldest object: other edits do not change that while a person thinks. */
function oldestUid(staged: Iterable<StagedObject>): string | null {
  let oldest: { readonly uid: string; readonly age: string } | null = null;
  for (const { creationTimestamp, uid } of staged) {
    const age = `${creationTimestamp ?? '9999'} ${uid}`;
    if (oldest === null || age < oldest.age) oldest = { uid, age };
  }
  return oldest?.uid ?? null;
}

function changedUnlessApproved(pinned: string, found: string, pin: string | null, occasion: Occasion): ClusterVerdict {
  const { approval, approved, runId, nowMs } = occasion;
  const asked = approval?.kind === 'cluster' && approval.found === found ? approval : null;
  if (asked && approved) return { kind: 'same', pin };
  if (asked && asked.pinned === pinned) return { kind: 'changed', approval: asked };
  return { kind: 'changed', approval: { kind: 'cluster', runId, sinceMs: nowMs, pinned, found } };
}

function sameResources(one: Deletions, other: Deletions): boolean {
  const resources = new Set(one.resources);
  return resources.size === other.resources.length && other.resources.every((resource) => resources.has(resource));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
