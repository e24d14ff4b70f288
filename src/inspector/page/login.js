// Where the one-time link of `fabric-syncd inspect` leads.

import { fleetRoute } from './address.js';
import { html } from './html.js';
import { Link } from './link.js';
import { sentences } from './words.js';

/** @import { App } from './app.js' */

/** @param {{ app: App }} props */
export function LoginView({ app }) {
  const { login, session } = app;
  if (login === 'asking') return html`<section class="message" aria-busy="true"><h1>Logging in …</h1></section>`;
  return html`<section class="message">
    <h1>${login ? 'The link was not accepted' : 'Log in'}</h1>
    ${login && html`<p role="alert">${sentences(login.refusal.message, login.refusal.hint)}</p>`}
    ${
      session && !session.control
        ? html`<p>This daemon only shows: it was started without control.</p>`
        : html`<p>A link logs in once, and for a short time. For a new one, on the daemon's host: <code>fabric-syncd inspect --link</code></p>`
    }
    <p><${Link} app=${app} to=${fleetRoute}>To the fleet, to look<//></p>
  </section>`;
}
