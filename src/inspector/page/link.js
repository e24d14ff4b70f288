// A link to another view: an address that can be copied, opened in a tab of its own, or followed without a load.

import { addressOf } from './address.js';
import { html } from './html.js';

/** @import { App } from './app.js' */
/** @import { Route } from './address.js' */

/**
 * @param {{ app: App, to: Route, class?: string, current?: boolean, label?: string, children?: unknown, replace?: boolean }} props
 */
export function Link({ app, to, class: more = '', current = false, label, children, replace = false }) {
  return html`<a
    class=${more}
    href=${addressOf(to)}
    aria-current=${current ? 'page' : undefined}
    aria-label=${label}
    onClick=${(/** @type {MouseEvent} */ event) => {
      // Any other click means what it means everywhere: a new tab, a new window, a download.
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      app.go(to, { replace });
    }}
  >${children}</a>`;
}
