// Something open over the page: the browser's own <dialog>, which keeps the focus inside and gives it back.

import { Component, createRef } from '/assets/vendor/preact.js';
import { html } from './html.js';

/** @extends {Component<{ title: string, close: () => void, children?: unknown }>} */
export class Dialog extends Component {
  /** @type {import('/assets/vendor/preact.js').RefObject<HTMLDialogElement | null>} */
  #place = createRef();

  /** @override */
  componentDidMount() {
    this.#place.current?.showModal();
  }

  /** @override */
  render() {
    const { title, close, children } = this.props;
    return html`<dialog ref=${this.#place} class="dialog" aria-label=${title} onClose=${close}>
      <h2>${title}</h2>
      ${children}
    </dialog>`;
  }
}
