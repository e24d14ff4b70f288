// One fabric as the page knows it: its document, and what was told since. Pure.
//
//   F1. The document is the truth; what is told in between is added to it, and gone with the next document that has it.
//   F2. Transitions that come together light up one after the other, so that each is seen.

/** @import { FabricState } from '../../../machines/fabric/plan.ts' */
/** @import { FabricDocument, FleetFabric, KindProgress, RunProgress, TransitionDocument } from '../documents.ts' */
/** @import { Heard } from './stream.js' */

import { outerOf } from './chart-graph.js';

/**
 * @typedef {object} Flash a transition that is being shown as it happens
 * @property {number} order
 * @property {TransitionDocument} transition
 * @property {number} heardMs
 * @property {number} delayMs how long it waits for the one before it (F2)
 *
 * @typedef {object} FabricPage
 * @property {FabricDocument} document
 * @property {readonly TransitionDocument[]} transitions the newest first
 * @property {RunProgress | null} progress
 * @property {readonly Flash[]} flashes the oldest first
 */

/** How far apart two transitions light up, and for how long one does. */
export const flashMs = { apart: 260, lasts: 1_600, heldBackMost: 2_600 };
const transitionsKept = 200;

/** @param {FabricDocument} document @param {FabricPage | null} before @returns {FabricPage} */
export function pageFrom(document, before) {
  const told = toldSince(document.transitions, before?.transitions ?? []);
  const [latest] = told;
  return {
    document: latest ? { ...document, fabric: movedBy(document.fabric, latest) } : document,
    transitions: [...told, ...document.transitions].slice(0, transitionsKept),
    progress: newer(before?.progress ?? null, document.progress),
    flashes: before?.flashes ?? [],
  };
}

/**
 * What was told while a document was on its way: all before the first that it has. Not by their times: two steps may be of
 * one millisecond, and a clock may be set back.
 * @param {readonly TransitionDocument[]} has the newest first, as all here
 * @param {readonly TransitionDocument[]} heard
 */
function toldSince(has, heard) {
  const known = heard.findIndex((one) => has.some((other) => same(one, other)));
  if (known >= 0) return heard.slice(0, known);
  // They have nothing in common: there was a gap, or another daemon.
  const newest = has[0]?.at ?? '';
  return heard.filter(({ at }) => at > newest);
}

/** @param {FabricPage} page @param {Heard} heard of this fabric @param {number} nowMs @returns {FabricPage} */
export function pageAfter(page, heard, nowMs) {
  switch (heard.type) {
    case 'fabric':
      return { ...page, document: { ...page.document, fabric: heard.message } };
    case 'transition': {
      const { fabric, fabric_id, state, ...transition } = heard.message;
      if (page.transitions.some((known) => same(known, transition))) return page;
      return {
        ...page,
        document: { ...page.document, fabric: movedBy(page.document.fabric, transition) },
        transitions: [transition, ...page.transitions].slice(0, transitionsKept),
        flashes: flashesWith(page.flashes, transition, nowMs),
      };
    }
    case 'progress': {
      const { run, kind, listed, done } = heard.message;
      return { ...page, progress: progressWith(page.progress, run, { kind, listed, done }) };
    }
    default:
      return page;
  }
}

/**
 * The steps from when it last began to work until now: the path that the chart marks. The oldest first.
 * @param {readonly TransitionDocument[]} transitions the newest first
 * @param {(state: string) => boolean} rests
 * @returns {readonly TransitionDocument[]}
 */
export function lastPath(transitions, rests) {
  const began = transitions.findIndex(({ from, to }) => rests(from) && !rests(to));
  const steps = began < 0 ? transitions.slice(0, 1) : transitions.slice(0, began + 1);
  return [...steps].reverse();
}

/** @param {FleetFabric} fabric @param {TransitionDocument} transition @returns {FleetFabric} */
function movedBy(fabric, { to }) {
  return { ...fabric, state: /** @type {FabricState} */ (outerOf(to)), path: to };
}

/** @param {TransitionDocument} one @param {TransitionDocument} other */
function same(one, other) {
  return one.at === other.at && one.from === other.from && one.to === other.to && one.event === other.event;
}

/** @param {readonly Flash[]} flashes @param {TransitionDocument} transition @param {number} nowMs @returns {readonly Flash[]} */
function flashesWith(flashes, transition, nowMs) {
  const fresh = flashes.filter(({ heardMs, delayMs }) => nowMs < heardMs + delayMs + flashMs.lasts);
  const last = flashes.at(-1);
  const earliest = last ? last.heardMs + last.delayMs + flashMs.apart - nowMs : 0;
  const delayMs = Math.min(Math.max(0, earliest), flashMs.heldBackMost);
  return [...fresh, { order: (last?.order ?? 0) + 1, transition, heardMs: nowMs, delayMs }];
}

/** @param {RunProgress | null} progress @param {string} run @param {KindProgress} kind @returns {RunProgress} */
function progressWith(progress, run, kind) {
  if (progress?.run !== run) return { run, kinds: [kind] };
  const known = progress.kinds.some((one) => one.kind === kind.kind);
  const kinds = known ? progress.kinds.map((one) => (one.kind === kind.kind ? kind : one)) : [...progress.kinds, kind];
  return { run, kinds };
}

/** @param {RunProgress | null} told @param {RunProgress | null} read @returns {RunProgress | null} */
function newer(told, read) {
  if (told === null || read === null) return read;
  if (told.run !== read.run) return BigInt(told.run) > BigInt(read.run) ? told : read;
  const done = (/** @type {RunProgress} */ one) => one.kinds.filter((kind) => kind.done).length;
  return done(told) > done(read) ? told : read;
}
