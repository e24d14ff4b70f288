// The run in hand, kind by kind.

import { html } from './html.js';
import { Icon } from './icons.js';
import { countText } from './words.js';

/** @import { RunProgress } from '../documents.ts' */

/** @param {{ progress: RunProgress, counts: Readonly<Record<string, number>> }} props `counts`: objects of each kind so far */
export function Progress({ progress, counts }) {
  const { run, kinds } = progress;
  const done = kinds.filter((kind) => kind.done).length;
  return html`<section class="panel" aria-labelledby="progress-title">
    <h2 id="progress-title">Run ${run} in hand <span class="faint">${countText(done)} of ${countText(kinds.length)} kinds read</span></h2>
    <ul class="progress">
      ${kinds.map(({ kind, listed, done: read }) => {
        const known = counts[kind.split('.', 1)[0] ?? kind] ?? 0;
        return html`<li key=${kind}>
          <span class="progress-name">${read && html`<${Icon} mark="ok" />`}${kind}</span>
          <progress max=${Math.max(known, listed, 1)} value=${read ? Math.max(known, listed, 1) : listed} aria-label=${`${kind}: ${listed} objects read${read ? ', done' : ''}`}></progress>
          <span class="number">${countText(listed)}</span>
        </li>`;
      })}
    </ul>
  </section>`;
}
