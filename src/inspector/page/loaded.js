// A document that is asked for by its address, and asked for again while it is shown.
//
//   L1. What was shown stays until something newer is there; a refusal stands beside it and does not replace it.
//   L2. An answer that comes after another address was asked for is dropped.

import { get, Refusal } from './ask.js';
import { after } from './server-clock.js';

/**
 * @template Document
 * @typedef {{ path: string | null, document: Document | null, refusal: Refusal | null, asking: boolean }} Loaded
 */

/** News come in bursts; one question answers them all. */
const burstMs = 400;
/** After no answer it is asked again. */
const againMs = 3_000;

/** @template Document */
export class Loader {
  /** @type {Loaded<Document>} */
  loaded = { path: null, document: null, refusal: null, asking: false };
  #changed;
  #took;
  /** @type {AbortController | null} */
  #asking = null;
  /** @type {(() => void) | null} */
  #later = null;

  /**
   * @param {() => void} changed
   * @param {(document: Document) => void} [took] sees each answer before it is shown
   */
  constructor(changed, took = () => {}) {
    this.#changed = changed;
    this.#took = took;
  }

  /** Shows what is at this address; null for nothing. @param {string | null} path */
  show(path) {
    if (path === this.loaded.path) return;
    this.#forget();
    this.loaded = { path, document: null, refusal: null, asking: false };
    if (path !== null) this.#ask();
    this.#changed();
  }

  /** Asks again, soon: something has changed. */
  refresh() {
    if (this.loaded.path === null || this.#later) return;
    this.#in(burstMs);
  }

  /** @param {(document: Document) => Document} change */
  edit(change) {
    const { document } = this.loaded;
    if (document !== null) this.loaded = { ...this.loaded, document: change(document) };
  }

  /** @param {number} ms */
  #in(ms) {
    this.#later?.();
    this.#later = after(ms, () => {
      this.#later = null;
      if (this.#asking) this.#in(burstMs);
      else this.#ask();
    });
  }

  #forget() {
    this.#later?.();
    this.#later = null;
    this.#asking?.abort();
    this.#asking = null;
  }

  #ask() {
    const { path } = this.loaded;
    if (path === null) return;
    const asking = new AbortController();
    this.#asking = asking;
    this.loaded = { ...this.loaded, asking: true };
    get(path, asking.signal).then(
      (document) => this.#answered(asking, { document: /** @type {Document} */ (document), refusal: null }),
      (thrown) => this.#answered(asking, { refusal: Refusal.of(thrown) }),
    );
  }

  /** @param {AbortController} asking @param {{ document?: Document, refusal: Refusal | null }} answer */
  #answered(asking, answer) {
    if (asking !== this.#asking) return;
    this.#asking = null;
    if (answer.document !== undefined) this.#took(answer.document);
    this.loaded = { ...this.loaded, ...answer, asking: false };
    if (answer.refusal && (answer.refusal.status === 0 || answer.refusal.status >= 500)) this.#in(againMs);
    this.#changed();
  }
}
