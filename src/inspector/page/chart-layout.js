// Where the boxes and arrows of the statechart stand. Dagre lays out each box by itself, then the boxes among each other.
// Pure: the same graph gives the same drawing. On a narrow screen it is the same drawing, tighter and without what stands
// beside the arrows: the list of transitions below says that.

import { Graph as Layout, layout } from '/assets/vendor/dagre.js';

/** @import { Arrow, Box, Graph } from './chart-graph.js' */

/**
 * @typedef {{ x: number, y: number }} Point
 * @typedef {{ x: number, y: number, width: number, height: number }} Place its middle and its size
 * @typedef {{ arrow: Arrow, points: readonly Point[], label: Place | null }} DrawnArrow
 * @typedef {{ box: Box, place: Place, inside: readonly { path: string, place: Place }[], arrows: readonly DrawnArrow[] }} DrawnBox
 * @typedef {{ width: number, height: number, boxes: readonly DrawnBox[], arrows: readonly DrawnArrow[] }} Drawing
 */

/** Letters are drawn with a width of their own, so that a label is as wide as it is taken to be here. */
export const letter = { width: 6.2, lineHeight: 14 };

/** What the drawing is made of, in its own pixels. */
const sizes = {
  wide: {
    head: 34,
    pad: 12,
    title: 64,
    box: 128,
    inner: { width: 104, height: 26, gap: 16, edge: 10 },
    chart: { nodesep: 34, edgesep: 22, ranksep: 44, marginx: 8, marginy: 8 },
    labels: true,
  },
  narrow: {
    head: 30,
    pad: 7,
    title: 44,
    box: 84,
    inner: { width: 76, height: 24, gap: 12, edge: 6 },
    chart: { nodesep: 16, edgesep: 10, ranksep: 22, marginx: 2, marginy: 2 },
    labels: false,
  },
};
/** How far aside, of the way from one to the other. */
const bow = { share: 0.45, pxMost: 330 };

/** @param {Graph} graph @param {{ narrow: boolean }} screen @returns {Drawing} */
export function drawingOf({ boxes, arrows }, { narrow }) {
  const size = narrow ? sizes.narrow : sizes.wide;
  const laid = boxes.map((box) => ({ box, ...insideOf(box, size) }));
  // Greedy about the weights below, so that what is turned back is drawn backwards: rest, then work, from left to right.
  const chart = newLayout({ rankdir: 'LR', acyclicer: 'greedy', ...size.chart });
  for (const { box, width, height } of laid) chart.setNode(box.state.path, { width, height });
  const order = [...boxes].sort((one, other) => Number(rests(other)) - Number(rests(one)));
  /** @param {string} path */
  const rank = (path) => order.findIndex(({ state }) => state.path === path && !rests({ state }));
  const seen = arrows.filter(({ quiet }) => !quiet);
  for (const arrow of seen) {
    const onward = rank(arrow.from) < rank(arrow.to);
    const label = size.labels ? { ...labelSize(arrow), labelpos: 'c' } : {};
    chart.setEdge(arrow.from, arrow.to, { ...label, weight: onward ? 5 : 1 });
  }
  layout(chart);

  const drawn = laid.map(({ box, inside, arrows: own, width, height }) => {
    const { x = 0, y = 0 } = chart.node(box.state.path);
    const left = x - width / 2;
    const top = y - height / 2;
    /** @type {<Spot extends Point>(spot: Spot) => Spot} */
    const moved = (spot) => ({ ...spot, x: spot.x + left, y: spot.y + top });
    return {
      box,
      place: { x, y, width, height },
      inside: inside.map(({ path, place }) => ({ path, place: moved(place) })),
      arrows: own.map((each) => ({ ...each, points: each.points.map(moved) })),
    };
  });
  const quiet = arrows.filter((arrow) => arrow.quiet).map((arrow) => bowed(arrow, drawn));
  const { width = 0, height = 0 } = chart.graph();
  return { width, height, boxes: drawn, arrows: [...seen.map((arrow) => routed(chart, arrow, size.labels)), ...quiet] };
}

/** @param {Pick<Box, 'state'>} box */
function rests({ state }) {
  return state.tags.includes('resting');
}

