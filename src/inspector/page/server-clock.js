// The daemon's time, as well as this browser can tell it. Every countdown and every age on the page is made with it, so a
// browser whose clock is wrong shows right ones.
//
//   C1. This is the page's only reader of the browser's clock and its only maker of timers.
//   C2. What the daemon sends is a moment old when it comes: of the latest samples, the one that makes the daemon's
//       clock the furthest ahead was the least delayed, and counts.

const samplesKept = 8;
/** A clock that was set moves further than any delay: what was heard before it counts no more. */
const jumpMs = 5_000;

export class ServerClock {
  #browserMs;
  /** @type {number[]} */
  #offsets = [];

  /** @param {() => number} browserMs */
  constructor(browserMs = () => Date.now()) {
    this.#browserMs = browserMs;
  }

  /** @param {string} at the daemon's time when it sent what has just arrived */
  heard(at) {
    const serverMs = Date.parse(at);
    if (Number.isNaN(serverMs)) return;
    const offset = serverMs - this.#browserMs();
    if (Math.abs(offset - this.offsetMs) > jumpMs) this.#offsets = [];
    this.#offsets.push(offset);
    if (this.#offsets.length > samplesKept) this.#offsets.shift();
  }

  /** How far the daemon's clock is ahead of this browser's. */
  get offsetMs() {
    return this.#offsets.length === 0 ? 0 : Math.max(...this.#offsets);
  }

  nowMs() {
    return this.#browserMs() + this.offsetMs;
  }
}

/**
 * @param {number} ms
 * @param {() => void} act
 * @returns {() => void} "not any more"
 */
export function after(ms, act) {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

/**
 * @param {number} ms
 * @param {() => void} act
 * @returns {() => void} "no longer"
 */
export function every(ms, act) {
  const timer = setInterval(act, ms);
  return () => clearInterval(timer);
}
