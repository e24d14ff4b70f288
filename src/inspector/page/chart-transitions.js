// The transitions of one state of the chart, in words: for whoever wants the guards, and for whoever can not see the drawing.

import { html } from './html.js';

/** @import { ChartTransition, MachineDocument } from '../documents.ts' */

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
    <div class="scroll" tabindex="0" role="group" aria-label=${`Transitions of ${state}`}>
      <table class="plain-table">
        <thead>
          <tr><th scope="col">When</th><th scope="col">and if</th><th scope="col">From</th><th scope="col">To</th><th scope="col">Does</th></tr>
        </thead>
        <tbody>
          ${leaving.map((step, index) => html`<${Step} key=${index} step=${step} choose=${choose} />`)}
        </tbody>
      </table>
    </div>
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

/** @param {{ step: ChartTransition, choose: (path: string | null) => void }} props */
function Step({ step, choose }) {
  const { to, from, label, guards, actions } = step;
  return html`<tr>
    <td><code>${label === '' ? 'always' : label}</code></td>
    <td>${guards.length === 0 ? html`<span class="faint">–</span>` : guards.map((guard) => html`<code key=${guard}>${guard}</code> `)}</td>
    <td><code>${from}</code></td>
    <td>${
      to === null
        ? html`<span class="faint">stays</span>`
        : html`<button class="link" onClick=${() => choose(to)}><code>${to}</code></button>`
    }</td>
    <td class="faint">${actions.join(', ')}</td>
  </tr>`;
}
