// How long the last runs took, the oldest first, as small bars: a run that failed is hollow and has a foot, so that it
// shows without its colour.

import { html } from './html.js';
import { durationText, plain } from './words.js';

/** @import { RecentRun } from '../documents.ts' */

const bar = { width: 3, gap: 1, height: 18 };
const barsMost = 20;

/** @param {{ runs: readonly RecentRun[] }} props */
export function Plot({ runs }) {
  const shown = runs.slice(-barsMost);
  const longest = Math.max(1, ...shown.map(({ duration_ms }) => duration_ms));
  const width = shown.length * (bar.width + bar.gap);
  const words = shown.map(({ outcome, duration_ms }) => `${plain(outcome)} ${durationText(duration_ms)}`);
  if (shown.length === 0) return null;
  return html`<svg
    class="plot"
    width=${width}
    height=${bar.height}
    viewBox=${`0 0 ${width} ${bar.height}`}
    role="img"
    aria-label=${`The last ${shown.length} runs took up to ${durationText(longest)}; the last one ${words.at(-1)}`}
  >
    <title>${words.join('\n')}</title>
    ${shown.map(({ id, outcome, duration_ms }, index) => {
      const height = Math.max(2, (bar.height - 2) * (duration_ms / longest));
      const x = index * (bar.width + bar.gap);
      return html`<rect
        key=${id}
        class=${`bar bar-${outcome === 'complete' ? 'good' : outcome === 'failed' ? 'bad' : 'warn'}`}
        x=${x + 0.5}
        y=${bar.height - height - 0.5}
        width=${bar.width - 1}
        height=${height}
      />`;
    })}
  </svg>`;
}
