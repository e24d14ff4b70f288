// The statechart, drawn: the present state lit, the last path marked, each transition shown as it happens. Whoever does
// not see it finds the same in the list of the chosen state's transitions below.

import { Component, createRef } from '/assets/vendor/preact.js';
import { arrowKey, graphOf, outerOf } from './chart-graph.js';
import { drawingOf, letter, pathOf } from './chart-layout.js';
import { ChartTransitions } from './chart-transitions.js';
import { html } from './html.js';

/** @import { MachineDocument, TransitionDocument } from '../documents.ts' */
/** @import { DrawnArrow, DrawnBox, Drawing, Place } from './chart-layout.js' */
/** @import { Flash } from './fabric-state.js' */

/**
 * @typedef {object} ChartProps
 * @property {MachineDocument} machine
 * @property {string} present where the fabric is
 * @property {readonly TransitionDocument[]} path the oldest first
 * @property {readonly Flash[]} flashes
 * @property {boolean} narrow
 *
 * @typedef {{ chosen: string | null, all: boolean }} ChartView `all`: the quiet arrows too
 */

/** @extends {Component<ChartProps, ChartView>} */
export class Chart extends Component {
  /** @override @type {ChartView} */
  state = { chosen: null, all: false };
  /** @type {{ machine: MachineDocument, narrow: boolean, drawing: Drawing } | null} */
  #drawn = null;

  /** @type {import('/assets/vendor/preact.js').RefObject<HTMLElement | null>} */
  #scroll = createRef();
  #shown = '';

  /** @override */
  componentDidMount() {
    this.#bringIntoSight();
  }

  /** @override */
  componentDidUpdate() {
    this.#bringIntoSight();
  }

  /** Where the drawing is wider than the screen, the present state is what one wants to see. */
  #bringIntoSight() {
    const outer = outerOf(this.props.present);
    const place = this.drawing.boxes.find(({ box }) => box.state.path === outer)?.place;
    const scroll = this.#scroll.current;
    if (outer === this.#shown || !place || !scroll) return;
    this.#shown = outer;
    const left = place.x - scroll.clientWidth / 2;
    scroll.scrollTo({ left });
  }

  /** Laid out once, not at each second. */
  get drawing() {
    const { machine, narrow } = this.props;
    if (this.#drawn?.machine !== machine || this.#drawn.narrow !== narrow) {
      this.#drawn = { machine, narrow, drawing: drawingOf(graphOf(machine), { narrow }) };
    }
    return this.#drawn.drawing;
  }

  /** @override */
  render() {
    const { machine, present, path } = this.props;
    const { chosen, all } = this.state;
    const { width, height, boxes, arrows } = this.drawing;
    const taken = new Set(path.map(({ from, to }) => arrowKey(from, to)));
    const fresh = new Map(
      this.props.flashes.map((flash) => [arrowKey(flash.transition.from, flash.transition.to), flash]),
    );
    /** @param {DrawnArrow} drawn */
    const shown = ({ arrow }) =>
      !arrow.quiet ||
      all ||
      taken.has(arrow.key) ||
      (chosen !== null && [arrow.from, arrow.to].includes(outerOf(chosen)));
    const look = { present, taken, fresh, chosen, choose: this.choose };
    return html`<div class="chart">
      <div class="chart-scroll" ref=${this.#scroll} tabindex="0" role="group" aria-label="Statechart, drawn from the machine's definition">
        <svg
          width=${width}
          height=${height}
          viewBox=${`0 0 ${width} ${height}`}
          class=${`chart-drawing ${this.props.narrow ? 'chart-narrow' : ''}`}
          role="group"
          aria-label=${`The fabric is in ${present}`}
        >
          <${ArrowHeads} />
          ${arrows.filter(shown).map((drawn) => html`<${ArrowLine} key=${drawn.arrow.key} drawn=${drawn} look=${look} />`)}
          ${boxes.map((drawn) => html`<${StateBox} key=${drawn.box.state.path} drawn=${drawn} look=${look} />`)}
          ${arrows.filter(shown).map((drawn) => html`<${ArrowLabel} key=${drawn.arrow.key} drawn=${drawn} look=${look} />`)}
        </svg>
      </div>
      <div class="chart-legend">
        <span class=${`lit state-${outerOf(present)}`}><span class="swatch swatch-present"></span>present state</span>
        <span><span class="swatch swatch-path"></span>last path</span>
        <label class="check">
          <input type="checkbox" checked=${all} onChange=${this.toggleAll} />
          every transition, also those of a new plan
        </label>
      </div>
      <${ChartTransitions} machine=${machine} state=${chosen ?? present} present=${present} choose=${this.choose} />
    </div>`;
  }

  /** @param {string | null} path */
  choose = (path) => this.setState({ chosen: path });
  toggleAll = () => this.setState(({ all }) => ({ all: !all }));
}

