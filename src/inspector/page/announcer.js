// What a screen reader is told without being asked: that a fabric got into trouble or out of it, and that a part of the
// whole went missing. Everything else changes too often to be read out.

import { after } from './server-clock.js';

/** @import { FleetState } from './fleet-state.js' */
/** @import { Heard } from './stream.js' */

/** What comes together is said together. */
const togetherMs = 1_500;
/** More names than these are a number. */
const namesMost = 3;

export class Announcer {
  /** Name to its state, the latest. @type {Map<string, string>} */
  #states = new Map();
  /** @type {string[]} */
  #parts = [];
  #waits = false;

  /** @param {Heard} heard @param {FleetState | null} before @param {string | null} shown the fabric that is looked at */
  heard(heard, before, shown) {
    if (before === null) return;
    if (heard.type === 'transition') {
      const { fabric, fabric_id, from, state } = heard.message;
      const troubled = (/** @type {string} */ path) => /^(?:backoff|errored)/.test(path);
      const known = before.fabrics.get(fabric_id);
      const recovers = state === 'scheduled' && known?.sync_error !== '' && known !== undefined;
      const news = troubled(state) ? !troubled(from) : recovers;
      if (news || (fabric === shown && /^(?:idle|scheduled)/.test(state) && !/^(?:idle|scheduled)/.test(from))) {
        this.#states.set(fabric, state);
      } else return;
    } else if (heard.type === 'parts') {
      for (const part of /** @type {const} */ (['daemon', 'postgres', 'redis'])) {
        const is = heard.message[part];
        if (is.state === before.parts[part].state) continue;
        this.#parts.push(is.state === 'missing' ? `${part} is missing: ${is.problem}` : `${part} is back`);
      }
    } else return;
    if (this.#waits) return;
    this.#waits = true;
    after(togetherMs, () => this.#say());
  }

  #say() {
    this.#waits = false;
    const named = [...this.#states].map(([fabric, state]) => `${fabric} is ${state}`);
    const states = named.length > namesMost ? [`${named.length} fabrics changed their state`] : named;
    const place = document.getElementById('news');
    if (place && states.length + this.#parts.length > 0)
      place.textContent = `${[...this.#parts, ...states].join('. ')}.`;
    this.#states.clear();
    this.#parts = [];
  }
}
