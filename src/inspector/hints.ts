// What a person can do about a fabric, in one line with the fabric's own name in it.

import type { FailureNote } from '../../machines/fabric/failure.ts';
import type { IdleReason } from '../../machines/fabric/plan.ts';
import type { StatusRow } from '../ports/operator.ts';
import type { Approval } from '../ports/store.ts';

/** Why a fabric is at rest, in words. */
export const idleWords: Readonly<Record<IdleReason, string>> = {
  not_configured: 'not configured',
  sync_disabled: 'sync disabled',
  paused: 'paused',
  scheduler_disabled: 'manual only',
  interval_zero: 'no interval',
};

/** The command that ends an idleness. The last two are a choice, and a manual sync works. */
export function idleHint(reason: IdleReason, name: string): string {
  const fabric = shellWord(name);
  switch (reason) {
    case 'not_configured':
      return `Say where it is: fabric-syncd fabric set ${fabric} --server URL --token-file FILE --ca-file FILE.`;
    case 'sync_disabled':
      return `Enable it: fabric-syncd fabric set ${fabric} --enable.`;
    case 'paused':
      return `Resume it: fabric-syncd resume ${fabric}.`;
    case 'scheduler_disabled':
    case 'interval_zero':
      return `Sync it by hand: fabric-syncd trigger ${fabric}.`;
  }
}

/** A failure's own hint, with the placeholder of its commands filled in. */
export function hintFor(failure: Pick<FailureNote, 'hint'>, name: string): string {
  return failure.hint.replaceAll(
    /(fabric-syncd (?:fabric \w+|rbac|approve|trigger|unlock|resume)) NAME\b/g,
    // A function, because `$` in a replacement text would be read as a pattern.
    (_, command: string) => `${command} ${shellWord(name)}`,
  );
}

/** The most urgent thing to do, or an empty line. */
export function whatToDo(fabric: {
  row: StatusRow;
  reason: IdleReason | null;
  /** In force. */
  failure: FailureNote | null;
  stale: boolean;
  approval: Approval | null;
  approvedBy: string | null;
}): string {
  const { row, reason, failure, stale, approval, approvedBy } = fabric;
  if (reason === 'paused' || reason === 'sync_disabled' || reason === 'not_configured')
    return idleHint(reason, row.name);
  if (approval && approvedBy === null) return `Look at it and approve it: fabric-syncd approve ${shellWord(row.name)}.`;
  if (approval) return 'Approved; the next sync does it.';
  if (failure) return hintFor(failure, row.name);
  const partial = partialHint(row);
  if (partial !== '') return partial;
  if (reason) return stale || row.lastSyncMs === null ? idleHint(reason, row.name) : '';
  if (row.dueAtMs === null) return 'It has no due time yet: is a daemon running? Else: fabric-syncd bootstrap.';
  return stale ? `Is a daemon running? Sync it by hand: fabric-syncd trigger ${shellWord(row.name)}.` : '';
}

/** What would make a run complete that could not read every kind. */
function partialHint({ lastRun, counts, name }: StatusRow): string {
  if (lastRun?.outcome !== 'partial') return '';
  const fabric = shellWord(name);
  const answering = (answer: string) =>
    Object.entries(lastRun.kinds).flatMap(([kind, report]) => (report.answer === answer ? [kind] : []));
  if (answering('forbidden').length > 0) return `Apply the rights printed by: fabric-syncd rbac ${fabric}.`;
  // A kind that the product of this fabric never had is no trouble; the figures call kinds of one name by their group.
  const lost = answering('not_served').find((kind) => (counts[kind.split('.', 1)[0] ?? ''] ?? 0) > 0);
  if (!lost) return '';
  return `Did an upgrade drop ${lost}? To read it no more: fabric-syncd fabric set ${fabric} --kinds=-${lost}.`;
}

/** A name as it must be typed in a shell. Names have no quotes in them (the schema says so). */
export function shellWord(name: string): string {
  return /^[A-Za-z0-9._-]+$/.test(name) ? name : `'${name}'`;
}
