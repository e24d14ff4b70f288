// Markup as tagged templates: what stands between the tags becomes text, never markup.

import htm from '/assets/vendor/htm.js';
import { h } from '/assets/vendor/preact.js';

/** @import { VNode } from '/assets/vendor/preact.js' */

/** @type {(strings: TemplateStringsArray, ...values: unknown[]) => VNode} */
export const html = /** @type {never} */ (htm.bind(h));
