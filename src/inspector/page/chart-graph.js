// The statechart as boxes and arrows, read off the machine's definition. Pure.
//
//   G1. Every transition that moves is in exactly one arrow; those that lead from one outer state to another share one.
//   G2. An arrow between two states that rest is quiet: a new plan may lead from any of them to any other, and drawing
//       all of these would hide the cycle. It is drawn when it is taken, or when one looks at one of its states.

/** @import { ChartTransition, MachineDocument, StateDocument } from '../documents.ts' */

/**
 * @typedef {object} Box an outer state with what is inside
 * @property {StateDocument} state
 * @property {readonly StateDocument[]} inside
 * @property {readonly Arrow[]} arrows between those inside
 *
 * @typedef {object} Arrow
 * @property {string} key
 * @property {string} from
 * @property {string} to
 * @property {boolean} quiet
 * @property {readonly ChartTransition[]} transitions
 * @property {readonly string[]} lines what stands beside it
 *
 * @typedef {{ boxes: readonly Box[], arrows: readonly Arrow[] }} Graph
 */

/** What stands beside an arrow at most; the rest is in the list of transitions. */
const linesMax = 3;

/** @param {MachineDocument} machine @returns {Graph} */
export function graphOf({ states, transitions }) {
  const moves = transitions.filter(({ from, to }) => to !== null && to !== from);
  const outer = states.filter(({ parent }) => parent === null);
  const rests = new Set(outer.filter(({ tags }) => tags.includes('resting')).map(({ path }) => path));
  /** @param {string} path */
  const insideOf = (path) => states.filter(({ parent }) => parent === path);

  const between = moves.filter(({ from, to }) => outerOf(from) !== outerOf(to ?? ''));
  const within = moves.filter(({ from, to }) => outerOf(from) === outerOf(to ?? ''));
  return {
    boxes: outer.map((state) => {
      const inside = insideOf(state.path);
      // One that comes from the box itself has no arrow: it begins the state anew, whatever was going on inside.
      const own = within.filter(({ from, to }) => [from, to].every((path) => inside.some((one) => one.path === path)));
      return {
        state,
        inside,
        arrows: arrowsOf(
          own,
          ({ from, to }) => [from, to ?? ''],
          () => false,
        ),
      };
    }),
    arrows: arrowsOf(
      between,
      ({ from, to }) => [outerOf(from), outerOf(to ?? '')],
      (from, to) => rests.has(from) && rests.has(to),
    ),
  };
}

/** The outermost state of a path. @param {string} path @returns {string} */
export function outerOf(path) {
  return path.split('.', 1)[0] ?? path;
}

/**
 * The arrow that a step went along; null where it stayed.
 * @param {string} from @param {string} to
 */
export function arrowKey(from, to) {
  if (outerOf(from) !== outerOf(to)) return `${outerOf(from)} → ${outerOf(to)}`;
  return from === to ? null : `${from} → ${to}`;
}

/** What happens, and which guards must hold. @param {ChartTransition} transition */
export function labelOf({ label, guards }) {
  const condition = guards.length === 0 ? '' : `[${guards.join(' ∧ ')}]`;
  return [label, condition].filter(Boolean).join(' ') || 'else';
}

/**
 * @param {readonly ChartTransition[]} transitions
 * @param {(transition: ChartTransition) => [string, string]} ends
 * @param {(from: string, to: string) => boolean} isQuiet
 * @returns {Arrow[]}
 */
function arrowsOf(transitions, ends, isQuiet) {
  /** @type {Map<string, { from: string, to: string, transitions: ChartTransition[] }>} */
  const found = new Map();
  for (const transition of transitions) {
    const [from, to] = ends(transition);
    const key = `${from} → ${to}`;
    const arrow = found.get(key) ?? { from, to, transitions: [] };
    arrow.transitions.push(transition);
    found.set(key, arrow);
  }
  return [...found].map(([key, arrow]) => ({
    key,
    ...arrow,
    quiet: isQuiet(arrow.from, arrow.to),
    lines: linesOf(arrow.transitions),
  }));
}

/** One line an event; its guard beside it where there is just one. @param {readonly ChartTransition[]} transitions */
function linesOf(transitions) {
  const labels = [...new Set(transitions.map(({ label }) => label))].filter((label) => label !== '');
  const lines = labels.map((label) => {
    const [only, ...more] = transitions.filter((one) => one.label === label);
    return only && more.length === 0 && only.guards.length === 1 ? labelOf(only) : label;
  });
  if (lines.length === 0) return transitions.slice(0, 1).map(labelOf);
  const over = lines.length - linesMax;
  return over > 0 ? [...lines.slice(0, linesMax - 1), `and ${over + 1} more`] : lines;
}