/** @param {Box} box @param {typeof sizes.wide} size */
function insideOf(box, { head, pad, inner, ...size }) {
  const title = box.state.name.length * 8 + size.title;
  if (box.inside.length === 0) return { inside: [], arrows: [], width: Math.max(title, size.box), height: head + 14 };
  // Inside, one below the other whichever way the chart runs: it keeps the boxes narrow.
  const plan = newLayout({
    rankdir: 'TB',
    nodesep: inner.gap,
    edgesep: inner.edge,
    ranksep: inner.gap,
    marginx: pad,
    marginy: 0,
  });
  for (const { path } of box.inside) plan.setNode(path, { width: inner.width, height: inner.height });
  for (const { from, to } of box.arrows) plan.setEdge(from, to, {});
  layout(plan);
  const { width = 0, height = 0 } = plan.graph();
  const whole = Math.max(width, title);
  /** @type {<Spot extends Point>(spot: Spot) => Spot} */
  const moved = (spot) => ({ ...spot, x: spot.x + (whole - width) / 2, y: spot.y + head });
  return {
    inside: box.inside.map(({ path }) => {
      const { x = 0, y = 0 } = plan.node(path);
      return { path, place: moved({ x, y, width: inner.width, height: inner.height }) };
    }),
    arrows: box.arrows.map((arrow) => {
      const { points } = routed(plan, arrow, false);
      return { arrow, points: points.map(moved), label: null };
    }),
    width: whole,
    height: head + height + pad,
  };
}

/** @param {object} spacing @returns {Layout} */
function newLayout(spacing) {
  const chart = new Layout({ directed: true });
  chart.setGraph(spacing);
  chart.setDefaultEdgeLabel(() => ({}));
  return chart;
}

/** @param {Arrow} arrow */
function labelSize({ lines }) {
  const longest = Math.max(0, ...lines.map((line) => line.length));
  return { width: longest * letter.width + 8, height: lines.length * letter.lineHeight + 4 };
}

/** @param {Layout} chart @param {Arrow} arrow @param {boolean} labelled @returns {DrawnArrow} */
function routed(chart, arrow, labelled) {
  const { points = [], x, y, width = 0, height = 0 } = chart.edge(arrow.from, arrow.to) ?? {};
  return { arrow, points, label: !labelled || x === undefined || y === undefined ? null : { x, y, width, height } };
}

/**
 * In a bow from border to border, to its own right: so the way back lies beside it, and it passes what is between.
 * @param {Arrow} arrow @param {readonly DrawnBox[]} boxes @returns {DrawnArrow}
 */
function bowed(arrow, boxes) {
  const [from, to] = [arrow.from, arrow.to].map((path) => boxes.find(({ box }) => box.state.path === path)?.place);
  if (!from || !to) return { arrow, points: [], label: null };
  const share = bow.share * Math.min(1, bow.pxMost / (Math.hypot(to.x - from.x, to.y - from.y) || 1));
  const middle = {
    x: (from.x + to.x) / 2 - (to.y - from.y) * share,
    y: (from.y + to.y) / 2 + (to.x - from.x) * share,
  };
  return { arrow, points: [border(from, middle), middle, border(to, middle)], label: null };
}

/** Where the line from the middle of a place to a point leaves the place. @param {Place} place @param {Point} to @returns {Point} */
function border(place, to) {
  const [dx, dy] = [to.x - place.x, to.y - place.y];
  const share = Math.min(
    place.width / 2 / Math.max(Math.abs(dx), 0.001),
    place.height / 2 / Math.max(Math.abs(dy), 0.001),
  );
  return { x: place.x + dx * share, y: place.y + dy * share };
}

/** How much of a way is bent where it turns. */
const bendPx = 46;

/** Points as an SVG path, its corners rounded, so that it passes close by the middle of its label. @param {readonly Point[]} points */
export function pathOf(points) {
  const [first, ...rest] = points;
  if (!first) return '';
  const at = (/** @type {Point} */ { x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  const steps = rest.map((point, index) => {
    const [before, next] = [points[index] ?? first, rest[index + 1]];
    if (!next) return `L${at(point)}`;
    return `L${at(towards(point, before))}Q${at(point)} ${at(towards(point, next))}`;
  });
  return [`M${at(first)}`, ...steps].join('');
}

/** Where the bend around a corner begins, on the way to the next one. @param {Point} corner @param {Point} to @returns {Point} */
function towards(corner, to) {
  const length = Math.hypot(to.x - corner.x, to.y - corner.y) || 1;
  const share = Math.min(bendPx, length / 2) / length;
  return { x: corner.x + (to.x - corner.x) * share, y: corner.y + (to.y - corner.y) * share };
}
