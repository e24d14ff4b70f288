// How late the last runs began, as bars with their counts: a drawing that is also a table.

import { html } from './html.js';
import { counted, countText, durationText } from './words.js';

/** @import { LatenessDocument } from '../documents.ts' */

/** @param {{ lateness: LatenessDocument }} props */
export function Histogram({ lateness: { runs, p50_ms, p99_ms, max_ms, buckets } }) {
  const most = Math.max(1, ...buckets.map((bucket) => bucket.runs));
  const figures = [
    ['Median', p50_ms],
    ['99 of 100 within', p99_ms],
    ['Latest', max_ms],
  ];
  return html`<section class="panel" aria-labelledby="lateness-title">
    <h2 id="lateness-title">Lateness <span class="faint">of the last ${counted(runs, 'run')} here</span></h2>
    <dl class="tallies">${figures.map(([term, ms]) => html`<div key=${term}><dt>${term}</dt><dd>${durationText(/** @type {number | null} */ (ms))}</dd></div>`)}</dl>
    <table class="histogram">
      <thead class="unseen"><tr><th scope="col">Late by</th><th scope="col">Share</th><th scope="col">Runs</th></tr></thead>
      <tbody>
        ${buckets.map(
          ({ from_ms, to_ms, runs: count }) => html`<tr key=${from_ms}>
            <th scope="row">${to_ms === null ? `${bound(from_ms)} and more` : `< ${bound(to_ms)}`}</th>
            <td>
              <svg viewBox="0 0 100 10" preserveAspectRatio="none" class="histogram-bar" aria-hidden="true">
                <rect width=${(count / most) * 100} height="10" />
              </svg>
            </td>
            <td class="number">${countText(count)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

/** Of a bucket, which is a round number. @param {number} ms */
function bound(ms) {
  return ms > 0 && ms % 60_000 === 0 ? `${ms / 60_000} min` : durationText(ms);
}