/**
 * @typedef {object} Look
 * @property {string} present
 * @property {ReadonlySet<string | null>} taken
 * @property {ReadonlyMap<string | null, Flash>} fresh
 * @property {string | null} chosen
 * @property {(path: string | null) => void} choose
 */

function ArrowHeads() {
  return html`<defs>
    ${['plain', 'path', 'fresh'].map(
      (kind) => html`<marker
        key=${kind}
        id=${`head-${kind}`}
        class=${`head head-${kind}`}
        viewBox="0 0 8 8"
        refX="7"
        refY="4"
        markerWidth="7"
        markerHeight="7"
        markerUnits="userSpaceOnUse"
        orient="auto-start-reverse"
      ><path d="M0 0.5 8 4 0 7.5Z" /></marker>`,
    )}
  </defs>`;
}

/** @param {{ drawn: DrawnArrow, look: Look }} props */
function ArrowLine({ drawn: { arrow, points }, look }) {
  const kind = look.taken.has(arrow.key) ? 'path' : 'plain';
  const flash = look.fresh.get(arrow.key);
  const path = pathOf(points);
  return html`<g class="arrow">
    <path class=${`arrow-line arrow-${kind} ${arrow.quiet ? 'arrow-quiet' : ''}`} d=${path} marker-end=${`url(#head-${kind})`} />
    ${
      flash &&
      html`<path
        key=${flash.order}
        class="arrow-line arrow-fresh"
        d=${path}
        pathLength="1"
        style=${{ animationDelay: `${flash.delayMs}ms` }}
      />`
    }
  </g>`;
}

/** @param {{ drawn: DrawnArrow, look: Look }} props */
function ArrowLabel({ drawn: { arrow, label }, look }) {
  if (!label) return null;
  const top = label.y - ((arrow.lines.length - 1) * letter.lineHeight) / 2;
  return html`<g class=${`arrow-label ${look.taken.has(arrow.key) ? 'arrow-label-path' : ''}`}>
    <rect
      x=${label.x - label.width / 2}
      y=${label.y - label.height / 2}
      width=${label.width}
      height=${label.height}
      rx="3"
    />
    ${arrow.lines.map(
      (line, index) => html`<text
        key=${line}
        x=${label.x}
        y=${top + index * letter.lineHeight}
        textLength=${line.length * letter.width}
        lengthAdjust="spacingAndGlyphs"
      >${line}</text>`,
    )}
  </g>`;
}

/** @param {{ drawn: DrawnBox, look: Look }} props */
function StateBox({ drawn: { box, place, inside, arrows }, look }) {
  const { state } = box;
  const here = outerOf(look.present) === state.path;
  return html`<g class=${`box ${here ? `box-present state-${state.name}` : ''}`}>
    <${StateShape} path=${state.path} name=${state.name} description=${state.description} place=${place} look=${look} outer=${true} />
    ${arrows.map((drawn) => html`<${ArrowLine} key=${drawn.arrow.key} drawn=${drawn} look=${look} />`)}
    ${inside.map(({ path, place: spot }) => {
      const one = box.inside.find((each) => each.path === path);
      return html`<${StateShape}
        key=${path}
        path=${path}
        name=${one?.name ?? path}
        description=${one?.description ?? ''}
        place=${spot}
        look=${look}
        outer=${false}
      />`;
    })}
  </g>`;
}

/**
 * A state that can be chosen, by pointer or by key.
 * @param {{ path: string, name: string, description: string, place: Place, look: Look, outer: boolean }} props
 */
function StateShape({ path, name, description, place, look, outer }) {
  const { x, y, width, height } = place;
  const here = look.present === path || (outer && outerOf(look.present) === path);
  const choose = () => look.choose(look.chosen === path ? null : path);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    choose();
  };
  const kind = outer ? 'shape-outer' : 'shape-inner';
  return html`<g
    class=${`shape ${kind} ${here ? 'shape-present' : ''} ${look.chosen === path ? 'shape-chosen' : ''}`}
    tabindex="0"
    role="button"
    aria-pressed=${look.chosen === path ? 'true' : 'false'}
    aria-label=${`${path}${here ? ', present state' : ''}${description ? `: ${description}` : ''}`}
    data-state=${path}
    onClick=${choose}
    onKeyDown=${onKeyDown}
  >
    <title>${description === '' ? path : `${path}: ${description}`}</title>
    <rect x=${x - width / 2} y=${y - height / 2} width=${width} height=${height} rx=${outer ? 9 : 13} />
    ${
      outer
        ? html`<text class="shape-title" x=${x} y=${y - height / 2 + 20}>${name}</text>`
        : html`<text x=${x} y=${y}>${name}</text>`
    }
    ${here && outer && html`<circle class="shape-mark" cx=${x - width / 2 + 12} cy=${y - height / 2 + 20} r="4" />`}
  </g>`;
}
