// Which fabrics the table shows, and in which order. Pure.

/** @import { FabricView } from '../view.ts' */
/** @import { FabricState } from '../../../machines/fabric/plan.ts' */
/** @import { FleetRoute, SortKey } from './address.js' */

import { allStates } from './address.js';
import { hasWords, wordsOf } from './search-words.js';

/** What sorts as "worst first". @type {readonly (string | null)[]} */
const allStatuses = ['error', 'out_of_sync', 'never_synced', 'syncing', 'in_sync', null];

/**
 * Every word of the search must be found somewhere in the fabric: name, state, status, error or its code.
 * @template {FabricView} Fabric
 * @param {readonly Fabric[]} fabrics in the order of their names
 * @param {Pick<FleetRoute, 'search' | 'states' | 'sort' | 'down'>} wanted
 * @returns {Fabric[]}
 */
export function rowsOf(fabrics, { search, states, sort, down }) {
  const words = wordsOf(search);
  const found = fabrics.filter(
    (fabric) =>
      (states.length === 0 || states.includes(fabric.state)) &&
      (words.length === 0 || hasWords(textsOf(fabric), words)),
  );
  // Equal ones stay in the order of their names, so that rows do not dance.
  if (sort === 'name') return down ? found.reverse() : found;
  const order = orders[sort];
  return found.sort((one, other) => (down ? order(other, one) : order(one, other)));
}

/**
 * @param {readonly FabricView[]} fabrics
 * @returns {Readonly<Record<FabricState, number>>}
 */
export function countsByState(fabrics) {
  const counts = /** @type {Record<FabricState, number>} */ (Object.fromEntries(allStates.map((state) => [state, 0])));
  for (const { state } of fabrics) counts[state] += 1;
  return counts;
}

/** @param {FabricView} fabric */
function textsOf({ name, state, reason, sync_status, sync_error, error_code }) {
  return [name, state, reason ?? '', sync_status ?? '', sync_error, error_code ?? ''];
}

const names = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/**
 * To be kept so: comparing a thousand names as people do takes a frame of its own.
 * @template {Pick<FabricView, 'name'>} Fabric
 * @param {Iterable<Fabric>} fabrics
 * @returns {Fabric[]}
 */
export function inOrderOfNames(fabrics) {
  return [...fabrics].sort((one, other) => names.compare(one.name, other.name));
}

/** @param {(fabric: FabricView) => number | null | undefined} value what is not known comes last */
function byNumber(value) {
  return (/** @type {FabricView} */ one, /** @type {FabricView} */ other) => {
    const [a, b] = [value(one) ?? Number.POSITIVE_INFINITY, value(other) ?? Number.POSITIVE_INFINITY];
    return a === b ? 0 : a < b ? -1 : 1;
  };
}

/** @type {Readonly<Record<Exclude<SortKey, 'name'>, (one: FabricView, other: FabricView) => number>>} */
const orders = {
  state: byNumber((fabric) => allStates.indexOf(fabric.state)),
  status: byNumber((fabric) => allStatuses.indexOf(fabric.sync_status)),
  due: byNumber(({ due_at }) => (due_at === null ? null : Date.parse(due_at))),
  // By the time and not by the age, which is as of when each was told. The oldest last, what was never read after it.
  age: byNumber(({ last_sync }) => (last_sync === null ? null : -Date.parse(last_sync))),
  objects: byNumber((fabric) => fabric.objects),
  changes: byNumber(({ last_run: run }) => run && run.created + run.updated + run.deleted),
  duration: byNumber(({ last_run: run }) => run?.duration_ms),
};
