// Small marks, so that nothing is told by colour alone. Each is drawn in a box of 16 by 16, in the colour of its text.

import { html } from './html.js';

/** @import { FabricState } from '../../../machines/fabric/plan.ts' */

/** @type {Readonly<Record<FabricState, string>>} */
const stateMarks = {
  // a pause sign
  idle: 'M5 3.5v9M11 3.5v9',
  // a clock
  scheduled: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM8 5v3.2l2.2 1.4',
  // a padlock
  locked: 'M4 7.5h8v6H4ZM5.7 7.5V5.3a2.3 2.3 0 0 1 4.6 0v2.2',
  // two arrows in a circle
  syncing: 'M13 6.5A5.2 5.2 0 0 0 3.6 5M3 9.5A5.2 5.2 0 0 0 12.4 11M3.4 2v3.2h3.2M12.6 14v-3.2H9.4',
  // an hourglass
  backoff: 'M4 2h8M4 14h8M5 2v2.5L8 8l3-3.5V2M5 14v-2.5L8 8l3 3.5V14',
  // a warning sign
  errored: 'M8 2.2 14.4 13.5H1.6ZM8 6.5v3.2M8 11.4v.6',
};

const otherMarks = {
  ok: 'M3 8.5 6.5 12 13 4.5',
  cross: 'M4 4l8 8M12 4l-8 8',
  partial: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM5 8h6',
  question: 'M5.7 6a2.3 2.3 0 1 1 3.4 2c-.8.5-1.1.9-1.1 1.8M8 12v.6',
  never: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Z',
  out: 'M9 3h4v4M13 3 7.5 8.5M11 9.5V13H3V5h3.5',
  up: 'M4 10l4-4 4 4',
  down: 'M4 6l4 4 4-4',
  link: 'M6.5 9.5l3-3M7 4.8 8.6 3.2a2.6 2.6 0 0 1 3.7 3.7L10.7 8.5M5.3 7.5 3.7 9.1a2.6 2.6 0 0 0 3.7 3.7L9 11.2',
};

/** @typedef {FabricState | keyof typeof otherMarks} Mark */

/** Said by the words beside it, so hidden from readers. @param {{ mark: Mark, class?: string }} props */
export function Icon({ mark, class: more = '' }) {
  const path = { ...stateMarks, ...otherMarks }[mark];
  return html`<svg class=${`icon ${more}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    <path d=${path} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" />
  </svg>`;
}

/** @param {string} path a state, such as `locked.acquiring` @returns {FabricState} */
export function topOf(path) {
  return /** @type {FabricState} */ (path.split('.', 1)[0]);
}

/** A state as a mark and its word. @param {{ state: FabricState, detail?: string }} props */
export function StateBadge({ state, detail = '' }) {
  return html`<span class=${`badge state-${state}`}>
    <${Icon} mark=${state} class=${state === 'syncing' ? 'turning' : ''} /><span>${state}</span>${
      detail && html`<span class="badge-detail">${detail}</span>`
    }
  </span>`;
}

/** @type {Readonly<Record<string, { mark: Mark, tone: string }>>} */
const outcomes = {
  complete: { mark: 'ok', tone: 'good' },
  in_sync: { mark: 'ok', tone: 'good' },
  partial: { mark: 'partial', tone: 'warn' },
  out_of_sync: { mark: 'partial', tone: 'warn' },
  awaiting_approval: { mark: 'question', tone: 'warn' },
  failed: { mark: 'cross', tone: 'bad' },
  error: { mark: 'cross', tone: 'bad' },
  cancelled: { mark: 'never', tone: 'calm' },
  never_synced: { mark: 'never', tone: 'calm' },
  syncing: { mark: 'syncing', tone: 'busy' },
};

/** A status or the outcome of a run as a mark and its words. @param {{ word: string | null }} props */
export function Outcome({ word }) {
  if (word === null) return html`<span class="faint">unknown</span>`;
  const { mark, tone } = outcomes[word] ?? { mark: /** @type {Mark} */ ('question'), tone: 'calm' };
  return html`<span class=${`outcome tone-${tone}`}><${Icon} mark=${mark} /><span>${word.replaceAll('_', ' ')}</span></span>`;
}
