// What a run came to: its figures, its outcome, and the one line about it.
//
//   F1. A kind that the product of this fabric simply does not have is no trouble: it counts only where a person added it,
//       or where rows of it are stored. A kind that the token may not list is always worth a word.
//   F2. A run that wrote nothing counts nothing as created, updated or deleted.
//   F3. What leaves the inventory because its kind is not read any more is counted by itself: it is no deletion.

import { oneLine } from '../../machines/fabric/failure.ts';
import type { RunEnding } from '../../machines/fabric/ports.ts';
import type { Approval, KindReport, RunFigures } from '../ports/store.ts';
import type { Spent } from './count-requests.ts';
import { type KindKey, kindKey, type WantedKind } from './kinds.ts';
import type { KindAnswer } from './read.ts';
import type { UnwantedKind } from './unwanted.ts';

type Answers = ReadonlyMap<KindKey, KindAnswer>;

/** @param allowed the resources that this run deletes. @param unwanted the kinds whose rows it takes out (F3) */
export function figuresOf(
  wanted: readonly WantedKind[],
  answers: Answers,
  allowed: ReadonlySet<string>,
  unwanted: readonly UnwantedKind[],
  spent: Spent,
): RunFigures {
  const read = figures(wanted, answers, spent, (answer) => {
    if (answer.kind !== 'complete') return report(answer.kind);
    const { listed, created, updated, touched, quarantined, absent } = answer.findings;
    return report('complete', {
      listed,
      created,
      updated,
      deleted: absent.filter((resource) => allowed.has(resource)).length,
      touched: touched.length,
      quarantined: quarantined.length,
    });
  });
  if (unwanted.length === 0) return read;
  const left = unwanted.map(({ label, resources }) => [
    label,
    { ...report('unwanted'), unsynced: resources.length },
  ]) satisfies [string, KindReport][];
  return { ...read, kinds: { ...read.kinds, ...Object.fromEntries(left) } };
}

/** Of a run that failed: which lists were read until then (F2). */
export function figuresSoFar(wanted: readonly WantedKind[], answers: Answers, spent: Spent): RunFigures {
  return figures(wanted, answers, spent, (answer) =>
    report(answer.kind, answer.kind === 'complete' ? { listed: answer.findings.listed } : {}),
  );
}

function figures(
  wanted: readonly WantedKind[],
  answers: Answers,
  spent: Spent,
  reportOf: (answer: KindAnswer) => KindReport,
): RunFigures {
  const kinds = wanted.flatMap((kind): [string, KindReport][] => {
    const answer = answers.get(kindKey(kind));
    return answer ? [[kind.label, reportOf(answer)]] : [];
  });
  return { kinds: Object.fromEntries(kinds), ...spent };
}

function report(answer: KindReport['answer'], counts: Partial<Omit<KindReport, 'answer'>> = {}): KindReport {
  return { answer, listed: 0, created: 0, updated: 0, deleted: 0, touched: 0, quarantined: 0, ...counts };
}

/**
 * @param stored how many live objects of a kind are stored
 * @param held the deletions that wait for a person
 */
export function outcomeOf(
  wanted: readonly WantedKind[],
  answers: Answers,
  stored: (kind: WantedKind) => number,
  held: Extract<Approval, { kind: 'deletions' }> | null,
): { readonly outcome: RunEnding['outcome']; readonly remark: string } {
  const forbidden: string[] = [];
  const missing: string[] = [];
  const unsure: string[] = [];
  for (const kind of wanted) {
    const answer = answers.get(kindKey(kind));
    const rows = stored(kind);
    const kept = rows > 0 ? `${kind.label} (${rows} kept)` : kind.label;
    if (answer?.kind === 'forbidden') forbidden.push(kept);
    if (answer?.kind === 'not_served' && (rows > 0 || kind.added)) missing.push(kept);
    if (answer?.kind === 'complete' && answer.findings.unidentified > 0) unsure.push(kept);
  }
  const partial = [
    ...sentence('the token may not list', forbidden),
    ...sentence('not served', missing),
    ...sentence('nothing is deleted of a list that has objects without a usable name or namespace', unsure),
  ];
  const waiting = held ? [waitsFor(held)] : [];
  const remark = oneLine([...waiting, ...partial].join('; '));
  if (held) return { outcome: 'awaiting_approval', remark };
  return { outcome: partial.length > 0 ? 'partial' : 'complete', remark };
}

function waitsFor({ deletions, of, resources }: Extract<Approval, { kind: 'deletions' }>): string {
  const kinds = Object.entries(deletions).map(([kind, count]) => `${count} ${kind}`);
  return `waits for approval: ${resources.length} of ${of} objects would be deleted (${kinds.join(', ')})`;
}

function sentence(words: string, kinds: readonly string[]): string[] {
  return kinds.length > 0 ? [`${words}: ${kinds.join(', ')}`] : [];
}
