// Reads the lists of a fabric, page by page, some kinds at once.
//
//   R1. Each page is compared and dropped: memory is bounded by the pages in flight and by what changed, and that by the
//       run's budget.
//   R2. A list counts only from its first page to its last in one pass. Whatever breaks a pass throws all of it away.
//   R3. "May not" and "is not served" are answers of one kind. Any other failure ends the whole reading at once, and
//       nothing of it runs any more when it is reported.
//   R4. Between two pages, and within one that is larger than it should be, the event loop gets its turn.

import { hash } from 'node:crypto';
import { setImmediate as yieldTurn } from 'node:timers/promises';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { FabricApi, ServedKind } from '../ports/fabric-api.ts';
import type { Budget } from './budget.ts';
import type { KindComparison, KindFindings } from './compare.ts';
import { together } from './together.ts';

export interface ReadLimits {
  /** Objects a page. */
  readonly pageLimit: number;
  /** Lists of one fabric that are read at the same time; each has at most one page in flight. */
  readonly kindsAtOnce: number;
  /** How often one list may begin again in one run. */
  readonly restartsMax: number;
  /** Pages of one list. */
  readonly pagesMax: number;
  /** Characters of a continue token: those of etcd's are some hundred. */
  readonly tokenLengthMax: number;
}

export const readLimitsDefault: ReadLimits = {
  pageLimit: 500,
  kindsAtOnce: 4,
  restartsMax: 3,
  pagesMax: 10_000,
  tokenLengthMax: 16 * 1024,
};

export type KindAnswer =
  | { readonly kind: 'complete'; readonly findings: KindFindings }
  /** `message`: what the server said. */
  | { readonly kind: 'forbidden'; readonly message: string }
  | { readonly kind: 'not_served' };

/** One list to read. */
export interface Listing {
  /** For people. */
  readonly label: string;
  readonly served: ServedKind;
  readonly namespace: string;
  /** A new, empty comparison for each pass (R2). */
  readonly compare: () => KindComparison;
}

export interface Reading {
  readonly api: FabricApi;
  readonly limits: ReadLimits;
  /** Of the whole run. */
  readonly budget: Budget;
  /** The list's progress: objects so far, or how it ended. */
  readonly tell: (listing: Listing, listed: number, ended: KindAnswer | null) => void;
}

/**
 * Reads all the lists, in the order given, `kindsAtOnce` at a time.
 * @throws FabricFailure of the first list that failed; the signal's own reason if it was aborted
 */
export async function readAll(reading: Reading, listings: readonly Listing[], signal: AbortSignal): Promise<void> {
  const queue = listings.values();
  const worker = async (either: AbortSignal) => {
    for (const listing of queue) {
      // Whoever watches sees what is being waited for, also where no page of it ever comes.
      reading.tell(listing, 0, null);
      const answer = await readOne(reading, listing, either);
      reading.tell(listing, answer.kind === 'complete' ? answer.findings.listed : 0, answer);
    }
  };
  await together(
    signal,
    Array.from({ length: Math.max(1, reading.limits.kindsAtOnce) }, () => worker),
  );
}

/** @throws FabricFailure `LIST_UNSTABLE` where pass after pass broke */
async function readOne(reading: Reading, listing: Listing, signal: AbortSignal): Promise<KindAnswer> {
  let broken = '';
  for (let pass = 0; pass <= reading.limits.restartsMax; pass++) {
    const answer = await onePass(reading, listing, signal);
    if (answer.kind !== 'broken') return answer;
    broken = answer.why;
  }
  const { label } = listing;
  const passes = reading.limits.restartsMax + 1;
  throw new FabricFailure('LIST_UNSTABLE', `the list of ${label} broke in each of ${passes} passes: ${broken}`, {
    facts: { kind: label, passes },
  });
}

async function onePass(
  { api, limits, budget, tell }: Reading,
  listing: Listing,
  signal: AbortSignal,
): Promise<KindAnswer | { readonly kind: 'broken'; readonly why: string }> {
  const { label, served, namespace } = listing;
  const comparison = listing.compare();
  /** Digests: the server says how long its tokens are. */
  const tokensSeen = new Set<string>();
  let continueToken: string | null = null;
  for (;;) {
    signal.throwIfAborted();
    const answer = await api.page(served, { namespace, limit: limits.pageLimit, continueToken }, signal);
    if (answer.kind === 'expired') return { kind: 'broken', why: 'its continue token expired (410)' };
    if (answer.kind !== 'page') return answer;
    budget.take(label, answer.page);
    const { items } = answer.page;
    // A server may give more at once than it was asked for.
    for (let from = 0; from === 0 || from < items.length; from += limits.pageLimit) {
      await yieldTurn();
      if (comparison.add(items.slice(from, from + limits.pageLimit)) === 'repeated') {
        return { kind: 'broken', why: 'an object came twice' };
      }
    }
    continueToken = answer.page.continueToken;
    if (continueToken === null) return { kind: 'complete', findings: comparison.findings() };
    if (continueToken.length > limits.tokenLengthMax) throw unwieldy(label, continueToken.length);
    const digest = hash('sha256', continueToken, 'base64');
    if (tokensSeen.has(digest) || tokensSeen.size >= limits.pagesMax) throw endless(label, tokensSeen.size);
    tokensSeen.add(digest);
    tell(listing, comparison.listed, null);
  }
}

function unwieldy(label: string, length: number): FabricFailure {
  return new FabricFailure('NOT_KUBERNETES', `the list of ${label} goes on behind a token of ${length} characters`, {
    facts: { kind: label, length },
  });
}

function endless(label: string, pages: number): FabricFailure {
  return new FabricFailure('NOT_KUBERNETES', `the list of ${label} has no end: stopped after ${pages + 1} pages`, {
    hint: 'A proxy that ignores the query of a URL may answer there. Check the server URL.',
    facts: { kind: label, pages: pages + 1 },
  });
}
