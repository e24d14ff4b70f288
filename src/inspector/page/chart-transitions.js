// The transitions of one state of the chart, in words: for whoever wants the guards, and for whoever cannot see the drawing.

import { html } from './html.js';
import { Table } from './table.js';

/** @import { ChartTransition, MachineDocument } from '../documents.ts' */

const columns = [
  { title: 'When', obvious: true },
  { title: 'and if' },
  { title: 'From' },
  { title: 'To' },
  { title: 'Does' },
];

/**
 * @param {{ machine: MachineDocument, state: string, present: string, choose: (path: string | null) => void }} props
 * `state` is shown with what its outer state does at any time.
 */
export function ChartTransitions({ machine, state, present, choose }) {
  const known = machine.states.filter(({ path }) => path === state || state.startsWith(`${path}.`));
  const leaving = machine.transitions.filter(
    ({ from }) => from === state || state.startsWith(`${from}.`) || from.startsWith(`${state}.`),
  );
  const chosen = state !== present;
  return html`<section class="chart-words" aria-label=${`State ${state}`}>
    <div class="chart-words-head">
      <h3><code>${state}</code>${!chosen && html` <span class="faint">present state</span>`}</h3>
      ${chosen && html`<button class="small" onClick=${() => choose(null)}>Back to the present state</button>`}
    </div>
    ${known
      .filter(({ description }) => description !== '')
      .map(({ path, description }) => html`<p key=${path}>${description}</p>`)}
    ${known.map(({ path, invokes, after }) => html`<${Work} key=${path} invokes=${invokes} after=${after} />`)}
    <${Table}
      class="transitions"
      label=${`Transitions of ${state}`}
      columns=${columns}
      rows=${leaving.map((step, at) => ({ key: String(at), cells: cellsOf(step, choose) }))}
    />
  </section>`;
}

/** @param {{ invokes: readonly string[], after: readonly { delay: string, ms: number | null }[] }} props */
function Work({ invokes, after }) {
  if (invokes.length === 0 && after.length === 0) return null;
  return html`<p class="faint">
    ${invokes.length > 0 && html`While in it: ${invokes.map((port) => html`<code key=${port}>${port}</code> `)}`}
    ${after.map(
      ({ delay, ms }) =>
        html`<span key=${delay}>At most <code>${delay}</code>${ms !== null && ` (${ms / 1_000} s)`}.</span>`,
    )}
  </p>`;
}

/** @param {ChartTransition} step @param {(path: string | null) => void} choose */
function cellsOf({ to, from, label, guards, actions }, choose) {
  return [
    html`<code>${label === '' ? 'always' : label}</code>`,
    guards.length > 0 && guards.map((guard) => html`<code key=${guard}>${guard}</code> `),
    html`<code>${from}</code>`,
    to === null
      ? html`<span class="faint">stays</span>`
      : html`<button class="link" onClick=${() => choose(to)}><code>${to}</code></button>`,
    actions.length > 0 && html`<span class="faint">${actions.join(', ')}</span>`,
  ];
}
