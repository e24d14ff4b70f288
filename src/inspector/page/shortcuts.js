// Keys that work on every view, and the list of them.

import { Component } from '/assets/vendor/preact.js';
import { fleetRoute, timersRoute } from './address.js';
import { Dialog } from './dialog.js';
import { html } from './html.js';

/** @import { App } from './app.js' */

const shortcuts = [
  ['/', 'search the fleet, or the timers'],
  ['j  k', 'next and previous fabric of the table'],
  ['Enter', 'open the fabric that has the focus'],
  ['g f', 'go to the fleet'],
  ['g t', 'go to the timers'],
  ['Esc', 'leave the search, close what is open'],
  ['?', 'this list'],
];

/** @param {{ app: App }} props */
export function ShortcutsDialog({ app }) {
  return html`<${Dialog} title="Keyboard shortcuts" close=${() => app.show(null)}>
    <dl class="shortcuts">
      ${shortcuts.map(
        ([keys = '', does]) => html`<div key=${keys}>
          <dt>${keys.split(/ +/).map((key) => html`<kbd key=${key}>${key}</kbd> `)}</dt>
          <dd>${does}</dd>
        </div>`,
      )}
    </dl>
    <div class="dialog-buttons"><button onClick=${() => app.show(null)}>Close</button></div>
  <//>`;
}

/** @extends {Component<{ app: App }>} */
export class KeyBoard extends Component {
  #before = '';

  /** @override */
  componentDidMount() {
    document.addEventListener('keydown', this.#pressed);
  }

  /** @override */
  componentWillUnmount() {
    document.removeEventListener('keydown', this.#pressed);
  }

  /** @override */
  render() {
    return null;
  }

  #pressed = (/** @type {KeyboardEvent} */ event) => {
    const { app } = this.props;
    const target = /** @type {HTMLElement} */ (event.target);
    const types = target.matches('input:not([type=checkbox]), textarea, select');
    if (event.key === 'Escape' && types) target.blur();
    if (types || event.ctrlKey || event.metaKey || event.altKey || this.#hasDialog()) return;
    const keys = `${this.#before}${event.key}`;
    this.#before = event.key === 'g' ? 'g' : '';
    const act = {
      '?': () => app.show({ kind: 'shortcuts' }),
      '/': () => this.#search(),
      j: () => this.#row(1),
      k: () => this.#row(-1),
      gf: () => app.go(fleetRoute),
      gt: () => app.go(timersRoute),
    }[keys];
    if (!act) return;
    event.preventDefault();
    act();
  };

  /** One that the browser has closed already is told of a moment later, and takes no keys meanwhile. */
  #hasDialog() {
    const drawn = document.querySelector('dialog');
    return this.props.app.dialog !== null && (drawn === null || drawn.open);
  }

  #search() {
    const focus = () => document.getElementById('search')?.focus();
    if (document.getElementById('search')) {
      // At once: what is typed next belongs there.
      focus();
      return;
    }
    this.props.app.go(fleetRoute);
    requestAnimationFrame(() => requestAnimationFrame(focus));
  }

  /** @param {1 | -1} step */
  #row(step) {
    const links = [...document.querySelectorAll('.fleet-table tbody a.fabric-link')];
    const at = links.indexOf(/** @type {Element} */ (document.activeElement));
    const next = links[at < 0 ? 0 : at + step];
    if (next instanceof HTMLElement) next.focus();
  }
}
