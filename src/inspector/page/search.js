// The box that narrows a table down; what is typed there stands in the address. `/` leads to it (shortcuts.js).

import { html } from './html.js';

/**
 * @param {{ label: string, placeholder: string, value: string, search: (text: string) => void }} props
 * `label`: for who does not see the box
 */
export function Search({ label, placeholder, value, search }) {
  return html`<label class="search">
    <span class="unseen">${label}</span>
    <input
      id="search"
      type="search"
      placeholder=${placeholder}
      value=${value}
      autocomplete="off"
      spellcheck="false"
      onInput=${(/** @type {InputEvent} */ event) => {
        search(/** @type {HTMLInputElement} */ (event.target).value);
      }}
    />
  </label>`;
}
