// A table of plain rows. On a narrow screen each row is a card of the same cells, each with the title of its column before
// it, so that nothing has to be scrolled sideways.
//
//   T1. The roles are written out: a browser may take them away from a table that is drawn as something else.

import { html } from './html.js';

/**
 * @typedef {object} Column
 * @property {string} title
 * @property {boolean} [number] stands to the right
 * @property {boolean} [obvious] its cells say themselves what they are: a card leaves the title out
 *
 * @typedef {object} Row
 * @property {string} key
 * @property {readonly unknown[]} cells one a column; what is empty is left out of a card
 * @property {string} [class]
 * @property {string} [run] the run that it is about
 */

/**
 * @param {{ columns: readonly Column[], rows: readonly Row[], label?: string, labelledBy?: string, class?: string, heads?: boolean }} props
 * `heads`: the first cell of a row names it
 */
export function Table({ columns, rows, label, labelledBy, class: kind = '', heads = false }) {
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${label} aria-labelledby=${labelledBy}>
    <table class=${`plain-table ${kind}`} role="table" aria-label=${label} aria-labelledby=${labelledBy}>
      <thead role="rowgroup">
        <tr role="row">
          ${columns.map(({ title, number }, at) => html`<th key=${at} role="columnheader" scope="col" class=${number ? 'number' : ''}>${title}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map(
          ({ key, cells, class: look = '', run }) => html`<tr key=${key} role="row" class=${look} data-run=${run}>
            ${columns.map((column, at) => html`<${Cell} key=${at} column=${column} heads=${heads && at === 0}>${cells[at]}<//>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {{ column: Column, heads: boolean, children?: unknown }} props */
function Cell({ column: { title, number = false, obvious = false }, heads, children }) {
  const look = number ? 'number' : '';
  if (heads) return html`<th role="rowheader" scope="row" class=${look}>${children}</th>`;
  return html`<td role="cell" class=${look} data-title=${obvious ? undefined : title}>${children}</td>`;
}
