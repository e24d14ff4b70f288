// What is missing, since when, and what that means for what is shown. Nothing where all is well.

import { html } from './html.js';
import { Icon } from './icons.js';
import { clockText, sentences, spanText } from './words.js';

/** @import { App } from './app.js' */

/**
 * A reconnect that is quicker than this is nobody's concern. The first connection may take longer: the daemon, from which
 * the page has just come, asks Postgres before it answers, and gives that up after 3 s.
 */
const brieflyMs = { lost: 2_000, connecting: 5_000 };

const means = {
  daemon: 'Runs may not begin. What is shown is what the rows say.',
  postgres: 'Nothing can be committed, and only what this daemon holds in memory is shown.',
  redis: 'Due times are served from Postgres meanwhile, a little later than otherwise.',
};
const names = { daemon: 'The daemon', postgres: 'Postgres', redis: 'Redis' };

/** @param {{ app: App }} props */
export function Banners({ app }) {
  const nowMs = app.clock.nowMs();
  const { sinceMs } = app.connection;
  const away = isAway(app);
  const parts = app.fleet?.parts;
  const running = app.fleet?.daemon.version;
  return html`<div class="banners">
    ${
      away &&
      html`<div class="banner banner-bad" role="alert">
        <${Icon} mark="errored" />
        <p><strong>The daemon does not answer since ${clockText(sinceMs, nowMs)}</strong> (${spanText(nowMs - sinceMs)}).
        What is shown is what it said last; this page connects again by itself.</p>
      </div>`
    }
    ${
      !away &&
      parts &&
      /** @type {const} */ (['daemon', 'postgres', 'redis'])
        .filter((part) => parts[part].state === 'missing')
        .map((part) => {
          const { problem, since } = parts[part];
          return html`<div key=${part} class="banner banner-warn" role="alert">
            <${Icon} mark="errored" />
            <p><strong>${names[part]} is missing since ${clockText(since, nowMs)}</strong> (${spanText(nowMs - Date.parse(since))}): ${problem}.${' '}${means[part]}</p>
          </div>`;
        })
    }
    ${
      running !== undefined &&
      running !== app.version &&
      html`<div class="banner banner-calm" role="status">
        <${Icon} mark="question" />
        <p>The daemon is now version ${running}; this page is of ${app.version}. <button class="link" onClick=${() => location.reload()}>Load it anew</button></p>
      </div>`
    }
    ${
      app.notice &&
      html`<div class=${`banner ${app.notice.good ? 'banner-good' : 'banner-bad'}`} role="status">
        <${Icon} mark=${app.notice.good ? 'ok' : 'cross'} />
        <p>${sentences(app.notice.text, app.notice.hint)}</p>
        <button class="small" onClick=${() => app.dismiss()}>Dismiss</button>
      </div>`
    }
  </div>`;
}

/** Is what is shown no more than what the daemon said last? @param {App} app */
export function isAway({ clock, connection: { state, sinceMs } }) {
  return (state === 'lost' || state === 'connecting') && clock.nowMs() - sinceMs >= brieflyMs[state];
}
